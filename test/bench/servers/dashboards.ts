// Dashboards through the gateway and one cell, each a process, of 100,000 readers who follow 200 users: first pages of 20 posts of
// 1 KB.
//   hot   the same few readers over and over, by h2load; beside it, by the same means, a method of the same gateway that does
//         nothing (Health/Check)
//   cold  the cell starts anew, so neither its memory nor its cache has a body, and readers are asked for who were not before:
//         nearly every post of a page is read from Cassandra
//
//     make build && node --import tsx test/bench/servers/dashboards.ts

import { topicNames } from '../../../infra/kafka/kafka-options.ts'
import { ListDashboardRequest } from '../../../gen/cellfeed/v1/dashboard_service.ts'
import { type Cellfeed, connect } from '../../../services/client/connect.ts'
import type { BenchRow } from '../bench-row.ts'
import { isStarted, printTable, quantile } from '../print.ts'
import { ClusterProcesses } from './cluster-processes.ts'
import { type BenchFlags, benchFlags } from './engines.ts'
import { READERS } from './follow-graph.ts'
import { callsPerSecond } from './h2load.ts'
import { PostLoad } from './post-load.ts'

const SECONDS = 15
const POSTS = 200_000
const LIMIT = 20
const CONNECTIONS = 4
const STREAMS = 16
/** So few that hardly any two of them share a post of their first pages. */
const COLD_READERS = 300
const COLD_AT_ONCE = 2
/** For the cell to apply the posts. */
const CATCH_UP_MS = 300_000

export async function bench(): Promise<BenchRow[]> {
  const flags = benchFlags({ seconds: SECONDS })
  const cluster = await ClusterProcesses.start(flags)
  const feed = connect(cluster.gatewayAddress)
  try {
    await publish(flags)
    await feed.seeEverything()
    await feed.dashboard('user-1', { timeoutMs: CATCH_UP_MS })
    await cluster.resting()
    const hot = await measureHot(flags, cluster, feed)
    const empty = await measureEmpty(flags, cluster)
    await cluster.restartCell()
    const cold = await measureCold(feed)
    const again = await measureCold(feed)
    const share = Math.round((hot.rate / empty.rate) * 100)
    const perSecond = (rate: number) => `${Math.round(rate).toLocaleString('en')}/s`
    return [
      {
        what: `dashboards of ${LIMIT} posts through gateway and cell, hot`,
        figure: `${perSecond(hot.rate)}, ${share} % of the empty method (${hot.cpu})`,
        goal: '>= 50 %',
        peer: `empty method: ${perSecond(empty.rate)} (${empty.cpu})`,
      },
      {
        what: '  all caches cold',
        figure: textOf(cold),
        goal: 'p99 < 50 ms',
        peer: `the same readers again: ${textOf(again)}`,
      },
    ]
  } finally {
    feed.close()
    await cluster.end()
  }
}

async function publish({ engines, prefix }: BenchFlags): Promise<void> {
  const topic = topicNames(prefix).public
  const load = { kafka: engines.kafka, topic, users: READERS, aheadMax: POSTS, postsMax: POSTS }
  await new PostLoad(load).ended
}

async function measureHot(flags: BenchFlags, cluster: ClusterProcesses, feed: Cellfeed) {
  const users = Array.from({ length: CONNECTIONS }, (_, i) => `user-${i + 1}`)
  for (const user of users) await assertPage(feed, user)
  const messages = users.map((userId) => {
    const rest = { pageToken: '', consistencyTokens: [], includeUnreadCount: false }
    return ListDashboardRequest.encode({ userId, pageSize: LIMIT, ...rest }).finish()
  })
  return call(flags, cluster, '/cellfeed.v1.DashboardService/ListDashboard', messages)
}

function measureEmpty(flags: BenchFlags, cluster: ClusterProcesses) {
  const messages = Array.from({ length: CONNECTIONS }, () => new Uint8Array(0))
  return call(flags, cluster, '/grpc.health.v1.Health/Check', messages)
}

async function call(
  { seconds }: BenchFlags,
  cluster: ClusterProcesses,
  path: string,
  messages: readonly Uint8Array[],
): Promise<{ readonly rate: number; readonly cpu: string }> {
  const address = cluster.gatewayAddress
  const meter = cluster.meter()
  const rate = await callsPerSecond({ address, path, messages, streams: STREAMS, seconds })
  return { rate, cpu: meter.toString() }
}

/** Milliseconds of each reader's page, ascending. */
async function measureCold(feed: Cellfeed): Promise<Float64Array> {
  const first = Math.floor(READERS / 2)
  const tookMs = new Float64Array(COLD_READERS)
  let next = 0
  const ask = async () => {
    while (next < COLD_READERS) {
      const i = next++
      const fromMs = performance.now()
      await assertPage(feed, `user-${first + i}`)
      tookMs[i] = performance.now() - fromMs
    }
  }
  // The connections to the cell and to Cassandra are there before the first reader is asked for.
  await assertPage(feed, `user-${first - 1}`)
  await Promise.all(Array.from({ length: COLD_AT_ONCE }, ask))
  return tookMs.sort()
}

async function assertPage(feed: Cellfeed, user: string): Promise<void> {
  const { posts } = await feed.dashboard(user, { limit: LIMIT })
  if (posts.length !== LIMIT) throw new Error(`the page of ${user} has ${posts.length} posts`)
}

function textOf(sorted: Float64Array): string {
  const at = (share: number) => quantile(sorted, share).toFixed(1)
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)}, max ${at(1)}`
}

if (isStarted(import.meta.url)) printTable(await bench())
