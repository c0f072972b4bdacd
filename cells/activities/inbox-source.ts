// The inbox as a source of the merge: a reader's chunks, newest generation first, read some at a time, month by month. Until the
// next chunks are read, the generations' ids bound what they may hold.

import { decodeChunk } from '../model/chunk.ts'
import type { PostRun } from '../model/merge.ts'
import type { Chunk, InboxTable } from '../ports/cell-store.ts'
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

  constructor(options: { state: CellState; table: InboxTable; slot: Slot; reader: number }) {
    this.#table = options.table
    this.#slot = options.slot
    this.#reader = options.reader
    this.#batch = options.state.limits.chunkBatch
    this.#generations = options.state.generations
    this.#left = options.state.generations.length
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
    const { chunks, oldest } = await this.#wholeGenerations(month, newest.generation + 1)
    while (this.#left > 0 && this.#isRead(this.#generations[this.#left - 1], month, oldest))
      this.#left--
    return chunks.map((chunk) => decodeChunk(chunk.bytes))
  }

  /**
   * Some chunks, down to and with all parts of generation `oldest`; undefined: down to the month's end. The last generation of
   * a full batch may lack parts, so it is left for the next read.
   */
  async #wholeGenerations(
    month: number,
    below: number,
  ): Promise<{ readonly chunks: readonly Chunk[]; readonly oldest: number | undefined }> {
    for (let limit = this.#batch; ; limit *= 2) {
      const chunks = await this.#table.chunksBelow(this.#slot, month, this.#reader, below, limit)
      const cut = chunks.length < limit ? undefined : chunks.at(-1)?.generation
      if (cut === undefined) return { chunks, oldest: undefined }
      const whole = chunks.filter(({ generation }) => generation > cut)
      const last = whole.at(-1)
      if (last !== undefined) return { chunks: whole, oldest: last.generation }
    }
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
