// What a round does, drawn from the seed and its number alone, so that it can be done again: of each three moves one loses the
// controller, one the source, one the target, and one is taken back. They go to a cell that was added for these three.

import type { MovePhaseName } from '../../../services/client/move-calls.ts'
import { Dice } from '../../simulation/random.ts'
import type { Role } from '../cluster/drilled-cluster.ts'
import { type Quarter, QUARTERS } from '../reads/homes.ts'

/** So much later than the move was first seen in the phase, or beyond it. */
export type Moment = { readonly phase: MovePhaseName; readonly afterMs: number }
export type TakeBack = Moment & { readonly how: 'abort' | 'roll-back' }

/** A quarter of the users moves while a part of that is killed. */
export type MovePlan = {
  readonly kind: 'move'
  readonly round: number
  readonly to: string
  /** Which of them to move: the first that can be. */
  readonly quarters: readonly Quarter[]
  readonly kill: Moment & { readonly role: Role; readonly awayMs: number }
  readonly takeBack: TakeBack | undefined
  /** Its source is let go at once, not after its time. */
  readonly isRetired: boolean
}

/** A cell is killed and stays away; its users are served by the cell that stands by, and go home when it is back. */
export type StandbyPlan = {
  readonly kind: 'standby'
  readonly round: number
  /** Whose cell is killed. */
  readonly quarter: Quarter
  /** Of the other cells, the one at this place, counted round and round. */
  readonly standbyAt: number
  readonly afterMs: number
  readonly awayMs: number
}

export type RoundPlan = MovePlan | StandbyPlan
export type Drawing = {
  readonly seed: number
  /** A killed process is away for less than this. */
  readonly awayMsMax: number
  /** Rounds whose number it divides are those of standbys. */
  readonly standbyEvery: number
}

const ROLES: readonly Role[] = ['controller', 'source', 'target']
const BEFORE_CUTOVER: readonly MovePhaseName[] = ['PREPARING', 'COPYING', 'VERIFYING', 'READY']
const AFTER_MS = 300
const BLOCK = 3
/** A cluster begins with two. */
const FIRST_ADDED = 3

export function planRound(drawing: Drawing, round: number): RoundPlan {
  const { seed, awayMsMax, standbyEvery } = drawing
  const dice = new Dice(seed, `round ${round}`)
  if (round % standbyEvery === 0) {
    return {
      kind: 'standby',
      round,
      quarter: dice.pick(QUARTERS),
      standbyAt: dice.below(1_000),
      afterMs: dice.below(AFTER_MS),
      awayMs: dice.below(awayMsMax),
    }
  }
  const move = round - 1 - Math.floor(round / standbyEvery)
  const block = Math.floor(move / BLOCK)
  const at = move % BLOCK
  const roles = shuffled(new Dice(seed, `roles ${block}`), ROLES)
  const isTakenBack = new Dice(seed, `back ${block}`).below(BLOCK) === at
  const moment = (phases: readonly MovePhaseName[]): Moment => ({
    phase: dice.pick(phases),
    afterMs: dice.below(AFTER_MS),
  })
  return {
    kind: 'move',
    round,
    to: `cell-${FIRST_ADDED + block}`,
    quarters: shuffled(dice, QUARTERS),
    kill: {
      ...moment([...BEFORE_CUTOVER, 'RETIRING']),
      role: roles[at] ?? 'source',
      awayMs: dice.below(awayMsMax),
    },
    takeBack: !isTakenBack
      ? undefined
      : dice.chance(0.5)
        ? { how: 'abort', ...moment(BEFORE_CUTOVER) }
        : { how: 'roll-back', ...moment(['RETIRING']) },
    isRetired: dice.chance(0.5),
  }
}

function shuffled<T>(dice: Dice, items: readonly T[]): T[] {
  const left = [...items]
  return items.flatMap(() => left.splice(dice.below(left.length), 1))
}
