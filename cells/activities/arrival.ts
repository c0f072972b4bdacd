// Slots on their way into this cell: copied from another cell's store as of its checkpoint, brought up to this cell's position apart
// from everything else, then attached, and named by a checkpoint. Until that is durable nothing of it counts. A cell that dies before
// goes on under the same term: it copies readers again, and the chunks of those slots that are not marked as whole.
//
//     term marked -> V read -> copied, slots marked as whole -> replayed, attached partition by partition -> complete -> checkpoint -> durable
//
// What the marked chunks reach was read before them; floors and classes are read after the last of them, as in a copy made in one go.
// The window of this cell must reach back to what the copied inboxes hold; where it does not, the slots are uncovered up to there.

import type { Busyness } from '../model/copy-pace.ts'
import { largerOf, type Position, smallerOf } from '../model/position.ts'
import { COVERED_FROM, NOT_COVERED } from '../model/reader.ts'
import {
  type CheckpointPicture,
  decodeCheckpoint,
  encodeReach,
  type Reach,
  slotsKept,
} from '../model/rows.ts'
import {
  type Move,
  ownerOf,
  slotOf,
  type SlotRun,
  slotsIn,
  slotsThere,
  type SlotTerm,
} from '../model/placement.ts'
import type { CellStore, GenerationRow, ReachRow } from '../ports/cell-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { Firehose } from '../ports/firehose.ts'
import type { SlotSource } from '../ports/slot-source.ts'
import type { Applier } from './applier.ts'
import { secondAbove } from './author-book.ts'
import { type BrokenOff, brokenOff } from './broken-off.ts'
import type { CellState, Slot } from './cell-state.ts'
import type { Checkpointer } from './checkpointer.ts'
import type { Claim } from './claim.ts'
import { partitionsBehind } from './log-check.ts'
import type { NameBook } from './name-book.ts'
import type { Persistence } from './persist.ts'
import type { Relations } from './relations.ts'
import { type Copied, type CopyProgress, SlotCopy } from './slot-copy.ts'
import { SlotReplay } from './slot-replay.ts'
import { Throttle } from './throttle.ts'

/** The source cannot give the slots now: it has no checkpoint that names them, or the log no longer reaches back to it. */
export class SourceUnusable extends Error {
  readonly code = 'SOURCE_UNUSABLE'
  override readonly name = 'SourceUnusable'
}

export type ArrivalParts = {
  readonly state: CellState
  readonly store: CellStore
  readonly firehose: Firehose
  readonly names: NameBook
  readonly persistence: Persistence
  readonly relations: Relations
  readonly applier: Applier
  readonly checkpointer: Checkpointer
  readonly clock: Clock
  readonly claim: Claim
}

const REACH_BATCH = 256
/** Marks lose against whatever is said of a slot that is complete. */
const BEGUN = { boot: 0, count: 1 }
const NOTHING: Reach = { floor: 0, position: [] }
const WHOLE = { boot: 0, count: 2 }

export class Arrival {
  readonly #parts: ArrivalParts
  readonly #source: SlotSource
  readonly #move: Move
  readonly #nextTerm: () => Promise<number>
  readonly #busyness: () => Promise<Busyness | undefined>
  readonly #isUsable: (term: number) => boolean
  readonly #signal: AbortSignal
  #term: number | undefined
  #isAttached = false
  #slots: readonly Slot[] = []
  #copy: SlotCopy | undefined

  constructor(
    parts: ArrivalParts,
    options: {
      readonly move: Move
      readonly source: SlotSource
      readonly nextTerm: () => Promise<number>
      /** How the source fares. */
      readonly busyness: () => Promise<Busyness | undefined>
      /** Whether a copy that was broken off, of this term, may be gone on with. */
      readonly isUsable: (term: number) => boolean
      readonly signal: AbortSignal
    },
  ) {
    this.#parts = parts
    this.#move = options.move
    this.#source = options.source
    this.#nextTerm = options.nextTerm
    this.#busyness = options.busyness
    this.#isUsable = options.isUsable
    this.#signal = options.signal
  }

  /** The slots of this cell, as far as they are here. */
  get slots(): readonly Slot[] {
    return this.#slots
  }

  /** Under which term rows may be in the store, and are found; undefined before. */
  get term(): number | undefined {
    return this.#term
  }

  /** Whether its slots may have been written to, as any other of this cell. */
  get isAttached(): boolean {
    return this.#isAttached
  }

  get progress(): CopyProgress {
    return this.#copy?.progress ?? { part: 0, readers: 0, bytes: 0 }
  }

  /** Resolves when a checkpoint that names the slots is durable. Throws SourceUnusable, FirehoseGap, or the signal's reason. */
  async run(): Promise<void> {
    const { state, store, names, persistence, firehose, relations, applier, clock } = this.#parts
    const { from, slots: runs } = this.#move
    const signal = this.#signal
    // Whether the source can give anything, before anything is written.
    const before = await this.#checkpointOf(from)
    this.#staysIn(before, runs)
    const begun = await this.#begunBefore(before)
    const term = begun?.term ?? (await this.#nextTerm())
    await this.#mark(term)
    this.#term = term
    const picture = await this.#checkpointOf(from)
    if (begun !== undefined && picture.rebuilt !== undefined) {
      throw new SourceUnusable(`${from} was rebuilt while it was copied`)
    }
    const stays = this.#staysIn(picture, this.#slotsNow())
    signal.throwIfAborted()
    this.#knowFrom(picture)
    const copied = this.#split(stays).map(({ to, from: stay }): Copied => {
      const slot = this.#keep({ slot: to, term }, picture.position.length)
      const whole = begun?.whole.get(to)
      const hasChunks = whole?.fromTerm === stay.term && this.#isInWindow(whole.reach.position)
      return { slot, from: stay, hasChunks, reach: hasChunks ? whole.reach : NOTHING }
    })
    this.#slots = copied.map(({ slot }) => slot)
    const source = this.#source
    const throttle = new Throttle({ clock, signal, busyness: this.#busyness })
    const { pins } = this.#move
    const noteWhole = (each: Copied, reach: Reach) => this.#noteWhole(each, reach)
    const stores = { source, store, names, persistence }
    const copy = new SlotCopy({ state, ...stores, clock, throttle, pins, noteWhole })
    this.#copy = copy
    const { isStandby } = this.#move
    const generations = await copy.run(copied, { asOf: picture.position, isStandby })
    signal.throwIfAborted()
    const replay = new SlotReplay({ state, firehose, clock, names, relations, applier, signal })
    await replay.run(this.#slots, picture)
    await this.#complete(copied, generations)
    signal.throwIfAborted()
    // All at once: a checkpoint names the whole move or nothing of it.
    for (const slot of this.#slots) slot.isNamed = true
    await this.#parts.checkpointer.take()
    await this.#passed()
  }

  /** Of the move as the placement has it by now, and none of them here already: a standby may have lost some to a move since. */
  #slotsNow(): readonly SlotRun[] {
    const { state } = this.#parts
    const move = state.placement.moves.find(({ id }) => id === this.#move.id)
    if (move === undefined) throw new SourceUnusable('the move is over')
    const taken = slotsThere(move).find((slot) => state.slots.has(slot))
    if (taken !== undefined) throw new SourceUnusable(`slot ${taken} is here by another move`)
    const pinned = state.pinnedIn(move.slots).find((user) => state.slotOfUser(user) !== undefined)
    if (pinned !== undefined) throw new SourceUnusable('a pinned user of the slots is here already')
    return move.slots
  }

  /** Which slots here come of which stays: users who are pinned get a slot of their own, of the one where they lived. */
  #split(stays: readonly SlotTerm[]) {
    const { slots } = this.#parts.state.placement
    const split = this.#move.pins.flatMap(({ user, slot: to }) => {
      const from = stays.find(({ slot }) => slot === slotOf(user, slots))
      return from === undefined ? [] : [{ to, from }]
    })
    return [...stays.map((from) => ({ to: from.slot, from })), ...split]
  }

  #keep(at: SlotTerm, partitions: number): Slot {
    const kept = this.#parts.state.keep(at)
    kept.isComplete = false
    kept.isNamed = false
    kept.isDurable = false
    kept.isIndexed = false
    this.#parts.state.cameBy(kept, this.#move.id)
    kept.attachedFrom = new Array<number>(partitions).fill(Number.POSITIVE_INFINITY)
    return kept
  }

  /** Undefined when it has to begin anew: a source that was rebuilt may have fewer readers than it had. */
  async #begunBefore({ rebuilt }: CheckpointPicture): Promise<BrokenOff | undefined> {
    const { store, persistence } = this.#parts
    const rows = await persistence.untilDurable(() => store.readers.reach())
    const isUsable = (term: number) => rebuilt === undefined && this.#isUsable(term)
    return brokenOff(rows, this.#move.id, isUsable)
  }

  /** Says durably that there may be rows under this term, so that they are found, whether somebody goes on with them or nobody. */
  async #mark(term: number): Promise<void> {
    const copied = { move: this.#move.id, fromTerm: 0, hasChunks: false }
    const bytes = encodeReach({ ...NOTHING, copied })
    const rows = slotsThere(this.#move).map((slot) => ({ slot, term, version: BEGUN, bytes }))
    await this.#putReach(rows)
  }

  async #noteWhole({ slot: { slot, term }, from }: Copied, reach: Reach): Promise<void> {
    const copied = { move: this.#move.id, fromTerm: from.term, hasChunks: true }
    const bytes = encodeReach({ floor: reach.floor, position: reach.position, copied })
    await this.#putReach([{ slot, term, version: WHOLE, bytes }])
  }

  async #checkpointOf(from: string): Promise<CheckpointPicture> {
    const { firehose } = this.#parts
    const row = await this.#source.checkpoints.get()
    if (row === undefined) throw new SourceUnusable(`${from} has no checkpoint yet`)
    const picture = decodeCheckpoint(row.bytes)
    const behind = await partitionsBehind(firehose, picture, await firehose.bounds())
    if (behind.length > 0) {
      throw new SourceUnusable(`the firehose no longer reaches back to the checkpoint of ${from}`)
    }
    if ((picture.rebuilt?.openGap.length ?? 0) > 0) {
      throw new SourceUnusable(`${from} was rebuilt, and what it missed is not known yet`)
    }
    return picture
  }

  #staysIn(picture: CheckpointPicture, runs: readonly SlotRun[]) {
    const { from } = this.#move
    const { placement } = this.#parts.state
    const kept = new Map(
      slotsKept(picture, { placement, cell: from }).map(({ slot, term }) => [slot, term]),
    )
    return slotsIn(runs).map((slot) => {
      const { term } = ownerOf(placement, slot)
      if (kept.get(slot) === term) return { slot, term }
      throw new SourceUnusable(`the checkpoint of ${from} does not name slot ${slot}, term ${term}`)
    })
  }

  /** Slot by slot, each in one step: from then on it is like any other of this cell. */
  async #complete(copied: readonly Copied[], generations: readonly GenerationRow[]): Promise<void> {
    const { state, clock, firehose } = this.#parts
    const { boot } = this.#parts.claim
    const { end } = await firehose.bounds()
    this.#isAttached = true
    state.addGenerations(generations)
    const rows: ReachRow[] = []
    for (const { slot, reach } of copied) {
      const position = smallerOf(reach.position, state.position)
      const seq = state.marks.seqBefore(position)
      const { window } = state
      const isWhole = this.#isInWindow(position)
      const uncovered = isWhole ? 0 : secondAbove(window.droppedHi, window.droppedLo)
      slot.floor = Math.max(reach.floor, uncovered)
      slot.reflects = end
      slot.reachSeq = Math.max(seq, window.tail)
      this.#attach(slot)
      const bytes = encodeReach({ floor: slot.floor, position })
      rows.push({ slot: slot.slot, term: slot.term, version: { boot, count: 0 }, bytes })
      await clock.yield()
    }
    await this.#putReach(rows)
    state.replaced.ring()
  }

  /** Whether everything from there on is in the window. */
  #isInWindow(position: Position): boolean {
    const { marks, window } = this.#parts.state
    const seq = marks.seqBefore(position)
    return seq >= window.tail && (seq > 0 || hasDroppedNone(window))
  }

  #attach(slot: Slot): void {
    const { state } = this.#parts
    for (const reader of slot.readers.values()) {
      const { edges } = reader
      edges.compact()
      for (let i = 0; i < edges.size; i++) {
        const word = edges.words[i] as number
        if ((word & COVERED_FROM) !== NOT_COVERED) continue
        const covered = state.authors.coverageAtLink(edges.keys[i] as number)
        edges.words[i] = ((word & ~COVERED_FROM) | covered) >>> 0
      }
      state.noteChange(reader)
    }
    slot.isComplete = true
  }

  /** Snapshots that the source could not judge cannot be judged here either. */
  #knowFrom({ rebuilt: theirs }: CheckpointPicture): void {
    const { state } = this.#parts
    if (theirs === undefined) return
    const ours = state.rebuilt
    const nothing = state.position.map(() => 0)
    state.rebuilt = {
      postsFrom: ours?.postsFrom ?? nothing,
      postsFromMs: ours?.postsFromMs ?? nothing,
      knownFromMs: largerOf(theirs.knownFromMs, ours?.knownFromMs ?? nothing),
      openGap: ours?.openGap ?? [],
    }
  }

  /** Once everything that the copy reflects is applied, nothing of it has to be passed over any more. */
  async #passed(): Promise<void> {
    const { state, clock } = this.#parts
    const reflected = state.position.map(() => 0)
    const reflects = (position: Position | undefined): void => {
      for (let p = 0; p < reflected.length; p++) {
        reflected[p] = Math.max(reflected[p] as number, position?.[p] ?? 0)
      }
    }
    for (const slot of this.#slots) {
      reflects(slot.attachedFrom)
      reflects(slot.reflects)
      for (const { recoveredAt } of slot.readers.values()) reflects(recoveredAt)
      await clock.yield()
    }
    if (!(await state.reached(reflected, this.#signal))) return
    for (const slot of this.#slots) {
      slot.attachedFrom = undefined
      slot.reflects = undefined
      for (const reader of slot.readers.values()) reader.recoveredAt = undefined
    }
  }

  async #putReach(rows: readonly ReachRow[]): Promise<void> {
    const { store, persistence } = this.#parts
    for (let from = 0; from < rows.length; from += REACH_BATCH) {
      const batch = rows.slice(from, from + REACH_BATCH)
      await persistence.untilDurable(() => store.readers.putReach(batch))
    }
  }
}

/** Nothing has ever left it. */
function hasDroppedNone({
  droppedHi,
  droppedLo,
}: {
  droppedHi: number
  droppedLo: number
}): boolean {
  return droppedHi === 0 && droppedLo === 0
}
