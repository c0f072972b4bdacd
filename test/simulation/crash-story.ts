// One move, and one crash of its source, its target or its controller at the nth thing that it does meanwhile: a call that it begins, or
// one that is about to be acknowledged. Everything else is calm; users of the slots write and read all the time. Until the crash, all
// stories of a seed are one, so going through the numbers from 0 on leaves out no step.

import { planMove } from '../../cells/model/move.ts'
import { type Move, ownerOf, slotOf, slotsIn } from '../../cells/model/placement.ts'
import { setStandby } from '../../cells/model/standbys.ts'
import type { UserRef } from '../../cells/model/user-key.ts'
import type { CellHost } from './cell-host.ts'
import { Movers, movesAreOver } from './movers.ts'
import { Dice } from './random.ts'
import { Readers } from './readers.ts'
import { settle, until } from './settle.ts'
import { dieUntilTakenOver } from './takeovers.ts'
import type { Trap } from './weather.ts'
import { known } from './violation.ts'
import type { World } from './world.ts'
import { Writers } from './writers.ts'

/** How the move ends. */
export const WAYS = ['retired', 'rolled back', 'taken over', 'pinned'] as const
export type Way = (typeof WAYS)[number]
export const VICTIMS = ['source', 'target', 'controller'] as const
export type Victim = (typeof VICTIMS)[number]
export type CrashPoint = {
  readonly way: Way
  readonly victim: Victim
  readonly at: Trap['at']
  readonly nth: number
}

const POSTS_BEFORE = 6
const WRITES_MAX = 15
/** What leaves nothing behind: what is left by a crash there is left by one at what the cell did before. */
const TRACELESS = [
  'cache.',
  'wakes',
  'goes on',
  'inbox.chunks',
  'posts.idsBelow',
  'posts.get',
  'names.get',
  'followers.after',
  'log.bounds',
  'checkpoints.claimedBy',
]

export class CrashStory {
  readonly #point: CrashPoint
  /** False when the move was over before the victim had done so many things. */
  hasCrashed = false

  constructor(point: CrashPoint) {
    this.#point = point
  }

  async tell(world: World): Promise<void> {
    const dice = new Dice(world.seed, 'crash story')
    const readers = new Readers(world, new Dice(world.seed, 'readers'))
    const writers = new Writers(world, new Dice(world.seed, 'writers'))
    const movers = new Movers(world, new Dice(world.seed, 'movers'))
    const { way } = this.#point
    for (const host of world.hosts) host.boot()
    await until(world, 'every cell serves', () =>
      world.hosts.every(({ serving }) => serving !== undefined),
    )
    await writers.befriend()
    for (let i = 0; i < POSTS_BEFORE; i++) await writers.publish(dice.pick(world.users))
    movers.drive(1)
    const viewer = dice.pick(world.users)
    movers.want(planFor(world, viewer, { way, dice }), 'step: move planned')
    await until(world, 'it is planned', () => world.placement.moves.length > 0)
    const move = known(world.placement.moves[0], 'a move')
    world.spawn('a life', () => live(world, viewer, { readers, writers, dice }))
    this.#setTrap(world, movers, move)
    if (way === 'rolled back') await rolledBack(world, movers)
    if (way === 'taken over') await takenOver(world, move, dice)
    await until(world, 'the move is over', () => movesAreOver(world))
    this.#unsetTrap(world, movers, move)
    await settle(world, { readers, writers, dice, movers })
  }

  #setTrap(world: World, movers: Movers, move: Move): void {
    const { victim, at, nth } = this.#point
    if (victim !== 'controller') {
      const trap = { op: '', but: TRACELESS, at, countdown: nth }
      hostOf(world, move, victim).weather.trap = trap
      return
    }
    let steps = 0
    movers.onStep = (id) => {
      if (id !== 1 || steps++ !== nth) return
      this.hasCrashed = true
      movers.crash(1)
      movers.drive(2)
    }
  }

  #unsetTrap(world: World, movers: Movers, move: Move): void {
    const { victim } = this.#point
    movers.onStep = () => {}
    if (victim === 'controller') return
    const { weather } = hostOf(world, move, victim)
    this.hasCrashed = weather.trap === undefined
    weather.trap = undefined
  }
}

function hostOf(world: World, { from, to }: Move, victim: 'source' | 'target'): CellHost {
  return world.hostOf(victim === 'source' ? from : to)
}

function planFor(
  { placement, wall }: World,
  viewer: UserRef,
  { way, dice }: { readonly way: Way; readonly dice: Dice },
): ReturnType<typeof planMove> {
  const slot = slotOf(viewer.key, placement.slots)
  const { cell: owner } = ownerOf(placement, slot)
  const to = dice.pick(placement.cells.filter((cell) => cell !== owner))
  if (way === 'taken over') return setStandby(placement, { cell: owner, standby: to }, wall.nowMs)
  const pinned = way === 'pinned' ? [viewer.key] : []
  return planMove(placement, { slots: [{ first: slot, last: slot }], to, pinned }, wall.nowMs)
}

async function rolledBack(world: World, movers: Movers): Promise<void> {
  while (world.placement.moves.length > 0) {
    for (const move of world.placement.moves) await movers.rollBack(move)
    await world.sleepUs(500_000)
  }
}

/** The source of a standby goes, and comes back. */
async function takenOver(world: World, { from }: Move, dice: Dice): Promise<void> {
  // It may have taken over already, if the crash was then, and gone home: then another one follows.
  const isReady = (): boolean =>
    world.placement.moves.some((move) => move.from === from && move.phase.kind === 'ready')
  await until(world, 'the standby is ready', isReady)
  await dieUntilTakenOver(world, world.hostOf(from), dice)
}

/** Who moves, and others, post, change relations, mark as read and read. */
async function live(
  world: World,
  viewer: UserRef,
  parts: { readonly readers: Readers; readonly writers: Writers; readonly dice: Dice },
): Promise<void> {
  const { readers, writers, dice } = parts
  const { placement } = world
  const moving = new Set(placement.moves.flatMap(({ slots }) => slotsIn(slots)))
  const movers = world.users.filter(({ key }) => moving.has(slotOf(key, placement.slots)))
  for (let i = 0; i < WRITES_MAX; i++) {
    await world.sleepUs(dice.below(2_500_000))
    const user = dice.chance(0.6) ? dice.pick(movers) : dice.pick(world.users)
    if (dice.chance(0.5)) await writers.publish(dice.pick(world.users))
    else await writers.relate(user)
    await readers.page(viewer, { limit: 5, from: undefined, countUnreadTo: 3 })
  }
}
