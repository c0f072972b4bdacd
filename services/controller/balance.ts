// PlanBalance: which slots to move for an even load, or to empty a cell, by what the cells measure now.

import { planBalance, planDrain } from '../../cells/model/balance.ts'
import { type SlotRun, slotsIn } from '../../cells/model/placement.ts'
import { loadsOf, type SlotLoad } from '../../cells/model/slot-load.ts'
import { wavesOf } from '../../cells/model/waves.ts'
import type {
  PlanBalanceRequest,
  PlanBalanceResponse,
} from '../../gen/cellfeed/admin/v1/admin_service.ts'
import type { AdminDesk } from './admin-desk.ts'
import { placementNow, refused } from './change-placement.ts'

/** Throws MOVE_REFUSED. */
export async function balanceOf(
  desk: AdminDesk,
  { drained, drainOnly }: PlanBalanceRequest,
): Promise<PlanBalanceResponse> {
  const placement = await placementNow(desk)
  const unknown = drained.find((cell) => !placement.cells.includes(cell))
  if (unknown !== undefined) throw refused(`there is no cell ${unknown}`)
  const { cells } = placement
  const reports = await Promise.all(cells.map((cell) => desk.reportOf(cell, { loads: true })))
  const well = reports.filter((report) => report?.ready === true)
  const loads = loadsOf(
    placement,
    well.flatMap((report) => report?.loads ?? []),
  )
  const takers = well
    .flatMap((report) => report?.cell ?? [])
    .filter((cell) => !drained.includes(cell))
  const plan = (drainOnly ? planDrain : planBalance)(loads, { takers, drained })
  const silent = cells.filter((cell) => !well.some((report) => report?.cell === cell))
  return {
    waves: wavesOf(plan.moves).map(({ moves }) => ({
      moves: moves.map((move) => ({ ...move, slots: [...move.slots], ...who(loads, move.slots) })),
    })),
    cells: [...plan.cells],
    slotsMoved: plan.moves.length,
    slotsMovedMin: plan.slotsMovedMin,
    ...who(
      loads,
      plan.moves.map(({ slot }) => ({ first: slot, last: slot })),
    ),
    shortfalls: [
      ...plan.shortfalls,
      ...silent.map((cell) => `${cell} does not serve: it keeps what it has`),
    ],
  }
}

/** Who lives in the slots, and the bytes of their state in memory. */
function who(
  loads: readonly SlotLoad[],
  slots: readonly SlotRun[],
): { readonly readers: bigint; readonly bytes: bigint } {
  const wanted = new Set(slotsIn(slots))
  const within = loads.filter(({ slot }) => wanted.has(slot))
  const sum = (of: (load: SlotLoad) => number) =>
    BigInt(Math.round(within.reduce((total, load) => total + of(load), 0)))
  return { readers: sum(({ readers }) => readers), bytes: sum(({ bytes }) => bytes) }
}
