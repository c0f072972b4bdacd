// What goes wrong around one cell, by dice: how slow and how unreliable its store and its part of the network are at the
// moment. It belongs to the machine, so it outlives a crash of the cell.

import type { Dice } from './random.ts'

/** Crash at the nth time that something is done, at its beginning or just before it is acknowledged. */
export type Trap = {
  readonly op: string
  /** Names that begin so do not count. */
  readonly but?: readonly string[]
  readonly at: 'issue' | 'acknowledge'
  countdown: number
}

export class Weather {
  readonly #dice: Dice
  /** Probabilities that a store call is rejected. */
  failingReads = 0
  failingWrites = 0
  /** Writes fail only where the operation's name begins so. */
  failingTable = ''
  failingCache = 0
  /** All delays are multiplied by this. */
  slowness = 1
  /** The same for what the log delivers: the cell lags. */
  lag = 1
  /** Chunks of this slot are never acknowledged: the store's client gives up on them. */
  stuckSlot: number | undefined
  /** Calls whose name begins so take seconds, up to a minute. */
  slowOp: string | undefined
  trap: Trap | undefined
  /** What waits for the machine to wake up; undefined while it is awake. */
  #sleepers: (() => void)[] | undefined

  constructor(dice: Dice) {
    this.#dice = dice
  }

  get isCalm(): boolean {
    const isFailing = this.failingReads + this.failingWrites + this.failingCache > 0
    return (
      !isFailing &&
      this.#sleepers === undefined &&
      this.slowness === 1 &&
      this.lag === 1 &&
      this.slowOp === undefined &&
      this.stuckSlot === undefined
    )
  }

  /** Mostly milliseconds, sometimes a second, rarely many. */
  delayUs(op: string): number {
    if (this.slowOp !== undefined && op.startsWith(this.slowOp)) {
      return this.#dice.between(1_000_000, 60_000_000)
    }
    const kind = this.#dice.below(100)
    const us =
      kind < 70
        ? this.#dice.between(100, 20_000)
        : kind < 96
          ? this.#dice.between(5_000, 900_000)
          : this.#dice.between(500_000, 12_000_000)
    return us * this.slowness
  }

  rejectsRead(): boolean {
    return this.failingReads > 0 && this.#dice.chance(this.failingReads)
  }

  rejectsWrite(op: string): boolean {
    if (this.failingWrites === 0 || !op.startsWith(this.failingTable)) return false
    return this.#dice.chance(this.failingWrites)
  }

  rejectsCache(): boolean {
    return this.failingCache > 0 && this.#dice.chance(this.failingCache)
  }

  /** Whether the trap goes off now. */
  springs(op: string, at: Trap['at']): boolean {
    const trap = this.trap
    if (trap === undefined || trap.at !== at || !op.startsWith(trap.op)) return false
    if (trap.but?.some((name) => op.startsWith(name)) === true) return false
    if (trap.countdown-- > 0) return false
    this.trap = undefined
    return true
  }

  /** The machine stands still: nothing reaches its process. */
  fallAsleep(): void {
    this.#sleepers ??= []
  }

  wakeUp(): void {
    const sleepers = this.#sleepers ?? []
    this.#sleepers = undefined
    for (const goOn of sleepers) goOn()
  }

  /** Puts off what happens to a sleeping machine. False when it is awake. */
  sleepsThrough(goOn: () => void): boolean {
    this.#sleepers?.push(goOn)
    return this.#sleepers !== undefined
  }

  clearUp(): void {
    this.failingReads = 0
    this.failingWrites = 0
    this.failingTable = ''
    this.failingCache = 0
    this.slowness = 1
    this.lag = 1
    this.slowOp = undefined
    this.stuckSlot = undefined
    this.trap = undefined
    this.wakeUp()
  }
}
