// Two controllers, both awake or one asleep, each with the real mover and caretaker; and what operators do: plan moves, abort, pause
// and take back some, say who stands by for whom, and have a standby take over.

import { Caretaker } from '../../cells/activities/caretaker.ts'
import { Mover } from '../../cells/activities/mover.ts'
import {
  differenceOf,
  NotVerified,
  VERIFICATION_LIMITS,
} from '../../cells/activities/verification.ts'
import { advance, isMoving, type MoveEvent } from '../../cells/model/move.ts'
import {
  type Move,
  type Placement,
  type SlotRange,
  slotOf,
  slotsIn,
} from '../../cells/model/placement.ts'
import { hasReached } from '../../cells/model/position.ts'
import { setStandby } from '../../cells/model/standbys.ts'
import type { CellClient, SlotsQuery, SlotsReport } from '../../cells/ports/cell-client.ts'
import type { CellHost } from './cell-host.ts'
import { InjectedFault } from './cell-process.ts'
import { ChangeCheck } from './move-checks.ts'
import { planSome } from './plan-some.ts'
import { ControlDown, type ControlView, placementsFor } from './placement-store.ts'
import type { Dice } from './random.ts'
import { known, Violation } from './violation.ts'
import type { World } from './world.ts'

const ACTS = {
  plan: 10,
  'to and fro': 2,
  abort: 1,
  'roll back': 7,
  sleep: 2,
  down: 1,
  'stand by': 4,
  'take over': 3,
  pause: 1,
} as const
const DEAD_AFTER_US = 20_000_000
const VERIFY_US = 600_000_000

export class Movers {
  readonly #world: World
  readonly #dice: Dice
  readonly #adoptUs: number
  readonly #ending = new AbortController()
  /** Those asleep: nothing that they wait for comes. */
  readonly #sleeping = new Map<number, (() => void)[]>()
  /** When each cell was last found dead. */
  readonly #deaths = new Map<string, number>()
  /** Told before each step of a mover: it may be put to sleep here. */
  onStep: (id: number) => void = () => {}

  constructor(world: World, dice: Dice) {
    this.#world = world
    this.#dice = dice
    this.#adoptUs = dice.chance(0.3) ? 60_000_000 : Number.POSITIVE_INFINITY
  }

  start(): void {
    const likely = this.#dice.pick([0, 0, 0.6, 1])
    for (const cell of this.#world.placement.cells) {
      if (!this.#dice.chance(likely)) continue
      this.#say(this.#rule(cell), 'step: rule of standbys', this.#operator())
    }
    for (const id of [1, 2]) this.drive(id)
  }

  stop(): void {
    this.#ending.abort()
    for (const id of [1, 2]) this.#wake(id)
  }

  /** Nothing that it waits for comes any more. */
  crash(id: number): void {
    if (!this.#sleeping.has(id)) this.#sleeping.set(id, [])
  }

  /** What an operator wants, unless it is refused. */
  want(next: ReturnType<typeof advance>, step: string): void {
    this.#say(next, step, this.#operator())
  }

  async rollBack(move: Move): Promise<void> {
    const operator = this.#operator()
    if (!(await this.#mayGoBack(move))) return
    this.#change(move, { kind: 'rolled-back' }, 'step: move rolled back', operator)
  }

  async operate(): Promise<void> {
    const { control } = this.#world
    const operator = this.#operator()
    const act = this.#dice.weighted(ACTS)
    if (act === 'sleep') return this.#sleepAWhile()
    if (act === 'down') return this.#downAWhile()
    if (act === 'plan') {
      this.#say(planSome(this.#world, this.#dice), 'step: move planned', operator)
      return
    }
    if (act === 'to and fro') return this.#moveToAndFro()
    if (act === 'stand by') {
      const cell = this.#dice.pick(control.placement.cells)
      this.#say(this.#rule(cell), 'step: rule of standbys', operator)
      return
    }
    const { moves } = control.placement
    if (moves.length === 0) return
    const move = this.#dice.pick(moves)
    if (act === 'abort') this.#change(move, { kind: 'aborted' }, 'step: move aborted', operator)
    else if (act === 'pause') return this.#pauseAWhile(move)
    else if (act === 'take over') {
      if (!(await this.#mayTakeOver(move))) return
      this.#change(
        move,
        { kind: 'cut-over', isTakeover: false },
        'step: standby asked to take over',
        operator,
      )
    } else await this.rollBack(move)
  }

  #rule(cell: string): ReturnType<typeof setStandby> {
    const { placement, wall } = this.#world
    const others = placement.cells.filter((other) => other !== cell)
    const standby = this.#dice.chance(0.8) ? this.#dice.pick(others) : undefined
    return setStandby(placement, { cell, standby }, wall.nowMs)
  }

  async #pauseAWhile(move: Move): Promise<void> {
    this.#change(move, { kind: 'paused' }, 'step: move paused', this.#operator())
    await this.#world.sleepUs(this.#dice.below(100_000_000))
    while (this.#world.control.isDown) await this.#world.sleepUs(1_000_000)
    this.#change(move, { kind: 'resumed' }, 'step: move resumed', this.#operator())
  }

  /** The standby has passed the source, which is alive. */
  async #mayTakeOver(move: Move): Promise<boolean> {
    if (!move.isStandby || move.phase.kind !== 'ready') return false
    const source = await this.#report(move.from)
    const target = await this.#report(move.to)
    if (source === undefined || target?.ready !== true) return false
    const { term } = move.phase
    const isHeld = target.arrived.some((each) => each.move === move.id && each.term === term)
    return isHeld && hasReached(target.position, source.position)
  }

  /** Somebody's slot moves away, and again as soon as that is over: what it left behind is hardly dropped. */
  async #moveToAndFro(): Promise<void> {
    const { control, users, hosts } = this.#world
    const slot = slotOf(this.#dice.pick(users).key, control.placement.slots)
    let rounds = this.#dice.between(2, 5)
    if (this.#dice.chance(0.5)) for (const { weather } of hosts) weather.slowOp = 'readers.dropTerm'
    for (let waited = 0; rounds > 0 && waited < 400; waited++) {
      const isBusy = control.placement.moves.some(
        (move) => isMoving(move) && slotsIn(move.slots).includes(slot),
      )
      if (!isBusy) {
        rounds--
        const planned = planSome(this.#world, this.#dice, slot)
        this.#say(planned, 'step: move planned', this.#operator())
      }
      await this.#world.sleepUs(1_000_000)
    }
    for (const { weather } of hosts) weather.slowOp = undefined
  }

  #change(move: Move, event: MoveEvent, step: string, operator: ChangeCheck): void {
    const { control, wall } = this.#world
    this.#say(advance(control.placement, move.id, event, wall.nowMs), step, operator)
  }

  #say(next: ReturnType<typeof advance>, step: string, operator: ChangeCheck): void {
    const { control, tally } = this.#world
    if ('refused' in next || control.isDown) return
    const before = control.placement
    control.replace(control.found.revision, next)
    operator.changed(before, next)
    tally.add(step)
  }

  /** Somebody who looks now, and then changes something. */
  #operator(): ChangeCheck {
    const operator = new ChangeCheck(this.#world, this.#deaths)
    operator.noteRead()
    return operator
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

  /** A controller, from now on. */
  drive(id: number): void {
    const world = this.#world
    const { scheduler, wall } = world
    const dice = this.#dice
    const awake = async <T>(value: T): Promise<T> => {
      this.onStep(id)
      const waiting = this.#sleeping.get(id)
      if (waiting !== undefined) await new Promise<void>((resolve) => waiting.push(resolve))
      return value
    }
    const placementsOf = (name: string) => {
      const parts = { scheduler, dice, name: `${name} ${id}` }
      const { read, replace } = placementsFor(this.#viewOfControl(), parts)
      return {
        read: () => read().then(awake),
        replace: async (revision: number, placement: Placement) => {
          await awake(undefined)
          return replace(revision, placement).then(awake)
        },
      }
    }
    const mover = new Mover(
      {
        placements: placementsOf('mover'),
        clock: {
          nowMs: () => wall.nowMs,
          sleep: (ms, signal) => world.sleepUnless(ms * 1000, signal).then(awake),
          yield: () => world.sleepUs(0),
        },
        report: (cell, query) => this.#report(cell, query).then(awake),
        isDead: (cell) => Promise.resolve(this.#isDead(cell)).then(awake),
        verify: (move) => this.#verify(move).then(awake),
      },
      {
        stepMs: 3_000,
        idleMs: 3_000,
        retireMs: dice.pick([1_000, 10_000, 120_000]),
        returnMs: dice.pick([0, 60_000]),
        awayMs: dice.pick([60_000, 3_600_000]),
      },
    )
    const caretaker = new Caretaker({
      placements: placementsOf('caretaker'),
      clock: { nowMs: () => wall.nowMs },
      isLost: (cell) => Promise.resolve(this.#isDead(cell, this.#adoptUs)).then(awake),
      isWell: (cell) =>
        this.#report(cell)
          .then(awake)
          .then((report) => report?.ready === true),
    })
    const failed = (error: unknown): void => {
      const isFault = error instanceof ControlDown || error instanceof InjectedFault
      if (!isFault && !(error instanceof NotVerified)) world.report(error, `mover ${id}`)
    }
    void mover.run(this.#ending.signal, failed)
    void this.#takeCare(caretaker, failed)
  }

  async #takeCare(caretaker: Caretaker, failed: (error: unknown) => void): Promise<void> {
    while (!this.#ending.signal.aborted) {
      await caretaker.step().catch(failed)
      await this.#world.sleepUnless(5_000_000, this.#ending.signal)
    }
  }

  /** As whoever changes it by itself sees the control store. */
  #viewOfControl(): ControlView {
    const { control } = this.#world
    const check = new ChangeCheck(this.#world, this.#deaths)
    return {
      isDown: () => control.isDown,
      find: () => {
        check.noteRead()
        return control.found
      },
      replace: (revision, placement) => {
        const before = control.placement
        if (!control.replace(revision, placement)) return false
        this.#count(before, placement)
        check.changedByItself(before, placement)
        return true
      },
    }
  }

  #count(before: Placement, after: Placement): void {
    for (const { id, phase, isStandby } of after.moves) {
      const old = before.moves.find((move) => move.id === id)
      const { tally } = this.#world
      const name = isStandby ? 'standby' : 'move'
      if (old === undefined) tally.add(`step: ${name} planned by itself`)
      else if (old.phase.kind !== phase.kind) tally.add(`step: ${name} ${phase.kind}`)
    }
    for (const { id, phase } of before.moves) {
      if (phase.kind !== 'retiring' || !phase.isTakeover) continue
      if (after.moves.some((move) => move.id === id)) continue
      const isBack = before.epoch < after.epoch && ownedBy(after, phase.left)
      this.#world.tally.add(isBack ? 'step: taken back' : 'step: taken over for good')
    }
  }

  async #report(cell: string, query: SlotsQuery = {}): Promise<SlotsReport | undefined> {
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

  #isDead(cell: string, afterUs = DEAD_AFTER_US): boolean {
    const { nowUs } = this.#world.scheduler
    const { downSinceUs } = this.#hostOf(cell)
    if (cell === this.#world.keptAside) return false
    if (downSinceUs === undefined || nowUs - downSinceUs <= afterUs) return false
    this.#deaths.set(cell, nowUs)
    return true
  }

  #hostOf(cell: string): CellHost {
    return known(
      this.#world.hosts.find(({ name }) => name === cell),
      `cell ${cell}`,
    )
  }
}

/** The left ranges are their cell's again. */
function ownedBy({ ranges }: Placement, left: readonly SlotRange[]): boolean {
  return left.every(({ first, cell, term }) =>
    ranges.some((r) => r.first <= first && first <= r.last && r.cell === cell && r.term === term),
  )
}

/** Standbys stay. */
export function movesAreOver({ control }: World): boolean {
  return control.placement.moves.every((move) => !isMoving(move) && move.phase.kind === 'ready')
}
