// Two processes that drive moves, both awake or one asleep, each with the real driver; and what operators do: plan moves, abort them,
// go back.

import { Mover } from '../../cells/activities/mover.ts'
import {
  differenceOf,
  NotVerified,
  VERIFICATION_LIMITS,
} from '../../cells/activities/verification.ts'
import { advance, type MoveEvent, planMove } from '../../cells/model/move.ts'
import { type Move, ownerOf, type Placement } from '../../cells/model/placement.ts'
import { hasReached } from '../../cells/model/position.ts'
import type { CellClient, SlotsReport } from '../../cells/ports/cell-client.ts'
import type { CellHost } from './cell-host.ts'
import { InjectedFault } from './cell-process.ts'
import { ControlDown, placementsFor } from './placement-store.ts'
import type { Dice } from './random.ts'
import { known, Violation } from './violation.ts'
import type { World } from './world.ts'

const DEAD_AFTER_US = 20_000_000
const VERIFY_US = 600_000_000

export class Movers {
  readonly #world: World
  readonly #dice: Dice
  readonly #ending = new AbortController()
  /** Those asleep: nothing that they wait for comes. */
  readonly #sleeping = new Map<number, (() => void)[]>()

  constructor(world: World, dice: Dice) {
    this.#world = world
    this.#dice = dice
  }

  start(): void {
    for (const id of [1, 2]) this.#run(id)
  }

  stop(): void {
    this.#ending.abort()
    for (const id of [1, 2]) this.#wake(id)
  }

  async operate(): Promise<void> {
    const { control } = this.#world
    const act = this.#dice.weighted({ plan: 10, abort: 1, 'roll back': 4, sleep: 2, down: 1 })
    if (act === 'sleep') return this.#sleepAWhile()
    if (act === 'down') return this.#downAWhile()
    if (act === 'plan') {
      this.#say(this.#plan(control.placement), 'step: move planned')
      return
    }
    const { moves } = control.placement
    if (moves.length === 0) return
    const move = this.#dice.pick(moves)
    if (act === 'abort') this.#change(move, { kind: 'aborted' }, 'step: move aborted')
    else if (await this.#mayGoBack(move)) {
      this.#change(move, { kind: 'rolled-back' }, 'step: move rolled back')
    }
  }

  #plan(placement: Placement): ReturnType<typeof planMove> {
    const first = this.#dice.below(placement.slots)
    const last = Math.min(placement.slots - 1, first + this.#dice.below(2))
    const { cell: owner } = ownerOf(placement, first)
    const to = this.#dice.pick(placement.cells.filter((cell) => cell !== owner))
    return planMove(placement, { slots: [{ first, last }], to }, this.#world.wall.nowMs)
  }

  #change(move: Move, event: MoveEvent, step: string): void {
    const { control, wall } = this.#world
    this.#say(advance(control.placement, move.id, event, wall.nowMs), step)
  }

  #say(next: ReturnType<typeof advance>, step: string): void {
    const { control, tally } = this.#world
    if ('refused' in next || control.isDown) return
    control.replace(control.found.revision, next)
    tally.add(step)
  }

  /** The source still has what it gave away, and has passed the target. */
  async #mayGoBack(move: Move): Promise<boolean> {
    if (move.phase.kind !== 'retiring') return false
    const target = await this.#report(move.to)
    const source = await this.#report(move.from)
    if (source?.ready !== true || !source.retained.includes(move.id)) return false
    return target !== undefined && hasReached(source.position, target.position)
  }

  async #sleepAWhile(): Promise<void> {
    const id = this.#dice.between(1, 2)
    if (this.#sleeping.has(id)) return
    this.#sleeping.set(id, [])
    await this.#world.sleepUs(this.#dice.below(400_000_000))
    this.#wake(id)
    this.#world.tally.add('step: mover slept')
  }

  async #downAWhile(): Promise<void> {
    const { control, tally } = this.#world
    if (control.isDown) return
    control.isDown = true
    await this.#world.sleepUs(this.#dice.below(200_000_000))
    control.isDown = false
    tally.add('fault: control store down')
  }

  #wake(id: number): void {
    const waiting = this.#sleeping.get(id) ?? []
    this.#sleeping.delete(id)
    for (const goOn of waiting) goOn()
  }

  #run(id: number): void {
    const world = this.#world
    const { scheduler, control, wall } = world
    const dice = this.#dice
    const awake = async <T>(value: T): Promise<T> => {
      const waiting = this.#sleeping.get(id)
      if (waiting !== undefined) await new Promise<void>((resolve) => waiting.push(resolve))
      return value
    }
    const { read, replace } = placementsFor(control, { scheduler, dice, name: `mover ${id}` })
    const mover = new Mover(
      {
        placements: {
          read: () => read().then(awake),
          replace: async (revision, placement) => {
            await awake(undefined)
            const before = control.placement
            const isDone = await replace(revision, placement).then(awake)
            if (isDone) this.#count(before, placement)
            return isDone
          },
        },
        clock: {
          nowMs: () => wall.nowMs,
          sleep: (ms, signal) => world.sleepUnless(ms * 1000, signal).then(awake),
          yield: () => world.sleepUs(0),
        },
        report: (cell, query) => this.#report(cell, query).then(awake),
        isDead: (cell) => Promise.resolve(this.#isDead(cell)).then(awake),
        verify: (move) => this.#verify(move).then(awake),
      },
      { stepMs: 3_000, idleMs: 3_000, retireMs: dice.pick([10_000, 120_000]) },
    )
    const failed = (error: unknown): void => {
      const isFault = error instanceof ControlDown || error instanceof InjectedFault
      if (!isFault && !(error instanceof NotVerified)) world.report(error, `mover ${id}`)
    }
    void mover.run(this.#ending.signal, failed)
  }

  #count(before: Placement, after: Placement): void {
    for (const { id, phase } of after.moves) {
      const old = before.moves.find((move) => move.id === id)
      if (old !== undefined && old.phase.kind !== phase.kind) {
        this.#world.tally.add(`step: move ${phase.kind}`)
      }
    }
  }

  async #report(cell: string, query = { logEnd: false }): Promise<SlotsReport | undefined> {
    const host = this.#hostOf(cell)
    await this.#world.sleepUs(this.#dice.below(300_000))
    const { serving } = host
    const report = await Promise.race([serving?.cell.slots(query), serving?.process.died])
    return report ?? undefined
  }

  async #verify(move: Move): Promise<string | undefined> {
    const source = this.#isDead(move.from) ? undefined : this.#client(move.from)
    const target = this.#client(move.to)
    const ending = new AbortController()
    const timer = this.#world.scheduler.after(VERIFY_US, 'verification', () => ending.abort())
    const limits = { ...VERIFICATION_LIMITS, postsMax: this.#dice.pick([3, 1_000]) }
    const clock = { yield: () => this.#world.sleepUs(0) }
    const detail = await differenceOf(move, { source, target, clock }, ending.signal, limits)
    timer.isCancelled = true
    if (detail !== undefined) throw new Violation(`a move differs: ${detail}`)
    this.#world.tally.add('step: move verified')
    return detail
  }

  /** Calls to a cell that fail when its process dies. */
  #client(cell: string): CellClient {
    const { serving } = this.#hostOf(cell)
    if (serving === undefined) throw new InjectedFault(`${cell} does not serve`)
    const died = serving.process.died.then(() => Promise.reject(new InjectedFault('it died')))
    died.catch(() => undefined)
    return new Proxy<CellClient>(serving.cell, {
      get(target, property) {
        const member: unknown = Reflect.get(target, property)
        if (typeof member !== 'function') return member
        return (...args: unknown[]): unknown =>
          Promise.race([Reflect.apply(member, target, args) as Promise<unknown>, died])
      },
    })
  }

  #isDead(cell: string): boolean {
    const downSinceUs = this.#hostOf(cell).downSinceUs
    return downSinceUs !== undefined && this.#world.scheduler.nowUs - downSinceUs > DEAD_AFTER_US
  }

  #hostOf(cell: string): CellHost {
    return known(
      this.#world.hosts.find(({ name }) => name === cell),
      `cell ${cell}`,
    )
  }
}

export function movesAreOver({ control }: World): boolean {
  return control.placement.moves.length === 0
}
