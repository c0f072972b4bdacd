// What waits to be appended to one partition, in order, and the batch that is on its way. One batch at a time, and a batch never
// changes once it was sent: a repeated request then carries the same records under the same numbers, and the broker stores them
// once and answers with their first offset.

import type { Message } from 'kafkajs'
import type { AppendCall } from './append-call.ts'
import type { Producer } from './broker-link.ts'
import type { TopicPartition } from './log-partitions.ts'

export type WaitingRecord = {
  readonly call: AppendCall
  readonly index: number
  readonly message: Message
  readonly bytes: number
}

/** A producer id and the numbers given under it. */
export type ProducerSession = { readonly producer: Producer }

export type AppendBatch = {
  readonly lane: AppendLane
  readonly records: readonly WaitingRecord[]
  readonly bytes: number
  /** Undefined until it is sent for the first time under some producer id. */
  numbered: { readonly session: ProducerSession; readonly firstSequence: number } | undefined
  /** Sent in a request of its own, to learn which one of several a broker refuses. */
  isAlone: boolean
  isFlying: boolean
}

const SEQUENCES = 2 ** 31

export class AppendLane {
  readonly at: TopicPartition
  batch: AppendBatch | undefined
  #waiting: WaitingRecord[] = []
  #waitingBytes = 0
  #session: ProducerSession | undefined
  #nextSequence = 0

  constructor(at: TopicPartition) {
    this.at = at
  }

  get waitingBytes(): number {
    return this.#waitingBytes
  }

  get waitingRecords(): number {
    return this.#waiting.length
  }

  get isEmpty(): boolean {
    return this.batch === undefined && this.#waiting.length === 0
  }

  push(record: WaitingRecord): void {
    this.#waiting.push(record)
    this.#waitingBytes += record.bytes
  }

  /** Makes the next batch of what waits, within the bounds; a single record may be larger, alone. */
  form(bounds: {
    readonly bytesMax: number
    readonly recordsMax: number
  }): AppendBatch | undefined {
    let count = 0
    let bytes = 0
    for (const record of this.#waiting) {
      if (count > 0 && bytes + record.bytes > bounds.bytesMax) break
      if (count === bounds.recordsMax) break
      bytes += record.bytes
      count++
    }
    if (count === 0) return undefined
    const records = this.#waiting.splice(0, count)
    this.#waitingBytes -= bytes
    this.batch = {
      lane: this,
      records,
      bytes,
      numbered: undefined,
      isAlone: false,
      isFlying: false,
    }
    return this.batch
  }

  /** Gives the batch its numbers, once for each producer id it is sent under. */
  number(batch: AppendBatch, current: ProducerSession): ProducerSession {
    if (batch.numbered !== undefined) return batch.numbered.session
    if (this.#session !== current) {
      this.#session = current
      this.#nextSequence = 0
    }
    batch.numbered = { session: current, firstSequence: this.#nextSequence }
    this.#nextSequence = (this.#nextSequence + batch.records.length) % SEQUENCES
    return current
  }

  /** Removes and returns what waits and is no longer wanted. */
  drop(isUnwanted: (record: WaitingRecord) => boolean): WaitingRecord[] {
    const dropped = this.#waiting.filter(isUnwanted)
    if (dropped.length === 0) return dropped
    this.#waiting = this.#waiting.filter((record) => !isUnwanted(record))
    for (const { bytes } of dropped) this.#waitingBytes -= bytes
    return dropped
  }
}
