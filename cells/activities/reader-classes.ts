// The class of each reader, by what the cell knows at this moment.

import { mayWalk } from '../model/merge-way.ts'
import { type Reader, seenMs } from '../model/reader.ts'
import { type ReaderClass, readerClassOf } from '../model/reader-class.ts'
import type { CellState, Slot } from './cell-state.ts'

export class ReaderClasses {
  readonly #state: CellState
  readonly #isWatching: (reader: number) => boolean

  constructor(options: { state: CellState; isWatching: (reader: number) => boolean }) {
    this.#state = options.state
    this.#isWatching = options.isWatching
  }

  of(reader: Reader, slot: Slot, nowMs: number): ReaderClass {
    const { costs, limits } = this.#state
    const isWatching = this.#isWatching(reader.number)
    const facts = {
      isWatching,
      // Those of another cell's slots are seen there.
      unseenMs: slot.isOwned ? nowMs - seenMs(reader) : 0,
      // A window that is hardly filled is walked by everybody.
      mayWalk: mayWalk(Number.POSITIVE_INFINITY, reader.edges.size, costs),
    }
    return readerClassOf(facts, limits.policy)
  }
}
