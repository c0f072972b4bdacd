// SetStandby, FailOver: who stands by for whom, and a cell whose slots others are to own now.

import { holds, shownBy } from '../../cells/activities/hand-over.ts'
import { advance, isMoving } from '../../cells/model/move.ts'
import {
  type CellName,
  type Move,
  type Placement,
  runsWithout,
} from '../../cells/model/placement.ts'
import { hasReached } from '../../cells/model/position.ts'
import { adoption, ownedBy, setStandby, towardsRules } from '../../cells/model/standbys.ts'
import type {
  FailOverRequest,
  FailOverResponse,
  SetStandbyRequest,
  SetStandbyResponse,
} from '../../gen/cellfeed/admin/v1/admin_service.ts'
import type { AdminDesk } from './admin-desk.ts'
import { changed, placementNow, refused } from './change-placement.ts'
import { whoLives } from './moves.ts'
import { wireMove } from './wire-move.ts'

const TRIES_MAX = 40
const PAUSE_MS = 100

export async function setStandbyOf(
  desk: AdminDesk,
  request: SetStandbyRequest,
): Promise<SetStandbyResponse> {
  const { cell } = request
  const rule = { cell, standby: request.standby === '' ? undefined : request.standby }
  const nowMs = desk.clock.nowMs()
  const { placement: ruled } = await changed(desk, request, (placement) =>
    setStandby(placement, rule, nowMs),
  )
  // Whoever drives moves does the same.
  const begun = settled(ruled, nowMs).moves.filter(
    (move) => move.isStandby && move.from === cell && !ruled.moves.includes(move),
  )
  const slots = begun.flatMap((move) => move.slots)
  return {
    moves: begun.map((move) => wireMove(move)),
    ...(await whoLives(desk, { slots, from: cell })),
  }
}

function settled(placement: Placement, nowMs: number): Placement {
  const next = towardsRules(placement, nowMs)
  return next === undefined ? placement : settled(next, nowMs)
}

export async function failOver(
  desk: AdminDesk,
  request: FailOverRequest,
): Promise<FailOverResponse> {
  const { cell, dryRun } = request
  const before = await placementNow(desk)
  if (!before.cells.includes(cell)) throw refused(`there is no cell ${cell}`)
  // Done before.
  if (ownedBy(before, cell).length === 0) {
    return { takenOver: [], moved: [], readers: 0n, bytes: 0n }
  }
  const standbys = before.moves.filter(
    ({ isStandby, isPaused, from, phase }) =>
      isStandby && !isPaused && from === cell && phase.kind === 'ready',
  )
  // A cell that hangs must not hold up what is done because of it.
  const who = whoLives(desk, { slots: ownedBy(before, cell), from: cell })
  who.catch(() => undefined)
  const takenOver: Move[] = []
  for (const standby of standbys) {
    if (dryRun || (await takeOver(desk, request, standby))) takenOver.push(standby)
  }
  const others = await wellCells(desk, before, cell)
  const held = dryRun ? new Set(before.moves) : new Set((await placementNow(desk)).moves)
  const { placement: after } = await changed(desk, request, (placement) => {
    return adoption(placement, cell, others, desk.clock.nowMs()) ?? placement
  })
  const known = new Set([...held].map(({ id }) => id))
  const begun = after.moves.filter((move) => move.from === cell && !known.has(move.id))
  const moved = begun.length > 0 || isAnyFree(after, cell) ? begun : leaving(after, cell)
  if (takenOver.length === 0 && moved.length === 0) {
    throw refused(`no other cell could take the slots of ${cell}: see cellfeed cells`)
  }
  return {
    takenOver: takenOver.map((move) => wireMove(move)),
    moved: moved.map((move) => wireMove(move)),
    ...(await who),
  }
}

/** Whether the cell owns slots that are in no move. */
function isAnyFree(placement: Placement, cell: CellName): boolean {
  const taken = placement.moves.filter(isMoving).flatMap(({ slots }) => slots)
  const inOrder = taken.sort((a, b) => a.first - b.first)
  return runsWithout(ownedBy(placement, cell), inOrder).length > 0
}

/** On their way away from the cell, as somebody has asked before. */
function leaving({ moves }: Placement, cell: CellName): Move[] {
  return moves.filter(
    ({ from, isStandby, phase }) => from === cell && !isStandby && phase.kind !== 'retiring',
  )
}

/** When the standby has passed what the cell may have shown. False when it is not there any more. */
async function takeOver(desk: AdminDesk, request: FailOverRequest, move: Move): Promise<boolean> {
  const { id, from, to } = move
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const source = await desk.reportOf(from)
    const shown = shownBy(source)
    const target = await desk.reportOf(to, { logEnd: shown === undefined })
    const passed = shown ?? target?.logEnd
    if (target === undefined || passed === undefined || !holds(target, move)) return false
    if (target.ready && hasReached(target.position, passed)) {
      const event = { kind: 'cut-over', isTakeover: source === undefined } as const
      await changed(desk, request, (now) => advance(now, id, event, desk.clock.nowMs()))
      return true
    }
    await desk.clock.sleep(PAUSE_MS)
  }
  throw refused(`${to} is behind ${from}: try again`)
}

async function wellCells(
  desk: AdminDesk,
  { cells }: Placement,
  besides: CellName,
): Promise<CellName[]> {
  const reports = await Promise.all(
    cells.filter((cell) => cell !== besides).map((cell) => desk.reportOf(cell)),
  )
  return reports.flatMap((report) => (report?.ready === true ? [report.cell] : []))
}
