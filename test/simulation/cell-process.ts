// One incarnation of a cell, as the world around it sees it: every call through its ports takes virtual time here, and ends
// with the process. A dead process hears nothing any more; what it had begun to write lands or not, by dice, also much later.
//
//      put(rows) --- row lands --- row lands --- acknowledged
//            \ crash here: each row not landed yet is lost, lands on time, or lands after the restart

import type { Dice } from './random.ts'
import type { Scheduler, Task } from './scheduler.ts'
import type { Tally } from './tally.ts'
import type { Weather } from './weather.ts'

/** A store, log or cache call that was rejected by dice. It may have happened all the same. */
export class InjectedFault extends Error {
  readonly code = 'INJECTED_FAULT'
  override readonly name = 'InjectedFault'
}

export type Land = (late: boolean) => void

export type Surroundings = {
  readonly scheduler: Scheduler
  readonly dice: Dice
  readonly weather: Weather
  readonly tally: Tally
  /** Name of the machine in trace lines. */
  readonly machine: string
}

const POSTPONED_US_MAX = 600_000_000
/** When the client of a store gives up. */
const STUCK_US = 5_000_000

export class CellProcess {
  readonly boot: number
  readonly died: Promise<void>
  readonly weather: Weather
  readonly #surroundings: Surroundings
  readonly #unlanded = new Set<Task>()
  /** Of the newest placement that it has seen. */
  knownEpoch = 0
  /** Another incarnation was started while this one slept. */
  isZombie = false
  #isAlive = true
  /** What waits for the process to go on; undefined while it runs. */
  #stopped: (() => void)[] | undefined
  #faults = 0
  #die: () => void = () => undefined

  constructor(surroundings: Surroundings, boot: number) {
    this.#surroundings = surroundings
    this.weather = surroundings.weather
    this.boot = boot
    this.died = new Promise((resolve) => {
      this.#die = resolve
    })
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  /** How many calls were rejected so far: a read that fails without one is a bug. */
  get faults(): number {
    return this.#faults
  }

  /** Runs after a while, unless the process is dead by then; while the machine sleeps, when it wakes up. */
  later(op: string, delayUs: number, run: () => void): void {
    const { scheduler, machine } = this.#surroundings
    scheduler.after(delayUs, `${machine}${this.boot} ${op}`, () => {
      if (!this.#isAlive) return
      const again = (): void => this.later(op, 0, run)
      if (this.#stopped !== undefined) {
        this.#stopped.push(again)
        return
      }
      if (this.weather.sleepsThrough(again)) return
      if (this.weather.springs(op, 'acknowledge')) this.#trapped(op)
      else run()
    })
  }

  /** A call that changes nothing: looks early or late, by dice, and may be rejected. */
  read<T>(
    op: string,
    look: () => T,
    rejects: () => boolean = () => this.weather.rejectsRead(),
  ): Promise<T> {
    const { dice } = this.#surroundings
    return new Promise((resolve, reject) => {
      if (!this.#begins(op)) return
      const early = attempt(dice.chance(0.5) ? look : undefined)
      this.later(op, this.weather.delayUs(op), () => {
        if (rejects()) reject(this.fault(op))
        else settle(early ?? attempt(look), resolve, reject)
      })
    })
  }

  /** A call that makes rows durable one by one, in any order, and then is acknowledged; or is rejected, landed or not. */
  write(
    op: string,
    rows: readonly Land[],
    options: { readonly slot?: number } = {},
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.#begins(op)) return
      const isStuck = options.slot !== undefined && options.slot === this.weather.stuckSlot
      this.#write(op, rows, { resolve, reject, isStuck })
    })
  }

  fault(op: string): InjectedFault {
    this.#faults++
    this.#surroundings.tally.add('fault: call rejected')
    return new InjectedFault(`${op} was rejected`)
  }

  /** Stops the process, not the machine: what it had sent goes on. */
  fallAsleep(): void {
    this.#stopped ??= []
  }

  get isAwake(): boolean {
    return this.#stopped === undefined
  }

  wakeUp(): void {
    const stopped = this.#stopped ?? []
    this.#stopped = undefined
    for (const goOn of stopped) goOn()
  }

  /** The run is over: nothing waits for the process any more. */
  end(): void {
    this.#isAlive = false
    this.#die()
  }

  crash(): void {
    if (!this.#isAlive) return
    this.#isAlive = false
    const { dice, scheduler, machine, tally } = this.#surroundings
    scheduler.after(0, `${machine}${this.boot} dies`, () => undefined)
    if (this.#unlanded.size > 0) tally.add('fault: crash with writes in flight')
    for (const task of this.#unlanded) {
      const fate = dice.below(10)
      if (fate < 5) task.isCancelled = true
      else if (fate < 7) this.#postpone(task)
    }
    this.#unlanded.clear()
    this.#die()
  }

  /** Whether the call reaches the world at all. */
  #begins(op: string): boolean {
    if (!this.#isAlive) return false
    if (!this.weather.springs(op, 'issue')) return true
    // The call has begun: let it be under way when the process dies.
    this.#surroundings.scheduler.after(0, 'trap', () => this.#trapped(op))
    return true
  }

  #trapped(op: string): void {
    if (this.#isAlive) this.#surroundings.tally.add(`fault: crash at ${op}`)
    this.crash()
  }

  #write(
    op: string,
    rows: readonly Land[],
    end: {
      readonly resolve: () => void
      readonly reject: (error: Error) => void
      readonly isStuck: boolean
    },
  ): void {
    const isRejected = end.isStuck || this.weather.rejectsWrite(op)
    const { dice } = this.#surroundings
    let latestUs = 0
    for (const land of rows) {
      const delayUs = this.weather.delayUs(op)
      latestUs = Math.max(latestUs, delayUs)
      const fate = isRejected ? dice.below(10) : 9
      if (fate < 4) continue
      const lateUs = fate < 7 ? dice.below(POSTPONED_US_MAX) : 0
      this.#landAfter(op, delayUs + lateUs, land, isRejected)
    }
    const timeoutUs = end.isStuck ? STUCK_US : this.weather.delayUs(op)
    if (isRejected) this.later(op, timeoutUs, () => end.reject(this.fault(op)))
    else this.later(op, latestUs + 100, end.resolve)
  }

  #landAfter(op: string, delayUs: number, land: Land, isLate: boolean): void {
    const { scheduler, machine } = this.#surroundings
    const task = scheduler.after(
      delayUs,
      `${machine}${this.boot} ${op} lands`,
      () => {
        this.#unlanded.delete(task)
        land(isLate || !this.#isAlive || this.isZombie)
      },
      { isQuiet: true },
    )
    this.#unlanded.add(task)
  }

  #postpone(task: Task): void {
    const { dice, scheduler, tally } = this.#surroundings
    task.isCancelled = true
    tally.add('fault: write lands after the restart')
    scheduler.after(dice.below(POSTPONED_US_MAX), `${task.label} late`, task.run, { isQuiet: true })
  }
}

type Attempt<T> = { readonly value: T } | { readonly error: unknown }

function attempt<T>(look: () => T): Attempt<T>
function attempt<T>(look: (() => T) | undefined): Attempt<T> | undefined
function attempt<T>(look: (() => T) | undefined): Attempt<T> | undefined {
  if (look === undefined) return undefined
  try {
    return { value: look() }
  } catch (error) {
    return { error }
  }
}

function settle<T>(
  outcome: Attempt<T>,
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
): void {
  if ('error' in outcome) reject(outcome.error)
  else resolve(outcome.value)
}
