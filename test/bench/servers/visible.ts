// From the call that publishes a post until a watcher has it: through gateway, Kafka, cell and gateway again, each a process,
// while 2,000 other posts a second (20 % of the steady load) go the same way, to a cell with 100,000 readers. One publish after
// another at a fixed pace, whether or not those before are through.
//
//     make build && node --import tsx test/bench/servers/visible.ts

import { setTimeout as sleep } from 'node:timers/promises'
import { topicNames } from '../../../infra/kafka/kafka-options.ts'
import { type Cellfeed, connect } from '../../../services/client/connect.ts'
import type { BenchRow } from '../bench-row.ts'
import { isStarted, printTable, quantile } from '../print.ts'
import { ClusterProcesses } from './cluster-processes.ts'
import { benchFlags } from './engines.ts'
import { READERS } from './follow-graph.ts'
import { PostLoad } from './post-load.ts'

const SECONDS = 60
const WARM_UP_SECONDS = 10
const OTHERS_PER_SECOND = 2_000
const PUBLISHES_PER_SECOND = 50
const AUTHORS = 20
/** A post not seen by then is missing. */
const PATIENCE_SECONDS = 10

type Figures = { readonly sorted: Float64Array; readonly missing: number }

export async function bench(): Promise<BenchRow[]> {
  const flags = benchFlags({ seconds: SECONDS })
  const cluster = await ClusterProcesses.start(flags)
  const feed = connect(cluster.gatewayAddress, { retry: { attemptsMax: 1 } })
  try {
    await follow(feed)
    const quiet = await measure(feed, flags.seconds / 2)
    const load = new PostLoad({
      kafka: flags.engines.kafka,
      topic: topicNames(flags.prefix).public,
      users: READERS,
      aheadMax: Number.MAX_SAFE_INTEGER,
      perSecond: OTHERS_PER_SECOND,
    })
    await sleep(WARM_UP_SECONDS * 1_000)
    const meter = cluster.meter({ load: load.pid })
    const busy = await measure(feed, flags.seconds)
    const cpu = meter.toString()
    await load.end()
    return [
      {
        what: `publish -> visible to a watcher, beside ${OTHERS_PER_SECOND.toLocaleString('en')} posts/s`,
        figure: textOf(busy),
        goal: 'p50 < 10 ms, p99 < 50 ms',
        peer: cpu,
      },
      { what: '  without other posts', figure: textOf(quiet), goal: '', peer: '' },
    ]
  } finally {
    feed.close()
    await cluster.end()
  }
}

async function follow(feed: Cellfeed): Promise<void> {
  for (let author = 1; author <= AUTHORS; author++) await feed.follow('watcher', `writer-${author}`)
}

async function measure(feed: Cellfeed, seconds: number): Promise<Figures> {
  const count = Math.floor(seconds * PUBLISHES_PER_SECOND)
  const sentMs = new Float64Array(count)
  const tookMs = new Float64Array(count).fill(Number.NaN)
  const watching = new AbortController()
  const { newerPageToken } = await feed.dashboard('watcher')
  const run = `${performance.now()}`
  // A watch begins with posts of the last seconds, which may be of the run before.
  const watched = watch(feed, { newerPageToken, signal: watching.signal }, (text) => {
    const [of, digits] = text.split('/')
    const number = Number(digits)
    if (of === run && Number.isNaN(tookMs[number]))
      tookMs[number] = performance.now() - (sentMs[number] ?? 0)
  })
  // A watch that breaks is told of at the end.
  watched.catch(() => undefined)
  const startMs = performance.now()
  const published: Promise<unknown>[] = []
  for (let number = 0; number < count; number++) {
    const dueMs = startMs + (number * 1_000) / PUBLISHES_PER_SECOND
    await sleep(Math.max(0, dueMs - performance.now()))
    sentMs[number] = performance.now()
    published.push(feed.publish(`writer-${1 + (number % AUTHORS)}`, `${run}/${number}`))
  }
  await Promise.all(published)
  const endMs = performance.now() + PATIENCE_SECONDS * 1_000
  while (tookMs.some(Number.isNaN) && performance.now() < endMs) await sleep(10)
  watching.abort()
  await watched
  const sorted = tookMs.filter((ms) => !Number.isNaN(ms)).sort()
  return { sorted, missing: count - sorted.length }
}

async function watch(
  feed: Cellfeed,
  options: { readonly newerPageToken: string; readonly signal: AbortSignal },
  seen: (text: string) => void,
): Promise<void> {
  try {
    for await (const change of feed.watch('watcher', options)) {
      if (change.kind === 'added') seen(change.post.text)
    }
  } catch (error) {
    if (!options.signal.aborted) throw error
  }
}

function textOf({ sorted, missing }: Figures): string {
  const at = (share: number) => quantile(sorted, share).toFixed(1)
  const figure = `p50 ${at(0.5)} ms, p99 ${at(0.99)}, max ${at(1)} of ${sorted.length}`
  return missing === 0 ? figure : `${figure}, ${missing} never seen`
}

if (isStarted(import.meta.url)) printTable(await bench())
