// A firehose in memory: durable as long as the process. Events are kept as they were given, so they must not be changed
// afterwards. Without timers or randomness of its own: two runs with the same calls are the same.

import assert from 'node:assert/strict'
import type { Position } from '../../cells/model/position.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type {
  Appended,
  Firehose,
  FollowOptions,
  LogBatch,
  LogBounds,
  LogIdentity,
  LogRecord,
  ProducedEvent,
} from '../../cells/ports/firehose.ts'
import { Bell } from '../in-process/bell.ts'
import { PARTITIONS_PER_TOPIC_DEFAULT, partitionOf } from '../in-process/event-partition.ts'
import { assertInside, followLog } from '../in-process/follow-log.ts'

export type MemoryFirehoseOptions = {
  readonly clock: Pick<Clock, 'nowMs'>
  readonly logId: string
  readonly partitionsPerTopic?: number
}

/** Records of one partition; the first one's offset is `start`. */
type MemoryPartition = { start: number; records: LogRecord[] }

export class MemoryFirehose implements Firehose {
  readonly identity: LogIdentity
  readonly bell = new Bell()
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #partitions: MemoryPartition[]

  constructor({
    clock,
    logId,
    partitionsPerTopic = PARTITIONS_PER_TOPIC_DEFAULT,
  }: MemoryFirehoseOptions) {
    this.identity = { logId, partitionsPerTopic }
    this.#clock = clock
    this.#partitions = Array.from({ length: 2 * partitionsPerTopic }, () => ({
      start: 0,
      records: [],
    }))
  }

  get partitionsPerTopic(): number {
    return this.identity.partitionsPerTopic
  }

  async append(events: readonly ProducedEvent[]): Promise<Appended[]> {
    const appended = events.map((event) => this.#appendOne(event))
    this.bell.ring()
    return appended
  }

  async bounds(): Promise<LogBounds> {
    return this.currentBounds()
  }

  currentBounds(): LogBounds {
    return {
      start: this.#partitions.map(({ start }) => start),
      end: this.#partitions.map(endOf),
    }
  }

  async offsetsAt(timeMs: number): Promise<Position> {
    return this.#partitions.map((partition) => {
      const at = partition.records.findIndex((record) => record.appendedAtMs >= timeMs)
      return at === -1 ? endOf(partition) : partition.start + at
    })
  }

  async fetch(partition: number, fromOffset: number, recordsMax: number): Promise<LogBatch> {
    assertInside(this.currentBounds(), partition, fromOffset)
    const { start, records } = this.#partition(partition)
    const from = fromOffset - start
    const found = records.slice(from, from + recordsMax)
    return { partition, records: found, nextOffset: fromOffset + found.length }
  }

  follow(from: Position, options: FollowOptions): AsyncIterable<LogBatch> {
    return followLog(this, from, options)
  }

  /** Retention: drops from each partition's start what was appended before the time, up to the first that was not. */
  async dropBefore(timeMs: number): Promise<void> {
    for (const partition of this.#partitions) {
      const young = partition.records.findIndex((record) => record.appendedAtMs >= timeMs)
      const dropped = partition.records.splice(0, young === -1 ? Infinity : young)
      partition.start += dropped.length
    }
    this.bell.ring()
  }

  #appendOne(event: ProducedEvent): Appended {
    const number = partitionOf(event.fact, this.partitionsPerTopic)
    const partition = this.#partition(number)
    const record = { offset: endOf(partition), appendedAtMs: this.#clock.nowMs(), event }
    partition.records.push(record)
    return { partition: number, offset: record.offset, appendedAtMs: record.appendedAtMs }
  }

  #partition(number: number): MemoryPartition {
    const partition = this.#partitions[number]
    assert(partition !== undefined, `partition ${number} of ${this.#partitions.length}`)
    return partition
  }
}

function endOf({ start, records }: MemoryPartition): number {
  return start + records.length
}
