// Puts the edges of readers who came from another cell into the index of followers, in the background: millions of rows that no
// dashboard waits for. Lists of followers look at the readers themselves until it is done.

import type { Clock } from '../ports/clock.ts'
import type { CellState, Slot } from './cell-state.ts'
import type { FollowerIndex } from './follower-index.ts'

const READERS_AT_ONCE = 16

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
    let noted = 0
    for (const reader of slot.readers.values()) {
      this.#followers.noteEdges(reader, this.#state.position)
      if (++noted % READERS_AT_ONCE !== 0) continue
      await this.#followers.flush()
      await this.#clock.yield()
      if (this.#signal.aborted) return
    }
    await this.#followers.flush()
    slot.isIndexed = true
  }
}
