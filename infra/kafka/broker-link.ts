// A connection to the brokers that hold some topics: the six requests this adapter is made of. One request, one answer or one
// BrokerError: nothing is repeated here, and nothing waits longer than its time, whatever the client below does.
//
//   describe      the cluster's id and how many partitions each topic has
//   leaderOf      who serves a partition, as of the last describe
//   newProducer   a producer id, for idempotent appends
//   produce       appends batches, acknowledged by all replicas in sync
//   fetch         reads partitions of one leader from exact offsets
//   offsets       start, end, or first offset at a time, of partitions

import type { Broker, BrokerMetadata, Cluster, Message } from 'kafkajs'
import { BrokerError, brokerError } from './broker-error.ts'
import type { KafkaLog } from './kafka-log.ts'
import type { KafkaOptions } from './kafka-options.ts'
import { type ClientTimeouts, kafkajsCluster } from './kafkajs-client.ts'
import type { TopicPartition } from './log-partitions.ts'

export type Producer = { readonly producerId: number; readonly epoch: number }

export type ProduceBatch = TopicPartition & {
  readonly firstSequence: number
  readonly messages: readonly Message[]
}
export type Produced = TopicPartition & { readonly offset: number; readonly appendedAtMs: number }

export type FetchPlace = TopicPartition & { readonly offset: number }
export type FetchSize = {
  readonly waitMs: number
  readonly bytesMax: number
  readonly partitionBytesMax: number
}
/** A record as the client decodes it; offsets and times are digits. */
export type RawRecord = {
  readonly offset: string
  readonly timestamp: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly isControlRecord?: boolean
}
export type Fetched = TopicPartition & {
  /** From the requested offset on. */
  readonly records: readonly RawRecord[]
  readonly nextOffset: number
  /** Up to which the log may be read now. */
  readonly end: number
}

export type ClusterDescription = {
  readonly clusterId: string
  readonly partitionsOf: ReadonlyMap<string, number>
}

/** Which offset of a partition: the oldest kept, the next to be written, or the first appended at or after a time. */
export type OffsetAt = 'start' | 'end' | { readonly timeMs: number }

export class BrokerLink {
  readonly #cluster: Cluster
  readonly #cut: () => void
  readonly #topics: readonly string[]
  readonly #timeouts: ClientTimeouts
  readonly #leaders = new Map<string, number>()
  #isClosed = false

  /** Connects and describes. `topics` that do not exist are an error of kind `unknown-topic`. */
  static async open(options: {
    readonly kafka: KafkaOptions
    readonly topics: readonly string[]
    readonly timeouts: ClientTimeouts
    readonly log: KafkaLog
  }): Promise<{ readonly link: BrokerLink; readonly description: ClusterDescription }> {
    const { kafka, topics, timeouts, log } = options
    const { cluster, cut } = kafkajsCluster(kafka, timeouts, log)
    const link = new BrokerLink(cluster, cut, topics, timeouts)
    try {
      await link.#connect(kafka.brokers.length)
      await link.#within('asking for the topics', () =>
        cluster.addMultipleTargetTopics([...topics]),
      )
      return { link, description: await link.describe() }
    } catch (error) {
      await link.close()
      throw error
    }
  }

  private constructor(
    cluster: Cluster,
    cut: () => void,
    topics: readonly string[],
    timeouts: ClientTimeouts,
  ) {
    this.#cluster = cluster
    this.#cut = cut
    this.#topics = topics
    this.#timeouts = timeouts
  }

  async describe(): Promise<ClusterDescription> {
    return this.#within('describing the topics', async () => {
      await this.#cluster.refreshMetadata()
      const answer = await this.#anyBroker(
        async (broker) =>
          (await broker.metadata([...this.#topics])) as BrokerMetadata & RawMetadata,
      )
      const partitionsOf = new Map<string, number>()
      this.#leaders.clear()
      for (const { topic, partitionMetadata } of answer.topicMetadata) {
        partitionsOf.set(topic, partitionMetadata.length)
        for (const { partitionId, leader } of partitionMetadata) {
          if (leader >= 0) this.#leaders.set(`${topic} ${partitionId}`, leader)
        }
      }
      return { clusterId: answer.clusterId, partitionsOf }
    })
  }

  leaderOf({ topic, partition }: TopicPartition): number {
    const leader = this.#leaders.get(`${topic} ${partition}`)
    if (leader === undefined) {
      throw new BrokerError('unreachable', `${topic}-${partition} has no leader at the moment`)
    }
    return leader
  }

  async newProducer(): Promise<Producer> {
    return this.#within('asking for a producer id', async () => {
      const transactionTimeout = this.#timeouts.requestMs
      const answer = await this.#anyBroker((broker) =>
        (broker as BrokerWithProducerIds).initProducerId({ transactionTimeout }),
      )
      return { producerId: Number(answer.producerId), epoch: answer.producerEpoch }
    })
  }

  /** All batches are of partitions that this leader serves. `onSent` is called when they may have left this process. */
  async produce(
    leader: number,
    { producerId, epoch }: Producer,
    batches: readonly ProduceBatch[],
    onSent: () => void,
  ): Promise<Produced[]> {
    return this.#within('appending', async () => {
      const broker = await this.#broker(leader)
      onSent()
      const answer = (await broker.produce({
        producerId,
        producerEpoch: epoch,
        acks: -1,
        timeout: this.#timeouts.requestMs,
        topicData: [...byTopic(batches)].map(([topic, ofTopic]) => ({
          topic,
          partitions: ofTopic.map(({ partition, firstSequence, messages }) => ({
            partition,
            firstSequence,
            messages: [...messages],
          })),
        })),
      })) as RawProduced
      return answer.topics.flatMap(({ topicName, partitions }) =>
        partitions.map(({ partition, baseOffset, logAppendTime }) => ({
          topic: topicName,
          partition,
          offset: Number(baseOffset),
          appendedAtMs: Number(logAppendTime),
        })),
      )
    })
  }

  /** Waits at most `waitMs` for a first record. All places are of partitions that this leader serves. */
  async fetch(leader: number, places: readonly FetchPlace[], size: FetchSize): Promise<Fetched[]> {
    return this.#within(
      'reading',
      async () => {
        const broker = await this.#broker(leader)
        const answer = (await broker.fetch({
          isolationLevel: READ_UNCOMMITTED,
          minBytes: 1,
          maxWaitTime: size.waitMs,
          maxBytes: size.bytesMax,
          topics: [...byTopic(places)].map(([topic, ofTopic]) => ({
            topic,
            partitions: ofTopic.map(({ partition, offset }) => ({
              partition,
              fetchOffset: String(offset),
              maxBytes: size.partitionBytesMax,
            })),
          })),
        })) as RawFetched
        const offsets = new Map(
          places.map(({ topic, partition, offset }) => [`${topic} ${partition}`, offset]),
        )
        return answer.responses.flatMap(({ topicName: topic, partitions }) =>
          partitions.map(({ partition, messages, highWatermark }) => {
            const from = offsets.get(`${topic} ${partition}`) ?? 0
            const records = startingAt(messages, from)
            const last = records.at(-1)
            const nextOffset = last === undefined ? from : Number(last.offset) + 1
            return { topic, partition, records, nextOffset, end: Number(highWatermark) }
          }),
        )
      },
      size.waitMs,
    )
  }

  /** In the order asked. */
  async offsets(partitions: readonly TopicPartition[], at: OffsetAt): Promise<number[]> {
    return this.#within('asking for offsets', async () => {
      const fromTimestamp = at === 'start' ? -2 : at === 'end' ? -1 : at.timeMs
      const answer = await this.#cluster.fetchTopicsOffset(
        [...byTopic(partitions)].map(([topic, ofTopic]) => ({
          topic,
          partitions: ofTopic.map(({ partition }) => ({ partition })),
          fromTimestamp,
        })),
      )
      const found = new Map(
        answer.flatMap(({ topic, partitions: ofTopic }) =>
          ofTopic.map(({ partition, offset }) => [`${topic} ${partition}`, Number(offset)]),
        ),
      )
      return partitions.map(({ topic, partition }) => {
        const offset = found.get(`${topic} ${partition}`)
        if (offset !== undefined) return offset
        throw new BrokerError('unreachable', `no offset of ${topic}-${partition} in the answer`)
      })
    })
  }

  /** Requests under way fail as unreachable. Never throws. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cut()
    await this.#within('closing', () => this.#cluster.disconnect()).catch(() => undefined)
  }

  /** kafkajs takes the next broker of its list each time; one that answers is enough. */
  async #connect(brokers: number): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#within('connecting', () => this.#cluster.connect())
        return
      } catch (error) {
        if (attempt >= brokers) throw error
      }
    }
  }

  /** The brokers that Kafka names may include some that went away a moment ago. */
  async #anyBroker<T>(work: (broker: Broker) => Promise<T>): Promise<T> {
    let failure: unknown = new BrokerError('unreachable', 'Kafka names no brokers')
    for (const node of this.#cluster.getNodeIds()) {
      try {
        return await work(await this.#broker(node))
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  async #broker(node: number): Promise<Broker> {
    if (this.#isClosed) throw new BrokerError('unreachable', 'this connection was closed')
    return this.#cluster.findBroker({ nodeId: String(node) })
  }

  /** The client has its own timeouts; this one holds also where it forgets to look at them. */
  async #within<T>(during: string, work: () => Promise<T>, extraMs = 0): Promise<T> {
    const limitMs = this.#timeouts.connectMs + this.#timeouts.requestMs + extraMs
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      const message = `no answer within ${limitMs} ms`
      timer = setTimeout(() => reject(new BrokerError('unreachable', message)), limitMs)
    })
    try {
      return await Promise.race([work(), late])
    } catch (error) {
      throw brokerError(error, during)
    } finally {
      clearTimeout(timer)
    }
  }
}

// kafkajs declares these answers as `any` or in part, and initProducerId not at all.
type RawMetadata = { readonly clusterId: string }
type BrokerWithProducerIds = Broker & {
  initProducerId(request: { readonly transactionTimeout: number }): Promise<{
    readonly producerId: string
    readonly producerEpoch: number
  }>
}
type RawProduced = {
  readonly topics: readonly {
    readonly topicName: string
    readonly partitions: readonly {
      readonly partition: number
      readonly baseOffset: string
      readonly logAppendTime: string
    }[]
  }[]
}
type RawFetched = {
  readonly responses: readonly {
    readonly topicName: string
    readonly partitions: readonly {
      readonly partition: number
      readonly highWatermark: string
      readonly messages: readonly RawRecord[]
    }[]
  }[]
}

const READ_UNCOMMITTED = 0

function byTopic<T extends TopicPartition>(items: readonly T[]): Map<string, T[]> {
  const topics = new Map<string, T[]>()
  for (const item of items) {
    const ofTopic = topics.get(item.topic)
    if (ofTopic === undefined) topics.set(item.topic, [item])
    else ofTopic.push(item)
  }
  return topics
}

/** Brokers answer with whole batches, so the first may begin before the offset asked for. */
function startingAt(records: readonly RawRecord[], from: number): readonly RawRecord[] {
  const first = records[0]
  if (first === undefined || Number(first.offset) >= from) return records
  const start = records.findIndex(({ offset }) => Number(offset) >= from)
  return start === -1 ? [] : records.slice(start)
}
