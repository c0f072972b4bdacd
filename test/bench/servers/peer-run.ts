// How the peers are measured: the load's posts from the public topic, read by a kafkajs consumer with large fetches, are handed
// to the peer in batches, with the followers of each author; what it wrote in the given time is its figure.

import { Kafka, logLevel } from 'kafkajs'
import { Event as WireEvent } from '../../../gen/cellfeed/internal/v1/event.ts'
import { CpuMeter, pidListeningOn } from '../cpu-meter.ts'
import type { BenchFlags } from './engines.ts'
import type { FollowGraph } from './follow-graph.ts'
import { PostLoad } from './post-load.ts'

export type PeerPost = {
  readonly author: number
  readonly postId: bigint
  readonly body: Buffer
  readonly followers: Uint32Array
}
/** Resolves when the posts and a delivery to each of their followers are written. */
export type Peer = (posts: readonly PeerPost[]) => Promise<void>
export type PeerFigures = {
  readonly postsPerSecond: number
  readonly deliveriesPerSecond: number
  readonly cpu: string
}

const PARTITIONS = 8
const WARM_UP_SECONDS = 10
const AHEAD_MAX = 20_000
/** What a peer writes at once: 20,000 deliveries in two batches. */
const POSTS_A_BATCH = 50
const BATCHES_AT_ONCE = 2

export async function runPeer(
  flags: BenchFlags,
  graph: FollowGraph & { readonly users: number },
  peer: Peer,
): Promise<PeerFigures> {
  const { engines, prefix, seconds } = flags
  const kafka = new Kafka({ brokers: [engines.kafka], clientId: 'peer', logLevel: logLevel.ERROR })
  const topic = `${prefix}.peer`
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }], waitForLeaders: true })
  const load = new PostLoad({
    kafka: engines.kafka,
    topic,
    users: graph.users,
    aheadMax: AHEAD_MAX,
  })
  const count = { posts: 0, deliveries: 0 }
  const consumer = kafka.consumer({ groupId: `${prefix}-peer`, maxBytesPerPartition: 4 << 20 })
  try {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    let failure: unknown
    await consumer.run({
      partitionsConsumedConcurrently: BATCHES_AT_ONCE,
      eachBatch: async ({ batch, ...consuming }) => {
        for (let at = 0; at < batch.messages.length && consuming.isRunning(); at += POSTS_A_BATCH) {
          const values = batch.messages.slice(at, at + POSTS_A_BATCH).map(({ value }) => value)
          const posts = values.map((value) => postOf(value, graph))
          await peer(posts).catch((error: unknown) => {
            failure ??= error
          })
          count.posts += posts.length
          for (const { followers } of posts) count.deliveries += followers.length
          load.applied(count.posts)
        }
      },
    })
    await passes(WARM_UP_SECONDS)
    const meter = new CpuMeter({
      node: process.pid,
      load: load.pid,
      kafka: pidListeningOn(portOf(engines.kafka)),
      cassandra: pidListeningOn(portOf(engines.cassandra)),
      redis: pidListeningOn(engines.redis.port),
    })
    const from = { ...count }
    const fromMs = performance.now()
    await passes(seconds)
    const took = (performance.now() - fromMs) / 1_000
    if (failure !== undefined) throw new Error('the peer could not write', { cause: failure })
    return {
      postsPerSecond: (count.posts - from.posts) / took,
      deliveriesPerSecond: (count.deliveries - from.deliveries) / took,
      cpu: `${meter.toString()}; a post: ${meter.each(count.posts - from.posts)}`,
    }
  } finally {
    await load.end()
    await consumer.disconnect()
    await admin.deleteTopics({ topics: [topic] })
    await admin.disconnect()
  }
}

export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}

/** For the table. */
export function peerText({ postsPerSecond, deliveriesPerSecond, cpu }: PeerFigures): string {
  const posts = Math.round(postsPerSecond).toLocaleString('en')
  return `${posts} posts/s, ${Math.round(deliveriesPerSecond / 1_000)},000 deliveries/s (${cpu})`
}

/** Only what a peer needs: its author by number, and the bytes as they are. */
function postOf(value: Buffer | null, graph: FollowGraph): PeerPost {
  const body = value ?? Buffer.alloc(0)
  const { kind } = WireEvent.decode(body)
  if (kind?.$case !== 'postCreated') throw new Error('the load sends posts only')
  const author = Number(kind.value.authorId.slice('user-'.length))
  return { author, postId: kind.value.postId, body, followers: graph.followersOf(author) }
}

function passes(seconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, seconds * 1_000)
  })
}
