// A process of a cell is stopped for longer than its lease and another one takes its place on the same store; then it wakes and goes
// on where it was. It may notice at once, as it should before it answers anybody; or go on writing first. Or nobody takes its place,
// and its slots are taken over by other cells.

import type { CellHost } from './cell-host.ts'
import type { Dice } from './random.ts'
import type { World } from './world.ts'

/** Asleep: until the successor has only just begun, has claimed, serves, has written for a while. */
const ASLEEP_US = [50_000, 3_000_000, 60_000_000, 300_000_000]
const AWAKE_US = [1_000_000, 30_000_000, 400_000_000]
const AWAY_US = [60_000_000, 120_000_000, 600_000_000]

export async function stopForAWhile(world: World, host: CellHost, dice: Dice): Promise<void> {
  const zombie = host.putToSleep()
  if (zombie === undefined) return
  world.tally.add('fault: process stopped')
  await world.sleepUs(dice.below(dice.pick(ASLEEP_US)))
  host.wake({ isNoticed: dice.chance(0.5) })
  const untilUs = world.scheduler.nowUs + dice.below(dice.pick(AWAKE_US))
  while (zombie.process.isAlive && world.scheduler.nowUs < untilUs) {
    const act = zombie.hasStarted ? dice.below(6) : undefined
    if (act === 0) await host.command(zombie.cell.checkpoint(), zombie)
    else if (act === 1) await host.command(zombie.cell.writeGeneration(), zombie)
    else if (act === 2) {
      const value = dice.pick(['delivered', 'pulled'] as const)
      await host.command(zombie.cell.setAuthorClass(dice.pick(world.users).key, value), zombie)
    }
    await world.sleepUs(dice.below(5_000_000))
  }
  host.endZombie()
}

/** It dies, and is not started again for so long that others take over what it owned. */
export async function awayForAWhile(world: World, host: CellHost, dice: Dice): Promise<void> {
  if (host.isHeld || host.isGapOpen || host.serving === undefined) return
  host.hold()
  host.crash()
  await world.sleepUs(dice.below(dice.pick(AWAY_US)))
  host.release()
  world.tally.add('fault: machine away')
}

/** Nobody takes its place; when it wakes it notices before it answers anybody. */
export async function sleepAlone(world: World, host: CellHost, dice: Dice): Promise<void> {
  const incarnation = host.serving
  if (incarnation === undefined || host.isHeld || host.isGapOpen || host.hasZombie) return
  host.dozeOff(incarnation)
  await world.sleepUs(dice.below(dice.pick(AWAY_US)))
  host.wakeAlone(incarnation)
  world.tally.add('fault: process slept')
}
