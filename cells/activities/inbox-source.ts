// The inbox as a source of the merge: a reader's chunks, newest generation first, read some at a time, month by month. Until the
// next chunks are read, the generations' ids bound what they may hold. What it was filled with (filling.ts) is read in one go.

import { decodeChunk } from '../model/chunk.ts'
import { FILL_MONTH } from '../model/fill.ts'
import type { PostRun } from '../model/merge.ts'
import { isAbove } from '../model/post-id.ts'
import { halvesBelowSecond, type IdHalves } from '../model/pull-bound.ts'
import type { Reader } from '../model/reader.ts'
import type { InboxTable } from '../ports/cell-store.ts'
import type { CellState, KnownGeneration, Slot } from './cell-state.ts'

export class InboxSource {
  readonly #table: InboxTable
  readonly #slot: Slot
  readonly #reader: number
  readonly #batch: number
  /** The generations there were when the read began, oldest first: later ones hold only what the window had then. */
  readonly #generations: readonly KnownGeneration[]
  /** How many of them are still to be read. */
  #left: number
  /** No entry that the inbox was filled with has a greater id; [0, 0] when none is left to read. */
  #fillBound: IdHalves

  constructor(options: {
    state: CellState
    table: InboxTable
    slot: Slot
    reader: Pick<Reader, 'number' | 'filledBelow'>
    /** Nothing above this id is wanted. */
    start: { readonly hi: number; readonly lo: number }
  }) {
    this.#table = options.table
    this.#slot = options.slot
    this.#reader = options.reader.number
    this.#fillBound = halvesBelowSecond(options.reader.filledBelow)
    this.#batch = options.state.limits.chunkBatch
    this.#generations = options.state.generations
    this.#left = options.state.generations.length
    const { hi, lo } = options.start
    while (this.#left > 0 && this.#liesAbove(hi, lo)) this.#left--
  }

  /** No entry still to be read has a greater id; undefined when there is nothing left. */
  get bound(): { readonly hi: number; readonly lo: number } | undefined {
    const [hi, lo] = this.#fillBound
    const newest = this.#generations[this.#left - 1]
    if (newest !== undefined && !isAbove(hi, lo, newest.maxHi, newest.maxLo)) {
      return { hi: newest.maxHi, lo: newest.maxLo }
    }
    return hi === 0 && lo === 0 ? undefined : { hi, lo }
  }

  /** The next chunks as runs. */
  async read(): Promise<PostRun[]> {
    const [hi, lo] = this.#fillBound
    const newest = this.#generations[this.#left - 1]
    if (newest === undefined || isAbove(hi, lo, newest.maxHi, newest.maxLo)) return this.#fills()
    const { month } = newest
    const below = newest.generation + 1
    const chunks = await this.#table.chunksBelow(
      this.#slot,
      month,
      this.#reader,
      below,
      this.#batch,
    )
    const oldest = chunks.length < this.#batch ? undefined : chunks.at(-1)?.generation
    while (this.#left > 0 && this.#isRead(this.#generations[this.#left - 1], month, oldest))
      this.#left--
    const known = chunks.filter(({ generation }) => this.#isKnown(generation))
    return known.map((chunk) => decodeChunk(chunk.bytes))
  }

  /** Everything that the inbox was filled with. */
  async #fills(): Promise<PostRun[]> {
    const [hi, lo] = this.#fillBound
    this.#fillBound = [0, 0]
    const runs: PostRun[] = []
    if (hi === 0 && lo === 0) return runs
    let below = Number.MAX_SAFE_INTEGER
    for (;;) {
      const chunks = await this.#table.chunksBelow(
        this.#slot,
        FILL_MONTH,
        this.#reader,
        below,
        this.#batch,
      )
      // Fills of which the row says nothing may reach higher.
      runs.push(...chunks.map(({ bytes }) => runBelow(decodeChunk(bytes), hi, lo)))
      const oldest = chunks.at(-1)
      if (oldest === undefined || chunks.length < this.#batch) return runs
      below = oldest.generation
    }
  }

  /** Another process of this cell may write generations too; what this one knows is whole without them. */
  #isKnown(generation: number): boolean {
    let low = 0
    let high = this.#generations.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#generations[middle]?.generation ?? 0) < generation) low = middle + 1
      else high = middle
    }
    return this.#generations[low]?.generation === generation
  }

  /** A page far down passes over the generations above it. */
  #liesAbove(hi: number, lo: number): boolean {
    const newest = this.#generations[this.#left - 1]
    return newest !== undefined && isAbove(newest.minHi, newest.minLo, hi, lo)
  }

  #isRead(
    generation: KnownGeneration | undefined,
    month: number,
    oldest: number | undefined,
  ): boolean {
    if (generation === undefined || generation.month !== month) return false
    return oldest === undefined || generation.generation >= oldest
  }
}

/** The part of the run that has no greater id. */
function runBelow(run: PostRun, hi: number, lo: number): PostRun {
  let at = 0
  while (at < run.length && isAbove(run.hi[at] as number, run.lo[at] as number, hi, lo)) at++
  if (at === 0) return run
  return {
    hi: run.hi.subarray(at),
    lo: run.lo.subarray(at),
    authorReblog: run.authorReblog.subarray(at),
    length: run.length - at,
  }
}
