// A quarter of the users moves to a cell that was added, a part of that is killed, and it is taken back or not.

import type { Move } from '../../../services/client/move-calls.ts'
import { insist } from '../../chaos/load/insist.ts'
import { type Quarter, slotsOf } from '../reads/homes.ts'
import { whileSomeRead } from '../readers/slow-readers.ts'
import type { Stage } from '../stage.ts'
import { addCell, freeQuarter, homeOf, refusedOnly, until } from './cells.ts'
import { killIn } from './outage.ts'
import type { MovePlan } from './round-plan.ts'
import type { Ended, Killed, Struck } from './struck.ts'
import { WatchedMove } from './watched-move.ts'

/** By the controller, from the control store. */
const LEARNED_WITHIN_MS = 15_000
/** A source that was not let go goes by itself a minute after the cutover: then nothing can be taken back. */
const RETIRED_AFTER_MS = 50_000

/** Returns when its users live where they are to, and all that was killed answers. */
export async function moveQuarter(stage: Stage, plan: MovePlan): Promise<Struck> {
  const patience = AbortSignal.timeout(stage.plan.load.recoveryMs)
  const { round, to } = plan
  const isAdded = await addCell(stage, to, patience)
  const { quarter, from } = await freeQuarter(stage, plan.quarters, to, patience)
  const moved = await whileSomeRead(stage, { round, quarters: [quarter], patience }, () =>
    moveOne(stage, plan, { quarter, from, patience }),
  )
  return { added: isAdded ? to : undefined, from, to, quarters: [quarter], ...moved }
}

type Moving = { readonly quarter: Quarter; readonly from: string; readonly patience: AbortSignal }

async function moveOne(
  stage: Stage,
  plan: MovePlan,
  moving: Moving,
): Promise<Pick<Struck, 'killed' | 'ended' | 'cutOverAfterMs'>> {
  const { operator, homes, cluster, unnoted } = stage
  const { quarter, patience } = moving
  const { to } = plan
  const begun = await insist(() => begin(stage, quarter, to), patience)
  const move = new WatchedMove(operator, begun, patience)
  const ended = new AbortController()
  const watching = move.watch(ended.signal, (look) => homes.told(quarter, to, look))
  const usersOf = (cell: string) => stage.usersOf(cell)
  try {
    const [killed, takenBack] = await Promise.all([
      killIn(move, cluster, plan.kill, { operator, users: unnoted, usersOf, patience }),
      endOf(move, plan),
    ])
    const end = await whereItEnded(stage, moving, { move, killed, takenBack })
    if (end === 'moved' && plan.isRetired) {
      await insist(() => operator.changeMove(begun.id, 'retire').catch(refusedOnly), patience)
    }
    const { beganMs, cutOverMs } = move
    const cutOverAfterMs = cutOverMs === undefined ? undefined : cutOverMs - beganMs
    return { killed, ended: end, cutOverAfterMs }
  } finally {
    ended.abort()
    await watching
  }
}

/** One that an attempt before has begun, whose answer was lost, is that one. */
async function begin({ operator }: Stage, quarter: Quarter, to: string): Promise<Move> {
  const { first, last } = slotsOf(quarter)
  const moves = await operator.moves()
  const begun = moves.find((move) => move.to === to && move.slots[0]?.first === first)
  return begun ?? operator.moveSlots([{ first, last }], to)
}

async function endOf(
  move: WatchedMove,
  { takeBack }: MovePlan,
): Promise<'abort' | 'roll-back' | undefined> {
  if (takeBack === undefined) {
    await move.reaches('RETIRING')
    return undefined
  }
  const how = await move.takeBack(takeBack)
  await move.reaches('OVER')
  return how
}

/** Throws when the users are anywhere else than they are to be. */
async function whereItEnded(
  stage: Stage,
  { quarter, from, patience }: Moving,
  done: {
    readonly move: WatchedMove
    readonly killed: Killed
    readonly takenBack: 'abort' | 'roll-back' | undefined
  },
): Promise<Ended> {
  const { move, killed, takenBack } = done
  const { to } = move.move
  const isTargetGone = killed.role === 'target' && killed.outage.cells !== undefined
  const { cutOverMs = Number.POSITIVE_INFINITY, overMs = 0 } = move
  const isRetired = takenBack === 'roll-back' && overMs - cutOverMs > RETIRED_AFTER_MS
  const wanted = takenBack === undefined || isRetired ? to : from
  // A target that is dead after the cutover gives the slots back by itself.
  const homes = isTargetGone ? [wanted, from] : [wanted]
  const users = stage.usersIn(quarter)
  const soon = AbortSignal.any([patience, AbortSignal.timeout(LEARNED_WITHIN_MS)])
  let home: string | undefined
  const areThere = async () => {
    const cells = await Promise.all(users.map((user) => homeOf(stage, user, soon)))
    home = homes.find((cell) => cells.every((each) => each === cell))
    return home !== undefined
  }
  await until(areThere, `users of ${from} do not live in ${homes.join(' or ')}`, soon)
  if (home === to) return 'moved'
  if (takenBack === undefined) return 'went home'
  return takenBack === 'abort' ? 'aborted' : 'rolled back'
}
