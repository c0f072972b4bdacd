// Copies that a cell holds of slots which it does not own: on their way here, standing by, or given away not long ago. They are asked like
// owners, as the verification does; what is wholly there must be right at any time, and what is not must not answer.

import { ANY_EPOCH, homeSlotOf, type Move, slotsThere } from '../../cells/model/placement.ts'
import type { UserRef } from '../../cells/model/user-key.ts'
import type { CellHost } from './cell-host.ts'
import { checkPage } from './check-page.ts'
import { ask } from './client.ts'
import type { Dice } from './random.ts'
import { Violation } from './violation.ts'
import type { World } from './world.ts'

/** An arrival that failed begins anew after more than this. */
const SHORT_MS = 1_000
const DEADLINES_MS = [SHORT_MS, 30_000]
const PATIENT_MS = 60_000
const HALF = 'half'

export async function askSomeCopy(world: World, dice: Dice): Promise<void> {
  const { moves } = world.placement
  if (moves.length > 0) await askCopy(world, dice.pick(moves), dice)
}

export async function askCopy(world: World, move: Move, dice: Dice): Promise<void> {
  const inIt = usersIn(world, move)
  if (inIt.length === 0) return
  const how = { limit: dice.pick([3, 50]), deadlineMs: dice.pick(DEADLINES_MS) }
  await askCopyOf(world, move, dice.pick(inIt), how)
}

/** Of every user in it. */
export async function askWholeCopy(world: World, move: Move): Promise<void> {
  for (const user of usersIn(world, move)) {
    await askCopyOf(world, move, user, { limit: 50, deadlineMs: PATIENT_MS })
  }
}

async function askCopyOf(
  world: World,
  move: Move,
  viewer: UserRef,
  { limit, deadlineMs }: { readonly limit: number; readonly deadlineMs: number },
): Promise<void> {
  const host = world.hostOf(move.phase.kind === 'retiring' ? move.from : move.to)
  const query = { limit, from: undefined, countUnreadTo: undefined }
  // A copy may reflect more than the cell has applied.
  const question = { name: 'copy', seen: world.log.bounds().end, epoch: ANY_EPOCH, deadlineMs }
  const before = await heldAt(host, move)
  const heard = await ask(world, host, question, (cell, call) =>
    cell.dashboard({ ...call, viewer: viewer.key }, query),
  )
  const after = await heldAt(host, move)
  if (heard.kind !== 'ok' || before === undefined || before !== after) return
  // A later move may have taken the slot over meanwhile, and its copy may be whole.
  const now = world.placement.moves.find(({ id }) => id === move.id)
  if (now === undefined || !usersIn(world, now).includes(viewer)) return
  if (before !== HALF) {
    const asked = { viewer: viewer.key, query, clockSkewMs: world.limits.clockSkewMs }
    checkPage(world.belonging, asked, heard)
  } else if (deadlineMs === SHORT_MS) {
    throw new Violation(`${host.name} answers from half a copy of move ${move.id}`)
  }
}

/** What the cell says that it holds of the move, by name: the same name is the same copy. */
async function heldAt({ serving }: CellHost, { id }: Move): Promise<string | undefined> {
  const report = await Promise.race([serving?.cell.slots({}), serving?.process.died])
  if (report === undefined) return undefined
  const arrived = report.arrived.find(({ move }) => move === id)
  if (arrived !== undefined) return `under term ${arrived.term}`
  if (report.retained.includes(id)) return 'retained'
  return report.copying.some(({ move, part }) => move === id && part < 1) ? HALF : undefined
}

function usersIn({ users, placement }: World, move: Move): UserRef[] {
  const slots = slotsThere(move)
  return users.filter(({ key }) => slots.includes(homeSlotOf(placement, key)))
}
