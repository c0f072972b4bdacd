// A cell's parts on the real engines, under names of the bench's own, and what is there before a bench begins: readers with
// their follows, and a window. They are not sent as 20 M events: the reader rows, names and window blocks are written by the
// cell's own checkpoint, and what is measured loads them as after any restart.

import { Kafka, logLevel } from 'kafkajs'
import { Client } from 'cassandra-driver'
import type { CellPorts } from '../../../cells/activities/cell.ts'
import { CELL_LIMITS } from '../../../cells/model/cell-limits.ts'
import { firstPlacement, SLOTS_DEFAULT } from '../../../cells/model/placement.ts'
import { encodeReach } from '../../../cells/model/rows.ts'
import type { Firehose } from '../../../cells/ports/firehose.ts'
import { cellKeyspace, controlKeyspace } from '../../../infra/cassandra/cassandra-options.ts'
import { CassandraCellStore } from '../../../infra/cassandra/cell-store.ts'
import { createSchema } from '../../../infra/cassandra/schema.ts'
import { KafkaFirehose } from '../../../infra/kafka/firehose.ts'
import { silentLog } from '../../../infra/kafka/kafka-log.ts'
import { KAFKA_LIMITS } from '../../../infra/kafka/kafka-limits.ts'
import { topicNames } from '../../../infra/kafka/kafka-options.ts'
import type { KafkaLogIdentity } from '../../../infra/kafka/log-identity.ts'
import { planTopics, TopicAdmin } from '../../../infra/kafka/topics.ts'
import { RedisBodyCache } from '../../../infra/redis/body-cache.ts'
import { MemoryPlacements } from '../../../infra/memory/placements.ts'
import { monotonicMs, systemClock } from '../../../infra/system/clock.ts'
import { addReader, BENCH_CELL, benchCell, fillWindow } from '../bench-cell.ts'
import { drawFrom, uniform } from '../draw.ts'
import type { BenchFlags } from './engines.ts'
import { FOLLOWS, followGraph } from './follow-graph.ts'

export const PARTITIONS_PER_TOPIC = 8
/** Dropping a keyspace that is still being written to disk takes its time. */
const DROP_MS = 120_000

export type CellOnServers = {
  readonly ports: CellPorts & {
    readonly firehose: Firehose
    readonly store: CassandraCellStore
    readonly cache: RedisBodyCache
  }
  close(): Promise<void>
}

const kafkaOptions = ({ engines, prefix }: BenchFlags) => ({
  brokers: [engines.kafka],
  clientId: prefix,
  prefix,
  tls: undefined,
  sasl: undefined,
})
export const cassandraOptions = ({ engines, prefix }: BenchFlags) => ({
  contactPoints: [engines.cassandra],
  localDataCenter: engines.dataCenter,
  prefix,
  credentials: undefined,
  tls: undefined,
})

/** Topics and keyspaces of a cell, as `cellfeed init` makes them; answers the log's identity. */
export async function makeNames(flags: BenchFlags): Promise<KafkaLogIdentity> {
  const timeouts = { connectMs: KAFKA_LIMITS.connectMs, requestMs: KAFKA_LIMITS.requestMs }
  const admin = await TopicAdmin.open({ ...kafkaOptions(flags), log: silentLog, timeouts })
  const plan = { prefix: flags.prefix, partitionsPerTopic: PARTITIONS_PER_TOPIC, replication: 1 }
  await admin.createMissing(planTopics(plan))
  const kafkaClusterId = await admin.clusterId()
  await admin.close()
  const cells = [BENCH_CELL]
  const replication = { [flags.engines.dataCenter]: 1 }
  await createSchema({ ...cassandraOptions(flags), cells, replication })
  return { logId: flags.prefix, partitionsPerTopic: PARTITIONS_PER_TOPIC, kafkaClusterId }
}

export async function dropNames(flags: BenchFlags, cell = BENCH_CELL): Promise<void> {
  const kafka = new Kafka({ brokers: [flags.engines.kafka], logLevel: logLevel.ERROR })
  const admin = kafka.admin()
  await admin.connect()
  await admin.deleteTopics({ topics: Object.values(topicNames(flags.prefix)) })
  await admin.disconnect()
  const { contactPoints, localDataCenter } = cassandraOptions(flags)
  const socketOptions = { readTimeout: DROP_MS }
  const client = new Client({ contactPoints, localDataCenter, socketOptions })
  for (const keyspace of [controlKeyspace(flags.prefix), cellKeyspace(flags.prefix, cell)]) {
    await client.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`)
  }
  await client.shutdown()
}

export async function openParts(
  flags: BenchFlags,
  identity: KafkaLogIdentity,
  cell = BENCH_CELL,
): Promise<CellOnServers> {
  const firehose = await KafkaFirehose.open({ ...kafkaOptions(flags), identity })
  const store = await CassandraCellStore.open({ ...cassandraOptions(flags), cell })
  const cache = await RedisBodyCache.open({
    ...flags.engines.redis,
    database: 0,
    username: undefined,
    password: undefined,
    tls: undefined,
    prefix: flags.prefix,
    cell,
  })
  const close = async () => {
    await Promise.all([firehose.close(), store.close(), cache.close()])
  }
  const moving = new MemoryPlacements(firstPlacement([cell], SLOTS_DEFAULT))
  return { ports: { firehose, store, cache, clock: systemClock, monotonicMs, moving }, close }
}

export type Seed = {
  readonly users: number
  readonly readers: number
  /** Posts of the window, of users drawn alike, spread over `spanMs` up to the benches' newest moment; without bodies. */
  readonly windowPosts: number
  readonly spanMs: number
}

/** As if a cell had run, taken a checkpoint and stopped. */
export async function seedCell({ ports }: CellOnServers, seed: Seed): Promise<void> {
  const { store, firehose } = ports
  const { users, readers, windowPosts, spanMs } = seed
  const limits = { windowPostsMax: Math.max(CELL_LIMITS.windowPostsMax, 2 * windowPosts) }
  const cell = await benchCell({ users, limits, store, firehose })
  const draw = drawFrom(7)
  fillWindow(cell, windowPosts, () => uniform(draw, users), spanMs)
  cell.parts.book.startAt(cell.state.window.head)
  const graph = followGraph(users, readers, FOLLOWS)
  for (let number = 1; number <= readers; number++) {
    cell.state.dirtyReaders.add(addReader(cell, number, graph.followsOf(number)))
  }
  await cell.parts.checkpointer.take()
  const bytes = encodeReach({ floor: 0, position: cell.state.position })
  const version = { boot: 1, count: 1 }
  const slots = [...cell.state.slots.values()]
  await store.readers.putReach(slots.map(({ slot, term }) => ({ slot, term, version, bytes })))
}
