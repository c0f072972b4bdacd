// The inbox as a source of the merge: a reader's chunks, newest generation first, read some at a time, month by month. Until the
// next chunks are read, the generations' ids bound what they may hold.

import { decodeChunk } from '../model/chunk.ts'
import type { PostRun } from '../model/merge.ts'
import { isAbove } from '../model/post-id.ts'
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

  constructor(options: {
    state: CellState
    table: InboxTable
    slot: Slot
    reader: number
    /** Nothing above this id is wanted. */
    start: { readonly hi: number; readonly lo: number }
  }) {
    this.#table = options.table
    this.#slot = options.slot
    this.#reader = options.reader
    this.#batch = options.state.limits.chunkBatch
    this.#generations = options.state.generations
    this.#left = options.state.generations.length
    const { hi, lo } = options.start
    while (this.#left > 0 && this.#liesAbove(hi, lo)) this.#left--
  }

  /** No entry still to be read has a greater id; undefined when there is nothing left. */
  get bound(): { readonly hi: number; readonly lo: number } | undefined {
    const newest = this.#generations[this.#left - 1]
    return newest === undefined ? undefined : { hi: newest.maxHi, lo: newest.maxLo }
  }

  /** The next chunks as runs. */
  async read(): Promise<PostRun[]> {
    const newest = this.#generations[this.#left - 1]
    if (newest === undefined) return []
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
