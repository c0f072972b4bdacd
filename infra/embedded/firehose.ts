// The firehose on LMDB: an environment of its own, a table for each partition (log-partition.ts), appends by group commit.
//
// An append resolves when its group is committed, which with fsync 'always' means on the disk; only then do readers see it.
// So nothing that a reader applied can be missing after a crash. Followers are woken in the process of the appender: one
// process owns the folder (data-folder.ts).

import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Position } from '../../cells/model/position.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import {
  type Appended,
  type Firehose,
  FirehoseBusy,
  type FollowOptions,
  type LogBatch,
  type LogBounds,
  type LogIdentity,
  type ProducedEvent,
} from '../../cells/ports/firehose.ts'
import { Bell } from '../in-process/bell.ts'
import { PARTITIONS_PER_TOPIC_DEFAULT, partitionOf } from '../in-process/event-partition.ts'
import { assertInside, followLog } from '../in-process/follow-log.ts'
import { encodeEvent } from '../wire/event-codec.ts'
import { Environment, type FsyncMode } from './environment.ts'
import { LogPartition, layOut } from './log-partition.ts'

export type EmbeddedFirehoseOptions = {
  readonly path: string
  readonly clock: Pick<Clock, 'nowMs'>
  readonly fsync?: FsyncMode
  /** Counts only when the log is made: then it is fixed. */
  readonly partitionsPerTopic?: number
  /** Appends beyond this many unacknowledged bytes are refused with FirehoseBusy. */
  readonly inFlightBytesMax?: number
}

export const FIREHOSE_FORMAT = 1
const IN_FLIGHT_BYTES_MAX_DEFAULT = 64 * 1024 * 1024
/** Retention removes so many records in one commit, so that appends wait little. */
const DROP_RECORDS_MAX = 2_000
const IDENTITY_KEY = Buffer.from('identity')

export class EmbeddedFirehose implements Firehose {
  readonly identity: LogIdentity
  readonly #environment: Environment
  readonly #partitions: readonly LogPartition[]
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #inFlightBytesMax: number
  readonly #bell: Bell
  #inFlightBytes = 0
  #isClosed = false

  static async open(options: EmbeddedFirehoseOptions): Promise<EmbeddedFirehose> {
    const { path, fsync = 'always' } = options
    const bell = new Bell()
    let partitions: readonly LogPartition[] = []
    const commitEnded = (isCommitted: boolean) => {
      for (const partition of partitions) partition.commitEnded(isCommitted)
      bell.ring()
    }
    const environment = await Environment.open({
      path,
      fsync,
      holds: 'firehose',
      format: FIREHOSE_FORMAT,
      commitEnded,
    })
    const identity = await settleIdentity(environment, options)
    partitions = Array.from({ length: 2 * identity.partitionsPerTopic }, (_, partition) => {
      const table = environment.table(`partition ${partition}`)
      return new LogPartition(table, environment.meta, partition)
    })
    return new EmbeddedFirehose({ options, environment, identity, partitions, bell })
  }

  private constructor(parts: {
    readonly options: EmbeddedFirehoseOptions
    readonly environment: Environment
    readonly identity: LogIdentity
    readonly partitions: readonly LogPartition[]
    readonly bell: Bell
  }) {
    this.identity = parts.identity
    this.#environment = parts.environment
    this.#partitions = parts.partitions
    this.#bell = parts.bell
    this.#clock = parts.options.clock
    this.#inFlightBytesMax = parts.options.inFlightBytesMax ?? IN_FLIGHT_BYTES_MAX_DEFAULT
  }

  async append(events: readonly ProducedEvent[]): Promise<Appended[]> {
    if (events.length === 0) return []
    const laidOut = events.map((event) => ({
      partition: partitionOf(event.fact, this.identity.partitionsPerTopic),
      record: layOut(encodeEvent(event)),
    }))
    const bytes = laidOut.reduce((sum, { record }) => sum + record.length, 0)
    this.#admit(bytes)
    try {
      return await this.#environment.commit(bytes, () =>
        laidOut.map(({ partition, record }) => {
          const appendedAtMs = this.#clock.nowMs()
          const offset = this.#partition(partition).append(record, appendedAtMs)
          return { partition, offset, appendedAtMs }
        }),
      )
    } finally {
      this.#inFlightBytes -= bytes
    }
  }

  async bounds(): Promise<LogBounds> {
    return this.#currentBounds()
  }

  async offsetsAt(timeMs: number): Promise<Position> {
    return this.#partitions.map((partition) => partition.firstAt(timeMs))
  }

  async fetch(partition: number, fromOffset: number, recordsMax: number): Promise<LogBatch> {
    assertInside(this.#currentBounds(), partition, fromOffset)
    const records = this.#partition(partition).read(fromOffset, recordsMax)
    return { partition, records, nextOffset: (records.at(-1)?.offset ?? fromOffset - 1) + 1 }
  }

  follow(from: Position, options: FollowOptions): AsyncIterable<LogBatch> {
    const log = {
      partitionsPerTopic: this.identity.partitionsPerTopic,
      bell: this.#bell,
      currentBounds: () => this.#currentBounds(),
      fetch: async (partition: number, fromOffset: number, recordsMax: number) => {
        // Decoding a batch takes milliseconds: other work gets its turn between two of them.
        await setImmediate()
        return this.fetch(partition, fromOffset, recordsMax)
      },
    }
    return followLog(log, from, options)
  }

  /**
   * Retention: drops from each partition's start what was appended before the time, up to the first record that was not,
   * in slices between which appends go on.
   */
  async dropBefore(timeMs: number): Promise<void> {
    for (const partition of this.#partitions) {
      const keptFrom = partition.firstAt(timeMs)
      while (partition.start < keptFrom) {
        const to = Math.min(partition.start + DROP_RECORDS_MAX, keptFrom)
        await this.#environment.commit(0, () => partition.dropTo(to))
      }
    }
  }

  /** Followers still reading get an error. What was accepted is committed first. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#bell.ring()
    await this.#environment.close()
  }

  /** A single append may be larger than the bound, alone. */
  #admit(bytes: number): void {
    if (this.#isClosed) throw new Error('the firehose is closed')
    if (this.#inFlightBytes > 0 && this.#inFlightBytes + bytes > this.#inFlightBytesMax) {
      throw new FirehoseBusy(`${this.#inFlightBytes} bytes wait for the disk`)
    }
    this.#inFlightBytes += bytes
  }

  #currentBounds(): LogBounds {
    if (this.#isClosed) throw new Error('the firehose is closed')
    return {
      start: this.#partitions.map(({ start }) => start),
      end: this.#partitions.map(({ end }) => end),
    }
  }

  #partition(number: number): LogPartition {
    const partition = this.#partitions[number]
    if (partition === undefined) throw new RangeError(`there is no partition ${number}`)
    return partition
  }
}

/** Reads the log's identity, or gives a new log one. */
async function settleIdentity(
  environment: Environment,
  options: EmbeddedFirehoseOptions,
): Promise<LogIdentity> {
  const { meta } = environment
  const stored = meta.get(IDENTITY_KEY)
  if (stored !== undefined) return JSON.parse(stored.toString()) as LogIdentity
  const { partitionsPerTopic = PARTITIONS_PER_TOPIC_DEFAULT } = options
  const identity: LogIdentity = { logId: randomUUID(), partitionsPerTopic }
  const value = Buffer.from(JSON.stringify(identity))
  await environment.commit(value.length, () => meta.put(IDENTITY_KEY, value))
  return identity
}
