// The firehose: the log of everything that happened, in two topics of the same number of partitions.
//
// Ordering: records of one partition are read in offset order; nothing is promised between partitions. Durability: an
// append that resolved survives a crash of every process. An append that failed or timed out may still have happened, also
// later, and a record may stand in the log twice: who reads tells repeats by the event's id.

import type { Event, Fact, Unreadable } from '../model/event.ts'
import type { EventId } from '../model/post-id.ts'
import type { Position } from '../model/position.ts'

/** What names a log: made anew, it has another id. `partitionsPerTopic` is fixed for the life of a log. */
export type LogIdentity = { readonly logId: string; readonly partitionsPerTopic: number }

export type LogRecord = {
  readonly offset: number
  /** When the log's leader appended it, Unix ms by that leader's clock: may step back between records. */
  readonly appendedAtMs: number
  readonly event: Event
}

/** Consecutive records of one partition. Offsets may have gaps; `nextOffset` is where reading goes on. */
export type LogBatch = {
  readonly partition: number
  readonly records: readonly LogRecord[]
  readonly nextOffset: number
}

export type Appended = {
  readonly partition: number
  readonly offset: number
  readonly appendedAtMs: number
}

export type LogBounds = { readonly start: Position; readonly end: Position }

export type ProducedEvent = { readonly id: EventId; readonly fact: Exclude<Fact, Unreadable> }

export interface Firehose {
  readonly identity: LogIdentity
  /** Appends each event to the partition of its key, those of one partition in the order given. Resolves when all are durable. */
  append(events: readonly ProducedEvent[]): Promise<Appended[]>
  /** Start (oldest kept) and end (next to be written) of each partition. */
  bounds(): Promise<LogBounds>
  /** The first offset appended at or after a time, per partition; the end where there is none. */
  offsetsAt(timeMs: number): Promise<Position>
  /** Some records of one partition from an offset on, at most `recordsMax`; empty at the end. */
  fetch(partition: number, fromOffset: number, recordsMax: number): Promise<LogBatch>
  /**
   * Follows the log from a position: what is there, then what comes, until the signal aborts. Batches of different
   * partitions come in any order, those of one partition in order. `topics` limits it to one topic's partitions.
   * Throws FirehoseGap when records at the position are gone or were never written.
   */
  follow(from: Position, options: FollowOptions): AsyncIterable<LogBatch>
}

export type FollowOptions = {
  readonly signal: AbortSignal
  readonly recordsMax: number
  readonly topic?: 'public'
}

/** The log cannot be read from where the reader stands: truncated, made anew, or shorter than it was. */
export class FirehoseGap extends Error {
  readonly code = 'FIREHOSE_GAP'
  override readonly name = 'FirehoseGap'
}

/** The log holds what only a newer version can apply: passing over it would lose it. */
export class NewerRecord extends Error {
  readonly code = 'NEWER_RECORD'
  override readonly name = 'NewerRecord'
}

/** The log takes no more at the moment; nothing of this append was accepted. */
export class FirehoseBusy extends Error {
  readonly code = 'FIREHOSE_BUSY'
  override readonly name = 'FirehoseBusy'
}
