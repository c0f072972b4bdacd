// AddCell, RemoveCell, ListMoves, MoveSlots, ChangeMove: cells and moves in the placement, as operators see and change them.

import { mayGoBack, shownBy } from '../../cells/activities/hand-over.ts'
import { addCell, removeCell } from '../../cells/model/membership.ts'
import { advance, type MoveEvent, planMove } from '../../cells/model/move.ts'
import { type Move, slotsIn } from '../../cells/model/placement.ts'
import {
  type AddCellRequest,
  type AddCellResponse,
  type ChangeMoveRequest,
  type ChangeMoveResponse,
  type ListMovesResponse,
  MoveChange,
  type MoveSlotsRequest,
  type MoveSlotsResponse,
  type RemoveCellRequest,
  type RemoveCellResponse,
} from '../../gen/cellfeed/admin/v1/admin_service.ts'
import { ApiError } from '../gateway/errors.ts'
import type { AdminDesk } from './admin-desk.ts'
import { changed, placementNow, refused } from './change-placement.ts'
import { moveNow, wireMove } from './wire-move.ts'

const BACK_TRIES_MAX = 20
const BACK_PAUSE_MS = 100

export async function addCellTo(
  desk: AdminDesk,
  request: AddCellRequest,
): Promise<AddCellResponse> {
  const { cell } = request
  if ((await placementNow(desk)).cells.includes(cell)) return { added: false }
  await changed(desk, request, (now) => addCell(now, cell, desk.clock.nowMs()))
  return { added: true }
}

export async function removeCellFrom(
  desk: AdminDesk,
  request: RemoveCellRequest,
): Promise<RemoveCellResponse> {
  const { cell } = request
  if (!(await placementNow(desk)).cells.includes(cell)) return { removed: false }
  await changed(desk, request, (now) => removeCell(now, cell, desk.clock.nowMs()))
  return { removed: true }
}

export async function listMoves(desk: AdminDesk): Promise<ListMovesResponse> {
  const { moves, epoch } = await placementNow(desk)
  return {
    moves: await Promise.all(moves.map((move) => moveNow(desk, move))),
    epoch: BigInt(epoch),
  }
}

export async function moveSlots(
  desk: AdminDesk,
  request: MoveSlotsRequest,
): Promise<MoveSlotsResponse> {
  const { slots, to } = request
  const runs = slots.map(({ first, last }) => ({ first, last })).sort((a, b) => a.first - b.first)
  const overlap = runs.find(
    ({ first, last }, i) => last < first || first <= (runs[i - 1]?.last ?? -1),
  )
  if (overlap !== undefined) {
    throw refused(`slots ${overlap.first}-${overlap.last} are no run, or named twice`)
  }
  const { placement } = await changed(desk, request, (before) =>
    planMove(before, { slots: runs, to }, desk.clock.nowMs()),
  )
  const move = placement.moves.at(-1)
  if (move === undefined) throw new Error('a planned move is not in the placement')
  return { move: wireMove(move), ...(await whoLives(desk, move)) }
}

/** Who lives in the slots of a move, as their cell tells now. */
export async function whoLives(
  desk: AdminDesk,
  { slots, from }: Pick<Move, 'slots' | 'from'>,
): Promise<{ readonly readers: bigint; readonly bytes: bigint }> {
  const wanted = new Set(slotsIn(slots))
  const report = await desk.reportOf(from, { loads: true })
  const loads = (report?.loads ?? []).filter(({ slot }) => wanted.has(slot))
  const sum = (figures: readonly number[]) => BigInt(figures.reduce((a, b) => a + b, 0))
  return {
    readers: sum(loads.map(({ readers }) => readers)),
    bytes: sum(loads.map(({ bytes }) => bytes)),
  }
}

export async function changeMove(
  desk: AdminDesk,
  request: ChangeMoveRequest,
): Promise<ChangeMoveResponse> {
  const event = eventOf(request.change)
  const id = Number(request.id)
  const move = (await placementNow(desk)).moves.find((each) => each.id === id)
  if (move === undefined) {
    throw refused(`there is no move ${id}: it is over, or never was; see cellfeed changes`)
  }
  if (isSoAlready(move, event)) return { what: `move ${id} is ${event.kind} already` }
  if (event.kind === 'rolled-back') await assertMayGoBack(desk, id)
  if (event.kind === 'retired') await assertKnown(desk, id)
  const { what } = await changed(desk, request, (placement) =>
    advance(placement, id, event, desk.clock.nowMs()),
  )
  return { what }
}

function isSoAlready({ isPaused }: Move, { kind }: MoveEvent): boolean {
  return kind === 'paused' ? isPaused : kind === 'resumed' && !isPaused
}

const EVENTS: Readonly<Partial<Record<MoveChange, MoveEvent>>> = {
  [MoveChange.ABORT]: { kind: 'aborted' },
  [MoveChange.ROLL_BACK]: { kind: 'rolled-back' },
  [MoveChange.VERIFY_AGAIN]: { kind: 'verify-again' },
  [MoveChange.PAUSE]: { kind: 'paused' },
  [MoveChange.RESUME]: { kind: 'resumed' },
  [MoveChange.RETIRE]: { kind: 'retired' },
}

function eventOf(change: MoveChange): MoveEvent {
  const event = EVENTS[change]
  if (event !== undefined) return event
  throw new ApiError('ENUM_VALUE_UNKNOWN', 'change is not known', { field: 'change' })
}

/** The source must still have what it gave away, and be as far as anything that the target showed: a session would fall back. */
async function assertMayGoBack(desk: AdminDesk, id: number): Promise<void> {
  const move = (await placementNow(desk)).moves.find((each) => each.id === id)
  if (move?.phase.kind !== 'retiring') return
  for (let tries = 0; tries < BACK_TRIES_MAX; tries++) {
    const shown = shownBy(await desk.reportOf(move.to))
    const source = await desk.reportOf(move.from, { logEnd: shown === undefined })
    if (source?.ready === true && !source.retained.includes(id)) {
      throw refused(`${move.from} does not hold the slots of move ${id} any more`)
    }
    if (mayGoBack(move, source, shown ?? source?.logEnd)) return
    await desk.clock.sleep(BACK_PAUSE_MS)
  }
  throw refused(`${move.from} does not serve, or is behind ${move.to}: try again`)
}

/** The target must know that it owns the slots: whoever the source sends away must be let in there. */
async function assertKnown(desk: AdminDesk, id: number): Promise<void> {
  const { moves, epoch } = await placementNow(desk)
  const move = moves.find((each) => each.id === id)
  if (move?.phase.kind !== 'retiring') return
  const target = await desk.reportOf(move.to)
  if (target === undefined || target.epoch < epoch) {
    throw refused(`${move.to} does not say that it owns the slots of move ${id}: try again`)
  }
}
