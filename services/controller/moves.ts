// AddCell, RemoveCell, ListMoves, MoveSlots, ChangeMove: cells and moves in the placement, as operators see and change them. Every change is a compare-and-set,
// tried again when something else changed meanwhile.

import { addCell, removeCell } from '../../cells/model/membership.ts'
import { advance, type MoveEvent, planMove, type Refusal } from '../../cells/model/move.ts'
import type { Move, Placement } from '../../cells/model/placement.ts'
import { hasReached } from '../../cells/model/position.ts'
import {
  type AddCellRequest,
  type AddCellResponse,
  type ChangeMoveRequest,
  type ChangeMoveResponse,
  type ListMovesResponse,
  MoveChange,
  MovePhase,
  type MoveSlotsRequest,
  type MoveSlotsResponse,
  type Move as WireMove,
  type RemoveCellRequest,
  type RemoveCellResponse,
} from '../../gen/cellfeed/admin/v1/admin_service.ts'
import { ApiError } from '../gateway/errors.ts'
import type { AdminDesk } from './admin-desk.ts'

const TRIES_MAX = 20

const PHASES = {
  preparing: MovePhase.PREPARING,
  copying: MovePhase.COPYING,
  verifying: MovePhase.VERIFYING,
  differs: MovePhase.DIFFERS,
  ready: MovePhase.READY,
  retiring: MovePhase.RETIRING,
} as const

export async function addCellTo(
  desk: AdminDesk,
  { cell }: AddCellRequest,
): Promise<AddCellResponse> {
  const { placement } = await desk.placements.read()
  if (placement.cells.includes(cell)) return { added: false }
  await changed(desk, (now) => addCell(now, cell, desk.clock.nowMs()))
  return { added: true }
}

export async function removeCellFrom(
  desk: AdminDesk,
  { cell }: RemoveCellRequest,
): Promise<RemoveCellResponse> {
  const { placement } = await desk.placements.read()
  if (!placement.cells.includes(cell)) return { removed: false }
  await changed(desk, (now) => removeCell(now, cell, desk.clock.nowMs()))
  return { removed: true }
}

export async function listMoves(desk: AdminDesk): Promise<ListMovesResponse> {
  const { placement } = await desk.placements.read()
  const moves = placement.moves.map(async (move) => wireMove(move, await detailOf(desk, move)))
  return { moves: await Promise.all(moves), epoch: BigInt(placement.epoch) }
}

export async function moveSlots(
  desk: AdminDesk,
  { slots, to, dryRun }: MoveSlotsRequest,
): Promise<MoveSlotsResponse> {
  const runs = slots.map(({ first, last }) => ({ first, last })).sort((a, b) => a.first - b.first)
  const overlap = runs.find(
    ({ first, last }, i) => last < first || first <= (runs[i - 1]?.last ?? -1),
  )
  if (overlap !== undefined) {
    throw new ApiError(
      'MOVE_REFUSED',
      `slots ${overlap.first}-${overlap.last} are no run, or named twice`,
    )
  }
  const plan = (placement: Placement) =>
    planMove(placement, { slots: runs, to }, desk.clock.nowMs())
  if (dryRun) {
    const planned = allowed(plan((await desk.placements.read()).placement))
    return { move: newestOf(planned) }
  }
  return { move: newestOf(await changed(desk, plan)) }
}

export async function changeMove(
  desk: AdminDesk,
  { id, change }: ChangeMoveRequest,
): Promise<ChangeMoveResponse> {
  const event = eventOf(change)
  const number = Number(id)
  if (event.kind === 'rolled-back') await assertMayGoBack(desk, number)
  await changed(desk, (placement) => advance(placement, number, event, desk.clock.nowMs()))
  return {}
}

function eventOf(change: MoveChange): MoveEvent {
  switch (change) {
    case MoveChange.ABORT:
      return { kind: 'aborted' }
    case MoveChange.ROLL_BACK:
      return { kind: 'rolled-back' }
    case MoveChange.VERIFY_AGAIN:
      return { kind: 'verify-again' }
    case MoveChange.UNSPECIFIED:
    case MoveChange.UNRECOGNIZED:
      throw new ApiError('ENUM_VALUE_UNKNOWN', 'change is not known', { field: 'change' })
  }
}

/** The source must still have what it gave away, and be as far as the target: a session would fall back. */
async function assertMayGoBack(desk: AdminDesk, id: number): Promise<void> {
  const { placement } = await desk.placements.read()
  const move = placement.moves.find((each) => each.id === id)
  if (move?.phase.kind !== 'retiring') return
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const target = await desk.reportOf(move.to)
    const source = await desk.reportOf(move.from)
    if (source?.ready !== true || !source.retained.includes(id)) {
      const message = `${move.from} does not hold the slots of move ${id} any more, or does not serve`
      throw new ApiError('MOVE_REFUSED', message)
    }
    if (target === undefined || hasReached(source.position, target.position)) return
    await desk.clock.sleep(100)
  }
  throw new ApiError('MOVE_REFUSED', `${move.from} is behind ${move.to}: try again`)
}

async function changed(
  desk: AdminDesk,
  change: (placement: Placement) => Placement | Refusal,
): Promise<Placement> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const { placement, revision } = await desk.placements.read()
    const next = allowed(change(placement))
    if (await desk.placements.replace(revision, next)) return next
  }
  throw new ApiError('MOVE_REFUSED', 'the placement changes all the time: try again')
}

function allowed(next: Placement | Refusal): Placement {
  if ('refused' in next) throw new ApiError('MOVE_REFUSED', next.refused)
  return next
}

function newestOf({ moves }: Placement): WireMove | undefined {
  const move = moves.at(-1)
  return move && wireMove(move, '')
}

async function detailOf(desk: AdminDesk, move: Move): Promise<string> {
  if (move.phase.kind === 'differs') return move.phase.detail
  if (move.phase.kind !== 'copying') return ''
  const target = await desk.reportOf(move.to)
  if (target === undefined) return `${move.to} does not answer`
  return target.failures.find(({ move: id }) => id === move.id)?.detail ?? ''
}

function wireMove({ id, slots, from, to, phase }: Move, detail: string): WireMove {
  return {
    id: BigInt(id),
    slots: [...slots],
    from,
    to,
    phase: PHASES[phase.kind],
    detail,
    cutOverAt: phase.kind === 'retiring' ? new Date(phase.sinceMs) : undefined,
  }
}
