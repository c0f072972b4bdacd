// A cell that another one stands by for is gone until that has taken over: its machine is away, or its process stands still. Then it comes
// back, at once or when nobody waits for it any more.

import type { Move } from '../../cells/model/placement.ts'
import type { CellHost } from './cell-host.ts'
import type { Company } from './company.ts'
import { askCopy } from './copies.ts'
import type { Dice } from './random.ts'
import type { World } from './world.ts'

const READY_S = 120
const PATIENCE_S = 400
const STAYS_AWAY_US = [2_000_000, 30_000_000, 300_000_000]

export async function fallAway(world: World, company: Company, dice: Dice): Promise<void> {
  const readyNow = (): Move[] =>
    world.placement.moves.filter((move) => isReady(move) && !move.isPaused)
  for (let waited = 0; waited < READY_S && readyNow().length === 0; waited++) {
    if (world.placement.standbys.length === 0) return
    await world.sleepUs(1_000_000)
  }
  const ready = readyNow()
  if (ready.length === 0) return
  const move = dice.pick(ready)
  // What the standby holds by then is what its store holds.
  if (dice.chance(0.4)) await startAgain(world, move, dice)
  const host = world.hostOf(move.from)
  if (dice.chance(0.4)) {
    world.spawn('a standby runs behind', () => company.runAhead(move))
    await world.sleepUs(dice.below(6_000_000))
  }
  const incarnation = host.serving
  if (incarnation === undefined || host.isHeld || host.isGapOpen || host.hasZombie) return
  if (dice.chance(0.3)) {
    host.dozeOff(incarnation)
    await untilTakenOver(world, host, dice)
    host.wakeAlone(incarnation)
  } else await dieUntilTakenOver(world, host, dice)
  world.tally.add('fault: away until taken over')
  if (dice.chance(0.6)) return
  await untilServing(world, host)
  // Its way back is longer than it looks.
  await company.runAhead({ ...move, to: move.from })
}

async function startAgain(world: World, move: Move, dice: Dice): Promise<void> {
  const standby = world.hostOf(move.to)
  standby.crash()
  await untilServing(world, standby)
  await askCopy(world, move, dice)
}

async function untilServing(world: World, host: CellHost): Promise<void> {
  for (let waited = 0; waited < PATIENCE_S && host.serving === undefined; waited++) {
    await world.sleepUs(1_000_000)
  }
}

export async function dieUntilTakenOver(world: World, host: CellHost, dice: Dice): Promise<void> {
  host.hold()
  host.crash()
  await untilTakenOver(world, host, dice)
  host.release()
}

async function untilTakenOver(world: World, { name }: CellHost, dice: Dice): Promise<void> {
  for (let waited = 0; waited < PATIENCE_S; waited++) {
    if (!world.placement.moves.some((move) => isReady(move) && move.from === name)) break
    await world.sleepUs(1_000_000)
  }
  await world.sleepUs(dice.below(dice.pick(STAYS_AWAY_US)))
}

function isReady({ isStandby, phase }: Move): boolean {
  return isStandby && phase.kind === 'ready'
}
