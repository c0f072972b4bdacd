// Lets a copy take its next step when its source has room for it: others come first (copy-pace.ts). Steps of one copy that would be
// taken at the same time are taken one after the other, with other work between them: together they would hold the process up.

import { type Busyness, CopyPace } from '../model/copy-pace.ts'
import type { Clock } from '../ports/clock.ts'

const LOOK_MS = 500

export class Throttle {
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #busyness: () => Promise<Busyness | undefined>
  readonly #pace = new CopyPace()
  /** Full steps that were taken since the last pause. */
  #owed = 0
  #last: Promise<void> = Promise.resolve()
  #lookedMs = Number.NEGATIVE_INFINITY

  constructor(options: {
    readonly clock: Clock
    readonly signal: AbortSignal
    /** How the source fares now; rejects when that can not be told. */
    readonly busyness: () => Promise<Busyness | undefined>
  }) {
    this.#clock = options.clock
    this.#signal = options.signal
    this.#busyness = options.busyness
  }

  /** `part`: of a full step, that is as much as is done without a pause. Rejects with the signal's reason. */
  async step(part = 1): Promise<void> {
    this.#signal.throwIfAborted()
    const nowMs = this.#clock.nowMs()
    if (Math.abs(nowMs - this.#lookedMs) >= LOOK_MS) {
      this.#lookedMs = nowMs
      this.#pace.note(await this.#busyness().catch(() => undefined))
    }
    const { pauseMs } = this.#pace
    this.#owed += part
    if (this.#owed >= 1) {
      this.#owed -= 1
      if (pauseMs > 0) await this.#clock.sleep(pauseMs, this.#signal)
    }
    await this.turn()
  }

  /** Others have their turn. Of what the copy does at the same time one part goes on after it, then the next. Rejects as `step`. */
  async turn(): Promise<void> {
    this.#last = this.#last.then(() => this.#clock.yield())
    await this.#last
    this.#signal.throwIfAborted()
  }
}
