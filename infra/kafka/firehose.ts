// The firehose on Kafka: two topics of the same number of partitions, appends by an idempotent producer of this adapter's own
// (appender.ts), followers that read from exact offsets (follower.ts), and a connection for everything else (log-reader.ts).
// Consumer groups are not used: a position belongs to who reads, and Kafka moves nothing on anybody's behalf.

import { setImmediate } from 'node:timers/promises'
import type { Position } from '../../cells/model/position.ts'
import type {
  Appended,
  Firehose,
  FollowOptions,
  LogBatch,
  LogBounds,
  ProducedEvent,
} from '../../cells/ports/firehose.ts'
import { encodeEvent } from '../wire/event-codec.ts'
import { Appender } from './appender.ts'
import { Backoff } from './backoff.ts'
import { Background } from './background.ts'
import { BrokerError } from './broker-error.ts'
import { type DeadLetterCounts, DeadLetters } from './dead-letters.ts'
import { Follower, type FollowLink } from './follower.ts'
import { KAFKA_LIMITS, type KafkaLimits } from './kafka-limits.ts'
import { type KafkaLog, silentLog } from './kafka-log.ts'
import { type KafkaOptions, topicNames } from './kafka-options.ts'
import { type LogAccess, openDeadLetters, openLog } from './log-access.ts'
import type { KafkaLogIdentity } from './log-identity.ts'
import { LogPartitions } from './log-partitions.ts'
import { LogReader } from './log-reader.ts'
import { decodeBatch } from './raw-records.ts'

export type KafkaFirehoseOptions = KafkaOptions & {
  readonly identity: KafkaLogIdentity
  readonly log?: KafkaLog
  readonly limits?: Partial<KafkaLimits>
}

/** As a process counts them since it began. */
export type KafkaFirehoseCounts = {
  readonly bytesInFlight: number
  readonly deadLetters: DeadLetterCounts
  /** Unix ms of Kafka's last answer, of each follower that runs. */
  readonly followersAnsweredAtMs: readonly number[]
}

/** A read of so many records asks for so many bytes at least, and at most. */
const FETCH_BYTES_A_RECORD = 1_500
const FETCH_BYTES_MIN = 64 * 1024
const FETCH_BYTES_MAX = 4 * 1024 * 1024
/** Decoding so many keeps the event loop some 2 ms. */
const DECODE_RECORDS = 1_000

export class KafkaFirehose implements Firehose {
  readonly identity: KafkaLogIdentity
  readonly #access: LogAccess
  readonly #partitions: LogPartitions
  readonly #reader: LogReader
  readonly #appender: Appender
  readonly #deadLetterAppender: Appender
  readonly #deadLetters: DeadLetters
  readonly #followers = new Set<Follower>()
  readonly #closing = new Background()
  #isClosed = false

  /** Waits for Kafka to answer, and throws FirehoseMismatch when it holds another log than this one. */
  static async open(options: KafkaFirehoseOptions): Promise<KafkaFirehose> {
    const { identity, log = silentLog, limits, ...kafka } = options
    const access = { kafka, identity, log, limits: { ...KAFKA_LIMITS, ...limits } }
    await reach(access)
    return new KafkaFirehose(access)
  }

  private constructor(access: LogAccess) {
    const { kafka, identity, limits, log } = access
    this.identity = identity
    this.#access = access
    this.#partitions = new LogPartitions(kafka.prefix, identity.partitionsPerTopic)
    this.#reader = new LogReader(access, this.#partitions)
    const open = () => openLog(access)
    this.#appender = new Appender({ open, lanes: this.#partitions.all, limits, log })
    this.#deadLetterAppender = new Appender({
      open: () => openDeadLetters(access),
      lanes: [{ topic: topicNames(kafka.prefix).deadLetter, partition: 0 }],
      limits,
      log,
    })
    this.#deadLetters = new DeadLetters(this.#deadLetterAppender, limits.deadLettersMax, log)
  }

  get counts(): KafkaFirehoseCounts {
    return {
      bytesInFlight: this.#appender.bytesInFlight,
      deadLetters: this.#deadLetters.counts,
      followersAnsweredAtMs: [...this.#followers].map(({ answeredAtMs }) => answeredAtMs),
    }
  }

  async append(events: readonly ProducedEvent[]): Promise<Appended[]> {
    return this.#appender.append(
      events.map((event) => {
        const { number, key } = this.#partitions.place(event.fact)
        return { lane: number, message: { key, value: uncopied(encodeEvent(event)) } }
      }),
    )
  }

  async bounds(): Promise<LogBounds> {
    return this.#reader.bounds()
  }

  async offsetsAt(timeMs: number): Promise<Position> {
    return this.#reader.offsetsAt(timeMs)
  }

  async fetch(partition: number, fromOffset: number, recordsMax: number): Promise<LogBatch> {
    const wanted = recordsMax * FETCH_BYTES_A_RECORD
    const bytes = Math.min(FETCH_BYTES_MAX, Math.max(FETCH_BYTES_MIN, wanted))
    const size = { bytesMax: bytes, partitionBytesMax: bytes }
    const fetched = await this.#reader.fetch(partition, fromOffset, size)
    const raw = fetched.records.slice(0, recordsMax)
    const records = []
    let nextOffset = fromOffset
    for (let from = 0; from < raw.length; from += DECODE_RECORDS) {
      if (from > 0) await setImmediate()
      const slice = raw.slice(from, from + DECODE_RECORDS)
      const place = { partitions: this.#partitions, number: partition, offset: nextOffset }
      const batch = decodeBatch(slice, place)
      records.push(...batch.records)
      nextOffset = batch.nextOffset
    }
    return { partition, records, nextOffset }
  }

  async *follow(from: Position, options: FollowOptions): AsyncGenerator<LogBatch> {
    if (this.#isClosed) throw closed()
    const parts = {
      limits: this.#access.limits,
      log: this.#access.log,
      partitions: this.#partitions,
      open: () => openLog(this.#access),
      reader: this.#reader,
      deadLetters: this.#deadLetters,
      closeLater: (link: FollowLink) => this.#closing.add(() => link.close()),
    }
    const follower = new Follower(parts, from, options)
    this.#followers.add(follower)
    try {
      yield* follower.batches()
    } finally {
      this.#followers.delete(follower)
    }
  }

  /** What was accepted is confirmed first. Followers still reading get an error. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const follower of this.#followers) follower.end(closed())
    await Promise.all([this.#appender.close(), this.#deadLetterAppender.close()])
    await this.#reader.close()
    await this.#closing.ended()
  }
}

function uncopied({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length)
}

function closed(): Error {
  return new Error('the firehose is closed')
}

/** Once Kafka answers, that it holds the log is checked by opening it. */
async function reach(access: LogAccess): Promise<void> {
  const { limits, log } = access
  const deadlineMs = performance.now() + limits.openMs
  const backoff = new Backoff(limits)
  for (;;) {
    try {
      const link = await openLog(access)
      await link.close()
      return
    } catch (error) {
      if (error instanceof BrokerError && error.kind === 'unknown-topic') {
        const { public: one, private: other } = topicNames(access.kafka.prefix)
        const advice = `topics ${one} and ${other} are not both there: run \`cellfeed init\``
        throw new Error(advice, { cause: error })
      }
      const mayPass = error instanceof BrokerError && error.kind === 'unreachable'
      if (!mayPass || performance.now() >= deadlineMs) throw error
      log.warn('waiting for Kafka', { error: error.message })
      await backoff.wait()
    }
  }
}
