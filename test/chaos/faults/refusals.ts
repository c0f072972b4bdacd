// What a cell must not bear: its log lost records that it has not seen, or is another one under the same name. It has to refuse
// to start and say the way out, whatever else goes on. A cluster is of no use afterwards, so these come last.

import { type Admin, Kafka, logLevel } from 'kafkajs'
import { topicNames } from '../../../infra/kafka/kafka-options.ts'
import type { Cellfeed } from '../../../services/client/connect.ts'
import type { ChaosCluster } from '../cluster/chaos-cluster.ts'
import { prefix } from '../cluster/cluster-plan.ts'
import { makeTopics } from '../cluster/make-topics.ts'
import type { Server } from '../cluster/server.ts'

export type Refusal = {
  readonly name: string
  /** What the cell said when it refused. Throws if it started. */
  readonly said: string
}

/** What is gone is had from another cell; of a log that is another one no cell knows anything. */
const rebuild = '--rebuild'
const beginAnew = 'begin the cell anew'
/** Enough for every partition to get some. */
const writes = 60

/** Truncated behind a stopped cell. The other cells and the gateway go on. */
export async function truncatedBehind(cluster: ChaosCluster, feed: Cellfeed): Promise<Refusal> {
  const [cell] = cluster.cells
  if (cell === undefined) throw new Error('a cluster has cells')
  await write(feed, 'before')
  await cell.kill()
  await write(feed, 'unseen')
  await asAdmin(cluster, async (admin) => {
    const offsets = await admin.fetchTopicOffsets(topicNames(prefix).public)
    await admin.deleteTopicRecords({
      topic: topicNames(prefix).public,
      partitions: offsets.map(({ partition, high }) => ({ partition, offset: high })),
    })
  })
  return { name: `${cell.name}: log truncated behind it`, said: await refusalOf(cell, rebuild) }
}

/** Everything is stopped, and the topic deleted and made anew, with nothing in it. */
export async function madeAnewBehind(cluster: ChaosCluster): Promise<Refusal> {
  const cell = cluster.cells.at(-1)
  if (cell === undefined) throw new Error('a cluster has cells')
  await Promise.all([cluster.gateway, ...cluster.cells].map((server) => server.kill()))
  await asAdmin(cluster, (admin) => admin.deleteTopics({ topics: [topicNames(prefix).public] }))
  await makeTopics(cluster.kafkaAt)
  return { name: `${cell.name}: topic made anew behind it`, said: await refusalOf(cell, beginAnew) }
}

/** After that, the new topic grows beyond where the cell was. */
export async function regrownBehind(cluster: ChaosCluster, feed: Cellfeed): Promise<Refusal> {
  const cell = cluster.cells.at(-1)
  if (cell === undefined) throw new Error('a cluster has cells')
  await cluster.gateway.start()
  const before = await feed.firehosePositions()
  for (let round = 0; round < 20; round += 1) await write(feed, `regrown ${round}`)
  const { partitions: grown } = await feed.firehosePositions()
  if (grown.every(({ latestOffset }, at) => latestOffset === before.partitions[at]?.latestOffset)) {
    throw new Error('the topic did not grow')
  }
  return { name: `${cell.name}: topic made anew and grown`, said: await refusalOf(cell, beginAnew) }
}

/** Follows need no cell to be accepted. */
async function write(feed: Cellfeed, name: string): Promise<void> {
  const follow = (at: number) => feed.follow(`${name} reader ${at}`, `${name} author ${at}`)
  await Promise.all(Array.from({ length: writes }, (_, at) => follow(at)))
}

async function refusalOf(cell: Server, wayOut: string): Promise<string> {
  try {
    await cell.start()
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    const line = said.trim().split('\n').at(-1) ?? ''
    if (!line.includes(wayOut)) {
      throw new Error(`${cell.name} does not say the way out: ${line}`, { cause: error })
    }
    return line
  }
  await cell.kill()
  throw new Error(`${cell.name} started on a log that is not its own`)
}

async function asAdmin(cluster: ChaosCluster, act: (admin: Admin) => Promise<void>): Promise<void> {
  const kafka = new Kafka({ brokers: [...cluster.kafkaAt], logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  try {
    await act(admin)
  } finally {
    await admin.disconnect()
  }
}
