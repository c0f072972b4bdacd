// A log of both topics, as its brokers hold it: records by partition, offsets with gaps, a start that retention moves. The true
// one is written by the gateways; others are made from it to be put before a cell that stood still: cut, regrown, made anew.

import type { Event } from '../../cells/model/event.ts'
import {
  FirehoseGap,
  type LogBatch,
  type LogBounds,
  type LogIdentity,
  type LogRecord,
} from '../../cells/ports/firehose.ts'
import { known } from './violation.ts'

type Partition = { start: number; end: number; readonly records: LogRecord[] }

export class EventLog {
  readonly identity: LogIdentity
  readonly #partitions: Partition[]
  readonly #waiting = new Set<() => void>()

  constructor(identity: LogIdentity) {
    this.identity = identity
    this.#partitions = Array.from({ length: identity.partitionsPerTopic * 2 }, () => ({
      start: 0,
      end: 0,
      records: [],
    }))
  }

  get partitions(): number {
    return this.#partitions.length
  }

  /** `skipped` offsets before the record hold nothing. */
  append(at: {
    readonly partition: number
    readonly event: Event
    readonly appendedAtMs: number
    readonly skipped: number
  }): LogRecord {
    const partition = this.#partition(at.partition)
    const record = {
      offset: partition.end + at.skipped,
      appendedAtMs: at.appendedAtMs,
      event: at.event,
    }
    partition.records.push(record)
    partition.end = record.offset + 1
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
    return record
  }

  bounds(): LogBounds {
    return {
      start: this.#partitions.map(({ start }) => start),
      end: this.#partitions.map(({ end }) => end),
    }
  }

  offsetsAt(timeMs: number): number[] {
    return this.#partitions.map(({ records, start, end }) => {
      const found = records.find(
        (record) => record.offset >= start && record.appendedAtMs >= timeMs,
      )
      return found?.offset ?? end
    })
  }

  read(partition: number, fromOffset: number, recordsMax: number): LogBatch {
    this.assertInside(partition, fromOffset)
    const { records, end } = this.#partition(partition)
    const found = records.filter(({ offset }) => offset >= fromOffset)
    const taken = found.slice(0, recordsMax)
    const last = taken.at(-1)
    const nextOffset = taken.length === found.length ? end : known(last, 'a record').offset + 1
    return { partition, records: taken, nextOffset }
  }

  assertInside(partition: number, offset: number): void {
    const { start, end } = this.#partition(partition)
    if (offset < start)
      throw new FirehoseGap(`partition ${partition}: ${offset} is before ${start}`)
    if (offset > end) throw new FirehoseGap(`partition ${partition}: ${offset} is beyond ${end}`)
  }

  /** Retention. */
  truncate(partition: number, start: number): void {
    const at = this.#partition(partition)
    at.start = Math.min(at.end, Math.max(at.start, start))
    while ((at.records[0]?.offset ?? at.start) < at.start) at.records.shift()
  }

  /** Calls once at the next append. */
  onAppend(wake: () => void): void {
    this.#waiting.add(wake)
  }

  recordsOf(partition: number): readonly LogRecord[] {
    return this.#partition(partition).records
  }

  /** The same log as far as the given end of one partition. */
  cutAt(cut: { readonly partition: number; readonly end: number }): EventLog {
    const copy = new EventLog(this.identity)
    for (const [number, from] of this.#partitions.entries()) {
      const to = copy.#partition(number)
      to.start = from.start
      to.end = number === cut.partition ? cut.end : from.end
      to.records.push(...from.records.filter(({ offset }) => offset < to.end))
    }
    return copy
  }

  /** The same records under another identity. */
  renamed(logId: string): EventLog {
    const copy = new EventLog({ ...this.identity, logId })
    for (const [number, { start, end, records }] of this.#partitions.entries()) {
      const to = copy.#partition(number)
      to.start = start
      to.end = end
      to.records.push(...records)
    }
    return copy
  }

  #partition(number: number): Partition {
    return known(this.#partitions[number], `partition ${number}`)
  }
}
