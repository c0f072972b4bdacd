// The class of each reader, by what the cell knows at this moment.

import { type Reader, seenMs } from '../model/reader.ts'
import {
  type HeavyBound,
  heavyBound,
  type ReaderClass,
  readerClassOf,
} from '../model/reader-class.ts'
import type { CellState, Slot } from './cell-state.ts'

export class ReaderClasses {
  readonly #state: CellState
  readonly #isWatching: (reader: number) => boolean
  #heavy: HeavyBound

  constructor(options: { state: CellState; isWatching: (reader: number) => boolean }) {
    const { costs, limits, startedMs } = options.state
    this.#state = options.state
    this.#isWatching = options.isWatching
    this.#heavy = heavyBound(undefined, costs, limits.policy, startedMs)
  }

  /** By what is measured now. */
  decide(nowMs: number): void {
    const { costs, limits } = this.#state
    this.#heavy = heavyBound(this.#heavy, costs, limits.policy, nowMs)
  }

  of(reader: Reader, slot: Slot, nowMs: number): ReaderClass {
    const facts = {
      isWatching: this.#isWatching(reader.number),
      // Those of another cell's slots are seen there.
      unseenMs: slot.isOwned ? nowMs - seenMs(reader) : 0,
      follows: reader.edges.size,
    }
    const { dormantMs } = this.#state.limits.policy
    return readerClassOf(facts, { dormantMs, heavy: this.#heavy })
  }
}
