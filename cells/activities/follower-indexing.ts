// Puts the edges of readers who came from another cell into the index of followers, in the background: millions of rows that no
// dashboard waits for. Lists of followers look at the readers themselves until it is done.

import type { Clock } from '../ports/clock.ts'
import type { CellState, Slot } from './cell-state.ts'
import type { FollowerIndex } from './follower-index.ts'

/** Between two readers' rows: some hundred of them, all over the table, are as dear as a page. */
const PAUSE_MS = 5

export class FollowerIndexing {
  readonly #state: CellState
  readonly #followers: FollowerIndex
  readonly #clock: Clock
  readonly #signal: AbortSignal

  constructor(options: {
    state: CellState
    followers: FollowerIndex
    clock: Clock
    signal: AbortSignal
  }) {
    this.#state = options.state
    this.#followers = options.followers
    this.#clock = options.clock
    this.#signal = options.signal
  }

  /** Until the cell stops. */
  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      const slot = this.#state.complete.find(({ isIndexed }) => !isIndexed)
      if (slot === undefined) await this.#state.replaced.wait(this.#signal)
      else await this.#index(slot)
    }
  }

  async #index(slot: Slot): Promise<void> {
    for (const reader of slot.readers.values()) {
      this.#followers.noteEdges(reader, this.#state.position)
      await this.#followers.flush()
      await this.#clock.sleep(PAUSE_MS, this.#signal)
      if (this.#signal.aborted) return
    }
    slot.isIndexed = true
  }
}
