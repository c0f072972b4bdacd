// When a cell may answer: once it has applied everything that was in the log when it started, or when it was last suspended. Before
// that, something which this cell has shown (before a crash; or another process of it, while this one slept) could be missing.
//
//     catching up --the log's end, read since, is applied--> ready
//          ^                                                  |
//          +------------------- suspend ----------------------+
//
// A cell that was rebuilt does not answer either while it has an open gap (model/gap.ts), but to whoever is about to close it.

import { hasReached, type Position } from '../model/position.ts'
import { Bell } from './bell.ts'
import type { CellState } from './cell-state.ts'
import type { Claim } from './claim.ts'
import type { Persistence } from './persist.ts'

export class Readiness {
  readonly #state: CellState
  readonly #persistence: Persistence
  readonly #claim: Claim
  readonly #signal: AbortSignal
  readonly #logEnd: () => Promise<Position>
  readonly #suspended = new Bell()
  /** Between the end of the start and whatever ends the cell. */
  isOpen = false
  /** How often catching up began; and for which of them it has ended. */
  #begun = 1
  #reached = 0

  constructor(options: {
    state: CellState
    persistence: Persistence
    claim: Claim
    signal: AbortSignal
    logEnd: () => Promise<Position>
  }) {
    this.#state = options.state
    this.#persistence = options.persistence
    this.#claim = options.claim
    this.#signal = options.signal
    this.#logEnd = options.logEnd
  }

  open(): void {
    this.isOpen = true
    this.#state.moved.ring()
  }

  close(): void {
    this.isOpen = false
  }

  /** Whether the cell answers; `early`: what may be asked while a gap is open. */
  isReady(early = false): boolean {
    return this.isOpen && this.isCaughtUp && (early || this.#state.openGap.length === 0)
  }

  /** Resolves true when the cell is ready, false when the signal aborts before or the cell stops. */
  async ready(signal: AbortSignal, early = false): Promise<boolean> {
    while (!this.isReady(early)) {
      if (signal.aborted || this.#signal.aborted) return false
      await this.#state.moved.wait(signal)
    }
    return true
  }

  get isCaughtUp(): boolean {
    return this.#reached === this.#begun
  }

  /** From now on the cell is not caught up until it has reached the log's end as read from now on. Ends it if it was superseded. */
  suspend(): void {
    this.#begun++
    this.#suspended.ring()
  }

  /** Catches up, whenever that is due, until the cell stops. */
  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      if (this.isCaughtUp) await this.#suspended.wait(this.#signal)
      else await this.#catchUp()
    }
  }

  /** Resolves true when it is caught up, false when the signal aborts before. */
  async caughtUp(signal: AbortSignal): Promise<boolean> {
    while (!this.isCaughtUp) {
      if (signal.aborted || this.#signal.aborted) return false
      await this.#state.moved.wait(signal)
    }
    return true
  }

  async #catchUp(): Promise<void> {
    const turn = this.#begun
    await this.#claim.confirm()
    const end = await this.#persistence.untilDurable(this.#logEnd)
    if (!(await this.#state.reached(end, this.#signal))) return
    // Rows that reflected more than the checkpoint reflect less than that end.
    for (const reader of this.#state.readers.values()) {
      // One that came from another cell meanwhile may reflect more.
      if (hasReached(end, reader.recoveredAt ?? [])) reader.recoveredAt = undefined
    }
    this.#reached = turn
    this.#state.moved.ring()
  }
}
