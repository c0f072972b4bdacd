// Lets long work go on in slices amid what else the process does. A slice grows with the turn that others had before it: where all are
// busy, a fixed one would be a part of the time that gets smaller the more there is to do.

import type { Clock } from '../ports/clock.ts'

/** Of what others took. */
const SHARE = 1 / 3
/** A slice is at most so many times as long as the least. */
const TIMES_MAX = 5

export class Slices {
  readonly #clock: Pick<Clock, 'nowMs' | 'yield'>
  readonly #leastMs: number
  #startMs = 0
  #lengthMs: number
  #turn: Promise<void> | undefined

  constructor(clock: Pick<Clock, 'nowMs' | 'yield'>, leastMs: number) {
    this.#clock = clock
    this.#leastMs = leastMs
    this.#lengthMs = leastMs
  }

  /** A clock that steps back ends it. */
  get isOver(): boolean {
    return Math.abs(this.#clock.nowMs() - this.#startMs) >= this.#lengthMs
  }

  /** Resolves when others have had their turn; whoever works beside goes on in the same slice. */
  next(): Promise<void> {
    this.#turn ??= this.#giveTurn()
    return this.#turn
  }

  async #giveTurn(): Promise<void> {
    const begunMs = this.#clock.nowMs()
    await this.#clock.yield()
    this.#startMs = this.#clock.nowMs()
    const othersMs = this.#startMs - begunMs
    const least = this.#leastMs
    this.#lengthMs = Math.min(TIMES_MAX * least, Math.max(least, SHARE * othersMs))
    this.#turn = undefined
  }
}
