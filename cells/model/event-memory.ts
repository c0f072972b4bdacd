// Which events were seen, so that a record that a producer repeats, however late, is applied once.
//
// M, the running maximum of append time, is kept for each partition and grows with every record. A record is accepted only if
// its id's time t is within D of M (M includes the record itself) and its id was not accepted before. Ids of a partition only
// ever repeat in that partition, because the key decides both.
//
//        forgotten       remembered: t in [M-D, M+D]
//     ------------------|-------------M-------------|------> time of ids
//                      M-D                         M+D
//
// Forgetting cannot be seen: a repeat of an id with t < M-D is refused whether it is known or not. So the answers are those
// of a memory that never forgets.
//
// A checkpoint need not hold ids. An id still remembered at M was accepted at a record whose own M_i was >= t-D >= M-2D, and
// M_i never falls: reading again from the first record with M_i >= M-2D meets all of them. Samples (offset, M before it) name a
// place at or before that record, early by at most 2D/128 of append time. The maximum starts from nothing there, so until it
// passes the M from before the place (< M-2D) records are judged by a smaller one; that can only concern ids with t < M-D.
// Answers for what is read again therefore mean nothing; those after the position are as if there had been no crash.
//
// Cost: 11-21 bytes an id for 2D at most; whole buckets of D/8 are dropped. At most 131 samples a partition.

import assert from 'node:assert/strict'
import { IdSet } from './id-set.ts'
import { msOfHalves } from './post-id.ts'

/** 'unknown': it may repeat one whose id was not read again, because the log has dropped it. */
export type Admission = 'accepted' | 'repeated' | 'refused' | 'unknown'

export type SeenRecord = {
  readonly partition: number
  readonly offset: number
  /** Unix ms by the log's leader; may step back between records. */
  readonly appendedAtMs: number
  /** The event's id in halves. The id 0 (a record that has none) is always refused; its append time counts. */
  readonly idHi: number
  readonly idLo: number
}

/** What a checkpoint keeps of one partition; taken in one go with the position it belongs to. */
export type PartitionMemory = {
  /** One more than the newest offset admitted; 0 when there was none. */
  readonly nextOffset: number
  readonly runningMaxMs: number
  /** Read again from here to the position; from the log's start, if that is later. */
  readonly replayFromOffset: number
}

export type EventMemoryOptions = {
  readonly partitions: number
  /** D: how far an id's time may be from append time. */
  readonly repeatWindowMs?: number
}

export const REPEAT_WINDOW_MS_DEFAULT = 120_000
const BUCKETS_PER_WINDOW = 8
const SAMPLES_PER_REPLAY = 128

export class EventMemory {
  readonly #partitions: SeenPartition[]

  constructor(options: EventMemoryOptions) {
    const windowMs = options.repeatWindowMs ?? REPEAT_WINDOW_MS_DEFAULT
    assert(Number.isInteger(windowMs) && windowMs >= 0, 'repeatWindowMs')
    this.#partitions = Array.from({ length: options.partitions }, () => new SeenPartition(windowMs))
  }

  /**
   * A memory to feed with the records from each `replayFromOffset` up to the position; their answers mean nothing. After
   * that it answers as the one that the snapshot was taken of. Where the log begins later, say so (`missPart`).
   */
  static restore(
    snapshot: readonly PartitionMemory[],
    options: Omit<EventMemoryOptions, 'partitions'>,
  ): EventMemory {
    const memory = new EventMemory({ ...options, partitions: snapshot.length })
    for (const [partition, kept] of snapshot.entries()) memory.#partition(partition).resume(kept)
    return memory
  }

  /**
   * Of a restored one, before it is fed: the log has dropped a part of what should be read again. Whoever may repeat one of those
   * is unknown from then on, not accepted: ids with t < M+D, by M as of the position.
   */
  missPart(partition: number): void {
    this.#partition(partition).missPart()
  }

  /** Judges the next record of its partition. Offsets only grow, gaps are allowed; anything else is a bug and throws. */
  admit(record: SeenRecord): Admission {
    return this.#partition(record.partition).admit(record)
  }

  /** Per partition. While a restored one is still being fed it is what it was restored from: the position has not moved. */
  snapshot(): PartitionMemory[] {
    return this.#partitions.map((partition) => partition.snapshot())
  }

  /** Ids remembered, and the bytes they take. */
  get size(): { readonly ids: number; readonly bytes: number } {
    const sets = this.#partitions.flatMap((partition) => partition.sets())
    return {
      ids: sets.reduce((sum, set) => sum + set.size, 0),
      bytes: sets.reduce((sum, set) => sum + set.bytes, 0),
    }
  }

  #partition(partition: number): SeenPartition {
    const seen = this.#partitions[partition]
    assert(seen !== undefined, `partition ${partition} of ${this.#partitions.length}`)
    return seen
  }
}

/** M as it was just before the record at `offset`. */
type Sample = { readonly offset: number; readonly maxMs: number }

class SeenPartition {
  readonly #windowMs: number
  readonly #bucketMs: number
  readonly #sampleMs: number
  /** Bucket number (id time / bucketMs) -> the ids of that time. */
  readonly #buckets = new Map<number, IdSet>()
  /** Oldest first. Only the first may lie before M-2D: when the second does too, the first is never needed again. */
  readonly #samples: Sample[] = []
  #oldestBucket = 0
  #maxMs = 0
  #nextOffset = 0
  /** What this was restored from. From its `nextOffset` on M is at least what it was, also if the log lost that record. */
  #kept: PartitionMemory | undefined
  /** Not all ids with times before this are known. */
  #unknownBeforeMs = 0

  constructor(windowMs: number) {
    this.#windowMs = windowMs
    this.#bucketMs = Math.max(1, Math.ceil(windowMs / BUCKETS_PER_WINDOW))
    this.#sampleMs = Math.max(1, Math.ceil((2 * windowMs) / SAMPLES_PER_REPLAY))
  }

  resume(kept: PartitionMemory): void {
    if (kept.nextOffset === 0) return
    this.#kept = kept
    this.#nextOffset = kept.replayFromOffset
    this.#samples.push({ offset: kept.replayFromOffset, maxMs: 0 })
  }

  missPart(): void {
    if (this.#kept !== undefined) this.#unknownBeforeMs = this.#kept.runningMaxMs + this.#windowMs
  }

  admit(record: SeenRecord): Admission {
    assert(record.offset >= this.#nextOffset, `offset ${record.offset} after ${this.#nextOffset}`)
    if (this.#kept !== undefined && record.offset >= this.#kept.nextOffset) {
      this.#raiseMax(this.#kept.runningMaxMs)
      this.#kept = undefined
    }
    this.#takeSample(record.offset)
    this.#nextOffset = record.offset + 1
    this.#raiseMax(record.appendedAtMs)
    return this.#judge(record.idHi, record.idLo)
  }

  snapshot(): PartitionMemory {
    if (this.#kept !== undefined) return this.#kept
    const floorMs = this.#maxMs - 2 * this.#windowMs
    const from = this.#samples.findLast((sample) => sample.maxMs < floorMs) ?? this.#samples[0]
    return {
      nextOffset: this.#nextOffset,
      runningMaxMs: this.#maxMs,
      replayFromOffset: from?.offset ?? 0,
    }
  }

  sets(): IdSet[] {
    return [...this.#buckets.values()]
  }

  #judge(idHi: number, idLo: number): Admission {
    if (idHi === 0 && idLo === 0) return 'refused'
    const idMs = msOfHalves(idHi, idLo)
    if (Math.abs(idMs - this.#maxMs) > this.#windowMs) return 'refused'
    const number = Math.floor(idMs / this.#bucketMs)
    let bucket = this.#buckets.get(number)
    if (bucket === undefined) {
      bucket = new IdSet()
      this.#buckets.set(number, bucket)
    }
    if (!bucket.add(idHi, idLo)) return 'repeated'
    return idMs < this.#unknownBeforeMs ? 'unknown' : 'accepted'
  }

  #raiseMax(ms: number): void {
    if (ms <= this.#maxMs) return
    this.#maxMs = ms
    const oldest = Math.floor((ms - this.#windowMs) / this.#bucketMs)
    if (oldest <= this.#oldestBucket) return
    this.#oldestBucket = oldest
    for (const number of this.#buckets.keys()) if (number < oldest) this.#buckets.delete(number)
  }

  /** Spaced by M, not by offset, so that their number is bounded whatever the rate. */
  #takeSample(offset: number): void {
    const newest = this.#samples.at(-1)
    if (newest !== undefined && this.#maxMs - newest.maxMs < this.#sampleMs) return
    this.#samples.push({ offset, maxMs: this.#maxMs })
    const floorMs = this.#maxMs - 2 * this.#windowMs
    while ((this.#samples[1]?.maxMs ?? floorMs) < floorMs) this.#samples.shift()
  }
}
