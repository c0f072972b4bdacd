// What time it is, as everyone believes. The wall is virtual time since the seed's beginning, plus leaps over hours or weeks in
// which everybody slept; each machine's clock is off by some amount of its own, which may jump either way.

import type { Clock } from '../../cells/ports/clock.ts'
import type { CellProcess } from './cell-process.ts'
import type { Dice } from './random.ts'
import type { Scheduler } from './scheduler.ts'

export class Wall {
  readonly #scheduler: Scheduler
  readonly #startMs: number
  #leaptMs = 0

  constructor(scheduler: Scheduler, startMs: number) {
    this.#scheduler = scheduler
    this.#startMs = startMs
  }

  get nowMs(): number {
    return this.#startMs + this.#leaptMs + Math.floor(this.#scheduler.nowUs / 1000)
  }

  /** Everybody wakes up so much later. */
  leap(ms: number): void {
    this.#leaptMs += ms
  }
}

/** A clock that somebody reads; `offMs` may be changed under them. */
export class SkewedClock {
  readonly #wall: Wall
  offMs: number

  constructor(wall: Wall, offMs: number) {
    this.#wall = wall
    this.offMs = offMs
  }

  get nowMs(): number {
    return this.#wall.nowMs + this.offMs
  }
}

/** The clock of a cell's process: reading it takes time now and then, so that slices of work end. */
export function clockOf(process: CellProcess, clock: SkewedClock, dice: Dice): Clock {
  let spentMs = 0
  return {
    nowMs() {
      if (dice.chance(0.3)) spentMs++
      return clock.nowMs + spentMs
    },
    sleep(ms, signal) {
      return new Promise((resolve) => {
        const wake = (): void => process.later('is woken', 0, resolve)
        const delayUs = signal?.aborted === true ? 0 : ms * 1000 + dice.below(50_000)
        signal?.addEventListener('abort', wake, { once: true })
        process.later('wakes', delayUs, () => {
          signal?.removeEventListener('abort', wake)
          resolve()
        })
      })
    },
    yield() {
      return new Promise((resolve) => {
        process.later('goes on', dice.below(3_000), resolve)
      })
    },
  }
}
