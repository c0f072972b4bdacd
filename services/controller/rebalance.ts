// Rebalance: a plan for balance, carried out by this process. Whoever asked watches; when the call ends no wave is begun any more.

import { ownerOf, type Placement } from '../../cells/model/placement.ts'
import {
  CellState,
  MoveChange,
  type PlannedMove,
  type RebalanceRequest,
  type RebalanceResponse,
} from '../../gen/cellfeed/admin/v1/admin_service.ts'
import type { AdminDesk } from './admin-desk.ts'
import { balanceOf } from './balance.ts'
import { listCells } from './cells.ts'
import { placementNow } from './change-placement.ts'
import { changeMove, moveSlots } from './moves.ts'
import { runWaves, type Vitals } from './run-waves.ts'
import { moveNow } from './wire-move.ts'

/** Throws MOVE_REFUSED. */
export async function* rebalance(
  desk: AdminDesk,
  { drained, drainOnly, operator }: RebalanceRequest,
  signal: AbortSignal,
): AsyncGenerator<RebalanceResponse, void, void> {
  const plan = await balanceOf(desk, { drained, drainOnly })
  yield { event: { $case: 'plan', value: plan } }
  const ports = {
    clock: desk.clock,
    begin: (planned: PlannedMove) => begin(desk, planned, operator),
    look: (ids: ReadonlySet<bigint>) => look(desk, ids),
    pause: async (id: bigint) => {
      await changeMove(desk, { id, change: MoveChange.PAUSE, operator, dryRun: false })
    },
    vitals: () => vitals(desk),
  }
  yield* runWaves(plan.waves, ports, signal)
}

async function begin(desk: AdminDesk, planned: PlannedMove, operator: string): Promise<bigint> {
  const { slots, to } = planned
  const { move } = await moveSlots(desk, { slots, to, operator, dryRun: false })
  if (move === undefined) throw new Error('a move that was begun is not told')
  return move.id
}

async function look(desk: AdminDesk, ids: ReadonlySet<bigint>) {
  const placement = await placementNow(desk)
  const own = placement.moves.filter(({ id }) => ids.has(BigInt(id)))
  return {
    moves: await Promise.all(own.map((move) => moveNow(desk, move))),
    isOwnedBy: ({ slots, to }: PlannedMove) => isOwnedBy(placement, slots[0]?.first ?? 0, to),
  }
}

function isOwnedBy(placement: Placement, slot: number, cell: string): boolean {
  return ownerOf(placement, slot).cell === cell
}

/** Of all cells that serve, of the last ten seconds. */
async function vitals(desk: AdminDesk): Promise<Vitals> {
  const cells = (await listCells(desk)).cells.filter(({ state }) => state === CellState.SERVING)
  return {
    serving: cells.map(({ cell }) => cell),
    calls: cells.reduce((sum, cell) => sum + cell.readsPerSecond, 0),
    callsFailed: cells.reduce((sum, cell) => sum + cell.failedReadsPerSecond, 0),
    p99Ms: Math.max(0, ...cells.map((cell) => cell.readP99Ms)),
    lagMs: Math.max(0, ...cells.map((cell) => cell.lagMs)),
  }
}
