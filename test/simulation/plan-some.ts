// A move that somebody wants: of some slots, or of a pinned user's; now and then some of their users get slots of their own by it.

import { planMove, type Refusal } from '../../cells/model/move.ts'
import {
  homeSlotOf,
  ownerOf,
  pinOf,
  type Placement,
  type SlotRun,
  slotsIn,
} from '../../cells/model/placement.ts'
import type { UserKey } from '../../cells/model/user-key.ts'
import type { Dice } from './random.ts'
import type { World } from './world.ts'

/** `first`: from which slot on. */
export function planSome(world: World, dice: Dice, first?: number): Placement | Refusal {
  const { placement, tally, wall, keptAside } = world
  const isPinned = first === undefined && placement.pins.length > 0 && dice.chance(0.2)
  const run = isPinned
    ? runOf(dice.pick(placement.pins))
    : someFrom(placement, first ?? dice.below(placement.slots), dice)
  const { cell: owner } = ownerOf(placement, run.first)
  if (owner === keptAside) return { refused: 'it is being brought back' }
  const to = dice.pick(placement.cells.filter((cell) => cell !== owner))
  const pinned = dice.chance(0.25) ? toPin(world, run, dice) : []
  if (pinned.length > 0) tally.add('step: user to be pinned')
  if (isPinned) tally.add('step: pinned user to be moved')
  return planMove(placement, { slots: [run], to, pinned }, wall.nowMs)
}

function someFrom({ slots }: Placement, first: number, dice: Dice): SlotRun {
  return { first, last: Math.min(slots - 1, first + dice.below(2)) }
}

/** Some who live there, and have no slot of their own. */
function toPin({ users, placement }: World, run: SlotRun, dice: Dice): UserKey[] {
  const within = slotsIn([run])
  return users
    .filter(({ key }) => within.includes(homeSlotOf(placement, key)))
    .filter(({ key }) => pinOf(placement.pins, key) === undefined && dice.chance(0.4))
    .map(({ key }) => key)
}

function runOf({ slot }: { readonly slot: number }): SlotRun {
  return { first: slot, last: slot }
}
