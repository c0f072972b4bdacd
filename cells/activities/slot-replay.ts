// Brings slots that were copied up to this cell's own position: replays from the source's checkpoint what concerns their readers, and
// attaches each partition exactly where the replay meets the position. From there on the cell's own events count for them; the
// replay never goes there again. Posts need no catching up: the cell has them all.
//
//     source's checkpoint V          this cell's position
//          |-------- replayed -------------->|   attached here
//
//     this cell's position      source's checkpoint V
//          |..... not for them .......>|         attached here, at once: what comes before V is in the copy
//
// Whether a record counts the cell has found already, as it passed it. One that was rebuilt, or started after V, judges it by the event ids
// that the source remembered at V, which are read from the log again.

import { hiOf, loOf } from '../model/post-id.ts'
import type { CheckpointPicture } from '../model/rows.ts'
import type { EventMemory } from '../model/event-memory.ts'
import type { Clock } from '../ports/clock.ts'
import { type Firehose, FirehoseGap, type LogRecord } from '../ports/firehose.ts'
import type { Applier } from './applier.ts'
import type { CellState, Slot } from './cell-state.ts'
import type { NameBook } from './name-book.ts'
import type { Relations } from './relations.ts'
import { repeatUnknown, restoreMemory } from './restore-memory.ts'

const FETCH_RECORDS = 1_000
const ROOM = 64

export class SlotReplay {
  readonly #state: CellState
  readonly #firehose: Firehose
  readonly #clock: Clock
  readonly #names: NameBook
  readonly #relations: Relations
  readonly #applier: Pick<Applier, 'isAtRest' | 'rested'>
  readonly #signal: AbortSignal

  constructor(options: {
    state: CellState
    firehose: Firehose
    clock: Clock
    names: NameBook
    relations: Relations
    applier: Pick<Applier, 'isAtRest' | 'rested'>
    signal: AbortSignal
  }) {
    this.#state = options.state
    this.#firehose = options.firehose
    this.#clock = options.clock
    this.#names = options.names
    this.#relations = options.relations
    this.#applier = options.applier
    this.#signal = options.signal
  }

  /** Resolves when all partitions are attached. Throws FirehoseGap when the log no longer reaches back to the checkpoint. */
  async run(slots: readonly Slot[], source: CheckpointPicture): Promise<void> {
    const { repeatWindowMs } = this.#state.limits
    const { judgements, rebuilt } = this.#state
    const isKnown = rebuilt === undefined && judgements.reachBackTo(source.position)
    const ports = { firehose: this.#firehose, clock: this.#clock }
    const memory = isKnown ? undefined : await restoreMemory(ports, source, repeatWindowMs)
    const only = new Set(slots)
    await Promise.all(
      source.position.map((from, partition) => {
        const nowMs = source.runningMaxMs?.[partition] ?? source.memory[partition]?.runningMaxMs
        return this.#replay({ partition, from, nowMs: nowMs ?? 0, memory, only })
      }),
    )
  }

  async #replay(of: {
    readonly partition: number
    readonly from: number
    readonly nowMs: number
    readonly memory: EventMemory | undefined
    readonly only: ReadonlySet<Slot>
  }): Promise<void> {
    const { partition, memory, only } = of
    let { from, nowMs } = of
    for (;;) {
      if (from >= (this.#state.position[partition] ?? 0)) {
        // What is half applied is of before the attachment: the replay has to meet it.
        if (this.#applier.isAtRest) break
        await this.#applier.rested(this.#signal)
        this.#signal.throwIfAborted()
        continue
      }
      this.#signal.throwIfAborted()
      // A log in this process is read without waiting for anything.
      await this.#clock.yield()
      const batch = await this.#firehose.fetch(partition, from, FETCH_RECORDS)
      if (batch.nextOffset <= from) {
        throw new FirehoseGap(`partition ${partition}: nothing to read at ${from}`)
      }
      for (const record of batch.records) {
        if (!this.#names.hasRoomFor(ROOM)) await this.#names.reserve(ROOM)
        // Not beyond the position: the cell itself comes there later.
        if (record.offset >= (this.#state.position[partition] ?? 0)) break
        nowMs = Math.max(nowMs, record.appendedAtMs)
        this.#apply(record, { partition, nowMs, memory, only })
        from = record.offset + 1
      }
      from = Math.max(from, Math.min(batch.nextOffset, this.#state.position[partition] ?? 0))
    }
    for (const slot of only) {
      if (slot.attachedFrom !== undefined) slot.attachedFrom[partition] = from
    }
  }

  #apply(
    { offset, appendedAtMs, event }: LogRecord,
    at: {
      readonly partition: number
      readonly nowMs: number
      readonly memory: EventMemory | undefined
      readonly only: ReadonlySet<Slot>
    },
  ): void {
    const { partition, nowMs, memory, only } = at
    const { id, fact } = event
    const seen = { partition, offset, appendedAtMs, idHi: hiOf(id), idLo: loOf(id) }
    const asPassed = () =>
      this.#state.judgements.counts(partition, offset) ? 'accepted' : 'refused'
    const admission = memory?.admit(seen) ?? asPassed()
    if (admission === 'unknown') throw repeatUnknown(partition, offset)
    if (admission !== 'accepted') return
    const place = { partition, offset, nowMs, only }
    switch (fact.kind) {
      case 'post-created':
        this.#relations.linkSelf(fact.author, this.#names.numberOf(fact.author), place)
        return
      case 'followed':
      case 'unfollowed':
      case 'blocked':
      case 'unblocked':
      case 'muted':
      case 'unmuted':
      case 'read-marked':
        this.#relations.apply(fact, place)
        return
      case 'post-edited':
      case 'post-deleted':
      case 'post-liked':
      case 'post-unliked':
      case 'user-deleted':
      case 'unreadable':
        return
    }
  }
}
