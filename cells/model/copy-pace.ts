// How long a copy pauses between two reads of its source: not at all while the source is at ease; twice as long each time it is found
// busy, half as long when it is not. It never stands still.

/** How a cell fares: see Vitals; and how far it is behind the log. */
export type Busyness = { readonly readP99Ms: number; readonly lagMs: number }

const PAUSE_MIN_MS = 5
const PAUSE_MAX_MS = 500
/** Reads that take so long are no sign of work. */
const READ_MS = 10
/** How much slower reads may get. */
const SLOWER = 1.5
/** How far the source may fall behind. */
const LAG_MS = 1_000

export class CopyPace {
  #pauseMs = 0
  /** Before the copy. */
  #before: Busyness | undefined

  get pauseMs(): number {
    return this.#pauseMs
  }

  /** Undefined: nothing is known of the source now, or it is dead. */
  note(now: Busyness | undefined): void {
    this.#before ??= now
    if (now === undefined || this.#before === undefined) return
    const isBusy =
      now.readP99Ms > Math.max(READ_MS, this.#before.readP99Ms * SLOWER) ||
      now.lagMs > this.#before.lagMs + LAG_MS
    if (isBusy) this.#pauseMs = Math.min(PAUSE_MAX_MS, Math.max(PAUSE_MIN_MS, this.#pauseMs * 2))
    else this.#pauseMs = this.#pauseMs > PAUSE_MIN_MS ? this.#pauseMs / 2 : 0
  }
}
