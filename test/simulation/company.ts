// What moves meet where it hurts: users of a slot who write while it is copied, post and read just before it is given away, and ask its new
// owner at once; somebody whose very first post is an old one, while their slot is on its way; a target that is slow just then, or
// dies between two checkpoints.

import {
  type CellName,
  type Move,
  ownerOf,
  type Placement,
  slotOf,
  slotsIn,
} from '../../cells/model/placement.ts'
import { type UserRef, userRef } from '../../cells/model/user-key.ts'
import type { CellHost } from './cell-host.ts'
import { askCopy } from './copies.ts'
import type { Dice } from './random.ts'
import type { Readers } from './readers.ts'
import type { World } from './world.ts'
import type { Writers } from './writers.ts'

const NEWCOMERS_MAX = 2
const WRITES_MAX = 40
const COPIED_LOOKS = 400
const TRAPS = [
  'readers.put',
  'readers.putReach',
  'readers.dropTerm',
  'inbox.putChunks',
  'followers.put',
  'checkpoints.put',
] as const
const SLOW_WHILE_COPIED = [
  'log.fetch',
  'log.fetch',
  'readers.putReach',
  'checkpoints.put',
  'posts.put',
] as const
const SLOW_BETWEEN = [
  'readers.putReach',
  'readers.putReach',
  'followers.put',
  'inbox.putChunks',
] as const
const AFTER_US = [1_000, 1_000_000, 12_000_000]

export class Company {
  readonly #world: World
  readonly #readers: Readers
  readonly #writers: Writers
  readonly #dice: Dice
  /** How likely a move is met. */
  readonly #chance: number
  #last: Placement
  #newcomers = 0
  #leave: () => void = () => undefined

  constructor(
    world: World,
    parts: { readonly readers: Readers; readonly writers: Writers; readonly dice: Dice },
  ) {
    this.#world = world
    this.#readers = parts.readers
    this.#writers = parts.writers
    this.#dice = parts.dice
    this.#chance = this.#dice.pick([0, 0.3, 0.6])
    this.#last = world.placement
  }

  start(): void {
    this.#leave = this.#world.control.onChange((placement) => this.#meet(placement))
  }

  stop(): void {
    this.#leave()
  }

  #meet(placement: Placement): void {
    const before = this.#last
    this.#last = placement
    for (const move of placement.moves) {
      const old = before.moves.find(({ id }) => id === move.id)
      if (old?.phase.kind === move.phase.kind || !this.#dice.chance(this.#chance)) continue
      this.#world.spawn(`company of move ${move.id}`, () => this.#accompany(move))
    }
    for (let slot = 0; slot < placement.slots; slot++) {
      const { cell } = ownerOf(placement, slot)
      const hasChanged = ownerOf(before, slot).cell !== cell
      if (!hasChanged || !this.#dice.chance(this.#chance)) continue
      this.#world.spawn(`company of slot ${slot}`, () => this.#askAtOnce(slot, cell))
    }
  }

  async #accompany(move: Move): Promise<void> {
    const target = this.#world.hostOf(move.to)
    const slot = this.#dice.pick(slotsIn(move.slots))
    if (this.#dice.chance(0.3)) {
      await this.#world.sleepUs(this.#dice.below(this.#dice.pick(AFTER_US)))
      await askCopy(this.#world, move, this.#dice)
    } else if (move.phase.kind === 'copying') {
      const kind = this.#dice.below(5)
      if (kind === 0) {
        const op = this.#dice.pick(TRAPS)
        const at = this.#dice.pick(['issue', 'acknowledge'] as const)
        target.weather.trap = { op, at, countdown: this.#dice.below(4) }
      } else if (kind === 2) await this.#newcomer(slot)
      else if (kind === 3) await this.#diesBetween(move, target)
      else if (kind === 4 && !move.isStandby) await this.#askBeforeIndexed(move, target)
      else await this.#writeWhileSlow(move, slot)
    } else if (move.phase.kind === 'verifying') {
      // Arrived, and not in the index of followers yet.
      if (this.#dice.chance(0.5)) await this.#slow(target, 'followers.put')
      else await this.#dies(target)
    } else if (move.phase.kind === 'ready') await this.runAhead(move)
  }

  async #slow({ weather }: Pick<CellHost, 'weather'>, op: string): Promise<void> {
    weather.slowOp = op
    await this.#world.sleepUs(this.#dice.between(10_000_000, 120_000_000))
    weather.slowOp = undefined
    this.#world.tally.add('fault: one call slow')
  }

  async #dies(target: CellHost): Promise<void> {
    await this.#world.sleepUs(this.#dice.below(this.#dice.pick(AFTER_US)))
    target.crash()
    if (this.#dice.chance(0.5)) await this.#slow(target, 'followers.put')
  }

  /** All is copied, and one kind of call is slow; it takes a checkpoint or some, then dies. */
  async #diesBetween({ id }: Move, target: CellHost): Promise<void> {
    for (let waited = 0; waited < COPIED_LOOKS && !(await hasCopied(target, id)); waited++) {
      await this.#world.sleepUs(300_000)
    }
    target.weather.slowOp = this.#dice.pick(SLOW_BETWEEN)
    for (let i = this.#dice.between(1, 4); i > 0; i--) {
      await this.#world.sleepUs(this.#dice.below(4_000_000))
      await target.checkpoint()
    }
    await this.#world.sleepUs(this.#dice.below(this.#dice.pick(AFTER_US)))
    target.crash()
    target.weather.slowOp = undefined
    this.#world.tally.add('fault: target dies between checkpoints')
  }

  /** Users of the slot change their relations meanwhile. */
  async #writeWhileSlow({ id, to }: Move, slot: number): Promise<void> {
    const { weather } = this.#world.hostOf(to)
    const isCopied = (): boolean =>
      this.#world.placement.moves.some((move) => move.id === id && move.phase.kind === 'copying')
    weather.slowOp = this.#dice.pick(SLOW_WHILE_COPIED)
    for (let i = 0; i < WRITES_MAX && isCopied(); i++) {
      await this.#world.sleepUs(this.#dice.below(this.#dice.pick(AFTER_US)))
      for (const user of this.#usersOf(slot)) await this.#writers.relate(user)
    }
    weather.slowOp = undefined
    this.#world.tally.add('step: relations changed during a copy')
  }

  /** The new owner lists followers who came with the slot while its index is behind. */
  async #askBeforeIndexed({ slots }: Move, target: CellHost): Promise<void> {
    const [{ first: slot } = { first: 0 }] = slots
    target.weather.slowOp = 'followers.put'
    for (let waited = 0; waited < 300; waited++) {
      if (ownerOf(this.#world.placement, slot).cell === target.name) break
      await this.#world.sleepUs(1_000_000)
    }
    // One that starts again goes on with its index from the beginning, and serves meanwhile.
    if (this.#dice.chance(0.6)) target.crash()
    for (let waited = 0; waited < 100 && target.serving === undefined; waited++) {
      await this.#world.sleepUs(1_000_000)
    }
    for (const author of this.#world.users) await this.#readers.followers(target, author)
    target.weather.slowOp = undefined
    this.#world.tally.add('step: lists asked before they are indexed')
  }

  /** What a cell that is down will never see, if the log forgets it. */
  async relateSome(): Promise<void> {
    const { users } = this.#world
    for (let i = this.#dice.between(0, 4); i > 0; i--) {
      await this.#writers.relate(this.#dice.pick(users))
    }
  }

  async #newcomer(slot: number): Promise<void> {
    if (this.#newcomers >= NEWCOMERS_MAX || slot >= this.#world.placement.slots) return
    const { users, placement, hosts, tally } = this.#world
    const user = newcomerIn(slot, placement.slots, this.#newcomers++)
    users.push(user)
    if (this.#dice.chance(0.5)) {
      for (const { weather } of hosts) weather.slowOp = 'posts.put'
    }
    await this.#world.sleepUs(this.#dice.below(this.#dice.pick(AFTER_US)))
    await this.#writers.publishOld(user)
    await this.#world.sleepUs(30_000_000)
    for (const { weather } of hosts) weather.slowOp = undefined
    tally.add('step: newcomer with an old post')
  }

  /** The source goes on and shows it; the target lags. */
  async runAhead({ slots, to }: Move): Promise<void> {
    const { weather } = this.#world.hostOf(to)
    weather.lag = this.#dice.pick([60, 300])
    for (let i = 0; i < 3; i++) {
      await this.#world.sleepUs(this.#dice.below(1_000_000))
      for (const slot of slotsIn(slots)) await this.#askAnd(slot)
    }
    await this.#world.sleepUs(this.#dice.below(100_000_000))
    weather.lag = 1
    this.#world.tally.add('step: target ran behind')
  }

  async #askAnd(slot: number): Promise<void> {
    for (const user of this.#usersOf(slot)) {
      await this.#writers.publish(user)
      await this.#readers.page(user, { limit: 5, from: undefined, countUnreadTo: 3 })
    }
  }

  async #askAtOnce(slot: number, cell: CellName): Promise<void> {
    const { users } = this.#world
    await this.#world.sleepUs(this.#dice.below(this.#dice.pick(AFTER_US)))
    for (const user of this.#usersOf(slot)) {
      await this.#readers.followers(this.#world.hostOf(cell), this.#dice.pick(users))
      await this.#readers.page(user, { limit: 50, from: undefined, countUnreadTo: 5 })
      await this.#readers.following(user)
      if (this.#dice.chance(0.3)) await this.#writers.publish(user)
    }
    this.#world.tally.add('step: new owner asked at once')
  }

  #usersOf(slot: number): UserRef[] {
    const { users, placement } = this.#world
    return users.filter(({ key }) => slotOf(key, placement.slots) === slot)
  }
}

async function hasCopied({ serving }: CellHost, id: number): Promise<boolean> {
  const report = await Promise.race([serving?.cell.slots({}), serving?.process.died])
  return report?.copying.some(({ move, part }) => move === id && part >= 1) === true
}

function newcomerIn(slot: number, slots: number, number: number): UserRef {
  for (let i = 0; ; i++) {
    const user = userRef(`newcomer-${number}-${i}`)
    if (slotOf(user.key, slots) === slot) return user
  }
}
