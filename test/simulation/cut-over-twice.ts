// Two cutovers in every world, whatever the dice said: moves are planned until there were two, with the faults that there are, and in
// calm weather if it takes long.

import { isMoving } from '../../cells/model/move.ts'
import type { Movers } from './movers.ts'
import { planSome } from './plan-some.ts'
import type { Dice } from './random.ts'
import { clearUp, until } from './settle.ts'
import type { World } from './world.ts'

const CUTOVERS = 2
const CALM_AFTER = 200

export async function cutOverTwice(world: World, movers: Movers, dice: Dice): Promise<void> {
  let looks = 0
  await until(world, 'two cutovers', () => {
    if (cutOvers(world) >= CUTOVERS) return true
    if (++looks === CALM_AFTER) clearUp(world)
    if (!isAnyOnTheWay(world)) movers.want(planSome(world, dice), 'step: move planned')
    return false
  })
}

function cutOvers({ tally }: World): number {
  return ['move retiring', 'standby retiring', 'standby asked to take over']
    .map((step) => tally.of(`step: ${step}`))
    .reduce((sum, count) => sum + count)
}

function isAnyOnTheWay({ control }: World): boolean {
  return control.placement.moves.some((move) => !move.isStandby && isMoving(move))
}
