// The way back for a cell whose next records are gone from the log: posts as of a donor's newest checkpoint, everything that the cell
// itself holds of its readers as of its own, and a list of what nobody saw. Nothing counts until the last row, the checkpoint: a
// rebuild that is broken off is begun anew, and the cell refuses to start until one has ended.
//
//   donor's checkpoint read -> posts, marks, deletions copied -> readers of authors here -> floors above all of it -> checkpoint
//
// Of a store that is lost as a whole, slots that had come by moves count as well. If the log still begins with its first record nothing has to
// be copied: a checkpoint there that names them is all there is to it.
//
// Afterwards the window is empty and no inbox is counted on for what is older: pages pull it. Of the log the cell applies relations
// from where the log begins, and posts from the donor's checkpoint on (rebuild-plan.ts). It does not serve until the gap is closed.

import { AUTHOR_WORDS, GREATEST_HI, GREATEST_LO } from '../model/author-index.ts'
import type { GapPart } from '../model/gap.ts'
import { slotsOf } from '../model/placement.ts'
import { largerOf, type Position } from '../model/position.ts'
import { isAbove } from '../model/post-id.ts'
import { Reader, secondOf } from '../model/reader.ts'
import {
  type CheckpointPicture,
  decodeAuthorFacts,
  decodeCheckpoint,
  decodeReach,
  encodeCheckpoint,
  encodeReach,
  encodeReader,
  firstCheckpoint,
  keptSlots,
  slotsKept,
} from '../model/rows.ts'
import type { Loading } from '../ports/cell-client.ts'
import type { CellStore, CheckpointTable, ReaderRow, Version } from '../ports/cell-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { Donor } from '../ports/donor.ts'
import type { Firehose } from '../ports/firehose.ts'
import { AuthorBook, secondAbove } from './author-book.ts'
import type { CellOptions } from './cell.ts'
import { CellState } from './cell-state.ts'
import { Claim } from './claim.ts'
import { type Copied, DonorCopy } from './donor-copy.ts'
import { NameBook } from './name-book.ts'
import { Persistence, Stopped } from './persist.ts'
import { DonorUnusable, planRebuild, type RebuildPlan } from './rebuild-plan.ts'

export type RebuildPorts = {
  readonly firehose: Firehose
  readonly store: CellStore
  readonly donor: Donor
  readonly clock: Clock
}
export type RebuildOptions = CellOptions & {
  readonly signal: AbortSignal
  /** Told of each batch of posts. */
  readonly onProgress?: (loading: Loading) => void
}
export type RebuildReport = Omit<Copied, 'authorsHere'> & {
  readonly readersAdded: number
  /** Where the cell goes on, and as of when the posts are. */
  readonly position: Position
  readonly postsFrom: Position
  readonly gap: readonly GapPart[]
}

/** Nothing is gone from the log: the cell needs no rebuild. */
export class NothingToRebuild extends Error {
  readonly code = 'NOTHING_TO_REBUILD'
  override readonly name = 'NothingToRebuild'
}

const NOTHING_COPIED = { posts: 0, marks: 0, deletedUsers: 0, readersAdded: 0 }
const ROW_BATCH = 256
const PAUSE_MS = 1_000

export class Rebuild {
  readonly #ports: RebuildPorts
  readonly #boot: number
  readonly #state: CellState
  readonly #persistence: Persistence
  readonly #signal: AbortSignal
  readonly #onProgress: (loading: Loading) => void
  readonly #names: NameBook
  readonly #claim: Claim
  #count = 0

  constructor(ports: RebuildPorts, options: RebuildOptions) {
    const { store, clock } = ports
    const { name, boot, limits, placement, signal } = options
    this.#ports = ports
    this.#boot = boot
    this.#signal = signal
    this.#onProgress = options.onProgress ?? (() => {})
    const partitions = ports.firehose.identity.partitionsPerTopic * 2
    const state = new CellState({ cell: name, placement, limits, partitions, nowMs: clock.nowMs() })
    this.#state = state
    const persistence = new Persistence({ clock, limits, signal })
    this.#persistence = persistence
    this.#claim = new Claim({ boot, table: store.checkpoints, persistence })
    this.#names = new NameBook({
      table: store.names,
      persistence,
      claim: this.#claim,
      makeRoom: (numbers) => state.authors.reserve(numbers),
    })
  }

  /** Throws FirehoseGap for a log that is another one, DonorUnusable, NothingToRebuild. The cell must not run meanwhile. */
  async run(): Promise<RebuildReport> {
    const { store, donor, firehose } = this.#ports
    const { placement, cell } = this.#state
    await this.#claim.make()
    const stored = await pictureIn(store.checkpoints)
    const own = stored ?? firstCheckpoint(firehose.identity)
    // What is on its way here, or was given away, would have a gap that nobody closes. Of a store that is lost, all that it held counts.
    const held = stored === undefined ? slotsOf(placement, cell) : slotsKept(own, this.#state)
    for (const slot of held) if (this.#state.owns(slot)) this.#state.keep(slot)
    const theirs = await pictureIn(donor.checkpoints)
    if (theirs === undefined) throw new DonorUnusable('the donor has no checkpoint')
    const { repeatWindowMs } = this.#state.limits
    const plan = await planRebuild({ firehose, own, donor: theirs, repeatWindowMs })
    if (plan.gap.length === 0) {
      const isLost = held.length > slotsKept(own, this.#state).length
      if (!isLost) {
        throw new NothingToRebuild('the firehose still holds all that this cell needs: start it')
      }
      // From its beginning: what came by moves, too.
      await this.#put({ ...own, kept: keptSlots(this.#state.complete) })
      return { ...NOTHING_COPIED, position: plan.position, postsFrom: plan.position, gap: [] }
    }
    await this.#names.load(own.names)
    await this.#loadAuthors()
    const copied = await this.#copy()
    const readersAdded = await this.#addReaders(copied.authorsHere, plan.position)
    await this.#putGreatest()
    const greatest = this.#greatest()
    await this.#raiseFloors(secondAbove(greatest.hi, greatest.lo), plan.position)
    await this.#outwait(plan.repeatsUntilMs)
    await this.#commit(own, plan, greatest)
    await this.#claim.confirm()
    const { authorsHere: _, ...counts } = copied
    const { position, postsFrom } = plan
    return { ...counts, readersAdded, position, postsFrom, gap: this.#gapIn(plan) }
  }

  /** Whoever lives nowhere here misses nothing: users who come bring along what is known of them. */
  #gapIn({ gap }: RebuildPlan): readonly GapPart[] {
    return this.#state.slots.size === 0 ? [] : gap
  }

  /** What this cell knew of authors: their facts are kept, and greatest ids only grow. */
  async #loadAuthors(): Promise<void> {
    const { authors } = this.#state
    authors.reserve(this.#names.end)
    for await (const blocks of this.#ports.store.authors.greatest()) {
      for (const { block, bytes } of blocks) authors.loadBlock(block, bytes)
    }
    for await (const rows of this.#ports.store.authors.all()) {
      for (const { author, bytes } of rows) {
        const facts = decodeAuthorFacts(bytes)
        authors.raise(author, facts.raised)
        if (facts.pulled) authors.pull(author)
        if (facts.deleted) authors.setDeleted(author)
      }
    }
  }

  #copy(): Promise<Copied> {
    const { donor, store, clock } = this.#ports
    const state = this.#state
    const names = this.#names
    const persistence = this.#persistence
    const authors = new AuthorBook({
      state,
      table: store.authors,
      names,
      persistence,
      boot: this.#boot,
    })
    const { posts } = store
    const onProgress = this.#onProgress
    const parts = { state, donor, names, posts, authors, persistence, clock, onProgress }
    return new DonorCopy(parts).run()
  }

  /** Authors read their own posts: who published in the gap for the first time is a reader since. */
  async #addReaders(authors: ReadonlySet<number>, position: Position): Promise<number> {
    const { readers } = this.#ports.store
    const missing = new Set(authors)
    for (const slot of this.#state.slots.values()) {
      for await (const rows of readers.ofSlot(slot)) {
        for (const { reader } of rows) missing.delete(reader)
      }
    }
    const rows = [...missing].flatMap((number) => this.#readerRow(number, position))
    for (let from = 0; from < rows.length; from += ROW_BATCH) {
      const batch = rows.slice(from, from + ROW_BATCH)
      await this.#persistence.untilDurable(() => readers.put(batch))
    }
    return rows.length
  }

  #readerRow(number: number, position: Position): ReaderRow[] {
    const key = this.#names.table.keyOf(number)
    const at = key === undefined ? undefined : this.#state.slotOfUser(key)
    if (at === undefined) return []
    const reader = new Reader({ number, slot: at.slot })
    reader.linkSelf(this.#state.authors.coverageAtLink(number))
    reader.seenS = secondOf(this.#state.startedMs)
    const bytes = encodeReader(reader, position)
    return [{ slot: at.slot, term: at.term, reader: number, version: this.#nextVersion(), bytes }]
  }

  async #putGreatest(): Promise<void> {
    const blocks = this.#state.authors
      .takeDirtyBlocks()
      .map((block) => ({ ...block, version: this.#nextVersion() }))
    for (let from = 0; from < blocks.length; from += ROW_BATCH) {
      const batch = blocks.slice(from, from + ROW_BATCH)
      await this.#persistence.untilDurable(() => this.#ports.store.authors.putGreatest(batch))
    }
  }

  /** Of all authors, also of posts that only this cell has seen. */
  #greatest(): { readonly hi: number; readonly lo: number } {
    const { words } = this.#state.authors
    let [hi, lo] = [0, 0]
    for (let at = 0; at < words.length; at += AUTHOR_WORDS) {
      const authorHi = words[at + GREATEST_HI] as number
      const authorLo = words[at + GREATEST_LO] as number
      if (isAbove(authorHi, authorLo, hi, lo)) [hi, lo] = [authorHi, authorLo]
    }
    return { hi, lo }
  }

  /** Neither inboxes nor window hold what was copied. */
  async #raiseFloors(second: number, position: Position): Promise<void> {
    const { readers } = this.#ports.store
    const floors = new Map<number, number>()
    for (const { slot, term, bytes } of await readers.reach()) {
      if (this.#state.slots.get(slot)?.term === term) floors.set(slot, decodeReach(bytes).floor)
    }
    const rows = [...this.#state.slots.values()].map(({ slot, term }) => {
      const floor = Math.max(second, floors.get(slot) ?? 0)
      return { slot, term, version: this.#nextVersion(), bytes: encodeReach({ floor, position }) }
    })
    for (let from = 0; from < rows.length; from += ROW_BATCH) {
      const batch = rows.slice(from, from + ROW_BATCH)
      await this.#persistence.untilDurable(() => readers.putReach(batch))
    }
  }

  async #outwait(untilMs: number): Promise<void> {
    while (this.#ports.clock.nowMs() < untilMs) {
      if (this.#signal.aborted) throw new Stopped('the rebuild was stopped')
      await this.#ports.clock.sleep(PAUSE_MS, this.#signal)
    }
  }

  /** The last row: from now on the cell can start. */
  #commit(
    own: CheckpointPicture,
    plan: RebuildPlan,
    greatest: { readonly hi: number; readonly lo: number },
  ): Promise<void> {
    const { position, lastEventIds, memory, runningMaxMs } = plan
    const gap = this.#gapIn(plan)
    const before = own.rebuilt
    // A cell that is rebuilt once more has the posts of both copies.
    const postsFrom = largerOf(plan.postsFrom, before?.postsFrom ?? [])
    const postsFromMs = largerOf(plan.postsFromMs, before?.postsFromMs ?? [])
    const knownFromMs = position.map((_, partition) => before?.knownFromMs[partition] ?? 0)
    for (const { partition, toMs } of gap) knownFromMs[partition] = toMs
    const openGap = [...(before?.openGap ?? []), ...gap]
    const picture: CheckpointPicture = {
      logId: own.logId,
      position,
      lastEventIds,
      memory,
      runningMaxMs,
      windowBlocks: [],
      droppedHi: greatest.hi,
      droppedLo: greatest.lo,
      entriesDelivered: own.entriesDelivered,
      names: this.#names.kept,
      rebuilt: { postsFrom, postsFromMs, knownFromMs, openGap },
      // Of what the lost records said of followers, readers and their index may have seen different parts.
      kept: keptSlots(this.#state.complete.map((slot) => ({ ...slot, isIndexed: false }))),
    }
    return this.#put(picture)
  }

  #put(picture: CheckpointPicture): Promise<void> {
    const row = { version: this.#nextVersion(), bytes: encodeCheckpoint(picture) }
    return this.#persistence.untilDurable(() => this.#ports.store.checkpoints.put(row))
  }

  #nextVersion(): Version {
    return { boot: this.#boot, count: ++this.#count }
  }
}

async function pictureIn(
  table: Pick<CheckpointTable, 'get'>,
): Promise<CheckpointPicture | undefined> {
  const row = await table.get()
  return row === undefined ? undefined : decodeCheckpoint(row.bytes)
}
