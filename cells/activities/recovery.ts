// Brings a cell back from its store: names, authors, readers and window as of the last checkpoint and later, then the event ids that
// are still remembered. After that the log is replayed from the checkpoint; the cell serves when it has reached where the log
// ended when it started, or what it showed before could vanish from a page.
//
// Everything is read after the claim on the store, and what the cell goes on from is written again with its own boot, so that an
// older process of this cell which still writes can do no harm (claim.ts). Rows of such a process may run ahead of the checkpoint.
//
// The log must be the one the checkpoint was taken of: same identity, the last record of each partition still there with the
// id it had, and nothing missing in between. Otherwise the cell refuses to run.

import type { EventMemory } from '../model/event-memory.ts'
import { Judgements } from '../model/judgements.ts'
import { hasReached, largerOf, type Position, zeroPosition } from '../model/position.ts'
import { msOfHalves } from '../model/post-id.ts'
import { type Reader, seenMs } from '../model/reader.ts'
import {
  type CheckpointPicture,
  decodeAuthorFacts,
  decodeCheckpoint,
  decodeReach,
  decodeReader,
  decodeWindowRun,
  encodeCheckpoint,
  encodeReach,
  firstCheckpoint,
  type Reach,
  slotsKept,
} from '../model/rows.ts'
import type { CellStore, ReaderRow } from '../ports/cell-store.ts'
import type { Clock } from '../ports/clock.ts'
import { type Firehose, FirehoseGap } from '../ports/firehose.ts'
import type { Moving } from '../ports/placements.ts'
import type { CellState, Slot } from './cell-state.ts'
import type { Claim } from './claim.ts'
import { assertKept } from './kept-slots.ts'
import { checkLog } from './log-check.ts'
import type { NameBook } from './name-book.ts'
import type { Persistence } from './persist.ts'
import { restoreMemory } from './restore-memory.ts'

export type RecoveredBlock = {
  readonly boot: number
  readonly count: number
  readonly from: number
  readonly to: number
}

export type Recovered = {
  readonly memory: EventMemory
  readonly blocks: readonly RecoveredBlock[]
}

const REACH_BATCH = 256
const SLOTS_AT_ONCE = 16

export class Recovery {
  /** What the rows of all readers reflect. */
  #rowsReflect: Position = []
  readonly #state: CellState
  readonly #store: CellStore
  readonly #placements: Pick<Moving['placements'], 'read'>
  readonly #names: NameBook
  readonly #firehose: Firehose
  readonly #clock: Clock
  readonly #claim: Claim
  readonly #persistence: Persistence

  constructor(options: {
    state: CellState
    store: CellStore
    placements: Pick<Moving['placements'], 'read'>
    names: NameBook
    firehose: Firehose
    clock: Clock
    claim: Claim
    persistence: Persistence
  }) {
    this.#state = options.state
    this.#store = options.store
    this.#placements = options.placements
    this.#names = options.names
    this.#firehose = options.firehose
    this.#clock = options.clock
    this.#claim = options.claim
    this.#persistence = options.persistence
  }

  async run(): Promise<Recovered> {
    await this.#claim.make()
    const stored = await this.#store.checkpoints.get()
    const picture =
      stored === undefined
        ? firstCheckpoint(this.#firehose.identity)
        : decodeCheckpoint(stored.bytes)
    await checkLog(this.#firehose, picture)
    await this.#keepSlots(picture)
    await this.#names.load(picture.names)
    await this.#keepCheckpoint({ ...picture, names: this.#names.kept })
    this.#state.authors.reserve(this.#names.end)
    await this.#loadAuthors()
    const reached = await this.#loadReach()
    // After the reach: what it says is written has its generation's row.
    this.#state.addGenerations(await this.#store.inbox.generations())
    const blocks = await this.#loadWindow(picture, reached)
    await this.#loadReaders()
    await this.#checkRows(reached)
    const { repeatWindowMs } = this.#state.limits
    const ports = { firehose: this.#firehose, clock: this.#clock }
    const memory = await restoreMemory(ports, picture, repeatWindowMs)
    this.#state.judgements = new Judgements(this.#state.position)
    return { memory, blocks }
  }

  /** From now on this boot's checkpoints count, and those of earlier boots no more; nor do names that land from now on. */
  #keepCheckpoint(picture: CheckpointPicture): Promise<void> {
    const version = { boot: this.#claim.boot, count: 0 }
    const row = { version, bytes: encodeCheckpoint(picture) }
    return this.#persistence.untilDurable(() => this.#store.checkpoints.put(row))
  }

  /** Those that the store holds. A slot that came here is owned only after a checkpoint named it. */
  async #keepSlots(picture: CheckpointPicture): Promise<void> {
    const state = this.#state
    // Read after the checkpoint: one that is older may speak of slots which an earlier process has given away and dropped since.
    const read = () => this.#placements.read()
    state.place((await this.#persistence.untilDurable(read)).placement)
    for (const { isIndexed, move, ...slot } of slotsKept(picture, state)) {
      const kept = state.keep(slot)
      kept.isIndexed = isIndexed
      state.cameBy(kept, move)
    }
    await assertKept(state, this.#claim)
  }

  async #loadAuthors(): Promise<void> {
    const { authors } = this.#state
    for await (const blocks of this.#store.authors.greatest()) {
      for (const { block, bytes } of blocks) authors.loadBlock(block, bytes)
    }
    for await (const rows of this.#store.authors.all()) {
      for (const row of rows) {
        const facts = decodeAuthorFacts(row.bytes)
        authors.raise(row.author, facts.raised)
        if (facts.deleted) authors.setDeleted(row.author)
        if (!facts.pulled) continue
        authors.pull(row.author)
        authors.setLeftOut(row.author, true)
      }
    }
  }

  /** Loads the window's blocks and finds from where on each slot's inboxes lack what is in it. */
  async #loadWindow(
    picture: CheckpointPicture,
    reached: ReadonlyMap<number, Reach>,
  ): Promise<RecoveredBlock[]> {
    const state = this.#state
    const blocks: RecoveredBlock[] = []
    for (const [i, block] of (await this.#store.window.get(picture.windowBlocks)).entries()) {
      const name = picture.windowBlocks[i]
      if (block === undefined || name === undefined) {
        // Dropped by a successor of this process, or lost.
        await this.#claim.confirm()
        throw new Error(
          `window block ${name?.boot}.${name?.count} that the checkpoint names is gone`,
        )
      }
      const run = decodeWindowRun(block.bytes)
      const from = state.window.head
      for (let at = 0; at < run.hi.length; at++) {
        const authorReblog = run.authorReblog[at] as number
        const author = authorReblog >>> 1
        const hi = run.hi[at] as number
        const lo = run.lo[at] as number
        state.window.insert(author, hi, lo, (authorReblog & 1) === 1)
        state.rates.notePost(author, msOfHalves(hi, lo))
      }
      state.marks.note(state.window.head, run.end)
      blocks.push({ boot: name.boot, count: name.count, from, to: state.window.head })
    }
    for (const slot of state.slots.values()) {
      const reach = reached.get(slot.slot)
      if (reach !== undefined) slot.reachSeq = state.marks.seqBefore(reach.position)
    }
    state.window.noteDropped(picture.droppedHi, picture.droppedLo)
    state.entriesDelivered = picture.entriesDelivered
    state.rebuilt = picture.rebuilt
    for (const [partition, offset] of picture.position.entries()) {
      state.position[partition] = offset
      state.runningMaxMs[partition] =
        picture.runningMaxMs?.[partition] ?? picture.memory[partition]?.runningMaxMs ?? 0
      state.lastEventIds[partition] = BigInt(picture.lastEventIds[partition] ?? '0')
    }
    return blocks
  }

  /** How far the inboxes of each slot go, made this boot's own. */
  async #loadReach(): Promise<Map<number, Reach>> {
    const { slots, position } = this.#state
    const reached = new Map<number, Reach>()
    for (const row of await this.#store.readers.reach()) {
      if (slots.get(row.slot)?.term === row.term) reached.set(row.slot, decodeReach(row.bytes))
    }
    const version = { boot: this.#claim.boot, count: 0 }
    const nothing = { floor: 0, position: zeroPosition(position.length) }
    const rows = [...slots.values()].map(({ slot, term }) => {
      return { slot, term, version, bytes: encodeReach(reached.get(slot) ?? nothing) }
    })
    for (let from = 0; from < rows.length; from += REACH_BATCH) {
      const batch = rows.slice(from, from + REACH_BATCH)
      await this.#persistence.untilDurable(() => this.#store.readers.putReach(batch))
    }
    for (const slot of slots.values()) slot.floor = reached.get(slot.slot)?.floor ?? 0
    return reached
  }

  /** Several slots at once: a store far away answers one after the other too slowly. */
  async #loadReaders(): Promise<void> {
    const left = this.#state.slots.values()
    await Promise.all(Array.from({ length: SLOTS_AT_ONCE }, () => this.#loadSlots(left)))
  }

  /** Takes slot after slot from `left`, which others take from too. */
  async #loadSlots(left: Iterator<Slot>): Promise<void> {
    for (let next = left.next(); next.done !== true; next = left.next()) {
      const { slot, term } = next.value
      for await (const rows of this.#store.readers.ofSlot({ slot, term })) {
        const absent: ReaderRow[] = []
        for (const row of rows) {
          const reader = decodeReader({ number: row.reader, slot }, row.bytes)
          this.#rowsReflect = largerOf(reader.recoveredAt ?? [], this.#rowsReflect)
          if (this.#stayedAway(reader, next.value)) absent.push(row)
          else this.#state.addReader(reader)
        }
        await this.#keepAway(absent, next.value)
      }
    }
  }

  /** Who was away, or may go at once: of whom no inbox holds anything (away.ts). Whoever owns the slot just now. */
  #stayedAway(reader: Reader, slot: Slot): boolean {
    if (!slot.isIndexed || slot.isStandby || !reader.lacksAllCoverage) return false
    const { startedMs, limits } = this.#state
    return startedMs - seenMs(reader) >= limits.policy.dormantMs
  }

  /** Their rows made this boot's own: no other can land on them any more. */
  async #keepAway(rows: readonly ReaderRow[], slot: Slot): Promise<void> {
    if (rows.length === 0) return
    const version = { boot: this.#claim.boot, count: 0 }
    const own = rows.map((row) => ({ ...row, version }))
    await this.#persistence.untilDurable(() => this.#store.readers.put(own))
    for (const { reader } of rows) this.#state.stayAway(reader, slot)
  }

  /** Rows run ahead of the checkpoint. One that is ahead of the log is of records that the log has lost. */
  async #checkRows(reached: ReadonlyMap<number, Reach>): Promise<void> {
    const { end } = await this.#firehose.bounds()
    for (const { position } of reached.values()) assertWithin(position, end)
    assertWithin(this.#rowsReflect, end)
  }
}

function assertWithin(position: Position, end: Position): void {
  if (hasReached(end, position)) return
  throw new FirehoseGap(
    `the cell has applied records up to ${position.join()}, but the firehose ends at ${end.join()}: its newest are lost`,
  )
}
