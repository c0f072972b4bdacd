// A move as the admin API tells it, with what its target says of it.

import type { Move } from '../../cells/model/placement.ts'
import { MovePhase, type Move as WireMove } from '../../gen/cellfeed/admin/v1/admin_service.ts'
import type { AdminDesk } from './admin-desk.ts'

type Told = Pick<WireMove, 'detail' | 'copiedPart' | 'readersCopied' | 'bytesCopied'>

const PHASES = {
  preparing: MovePhase.PREPARING,
  copying: MovePhase.COPYING,
  verifying: MovePhase.VERIFYING,
  differs: MovePhase.DIFFERS,
  ready: MovePhase.READY,
  retiring: MovePhase.RETIRING,
} as const
const NOTHING: Told = { detail: '', copiedPart: 0, readersCopied: 0n, bytesCopied: 0n }

/** As it stands in the placement. */
export function wireMove(move: Move, told = NOTHING): WireMove {
  const { id, slots, pins, from, to, phase, isStandby, isPaused } = move
  return {
    id: BigInt(id),
    slots: [...slots],
    from,
    to,
    phase: PHASES[phase.kind],
    cutOverAt: phase.kind === 'retiring' ? new Date(phase.sinceMs) : undefined,
    isStandby,
    isPaused,
    pinnedUsers: pins.length,
    ...told,
  }
}

/** And as far as it is by now. */
export async function moveNow(desk: AdminDesk, move: Move): Promise<WireMove> {
  const { phase, id, to } = move
  if (phase.kind === 'differs') return wireMove(move, { ...NOTHING, detail: phase.detail })
  if (phase.kind !== 'copying') return wireMove(move)
  const target = await desk.reportOf(to)
  if (target === undefined) return wireMove(move, { ...NOTHING, detail: `${to} does not answer` })
  const detail = target.failures.find((failure) => failure.move === id)?.detail ?? ''
  const copying = target.copying.find((each) => each.move === id)
  return wireMove(move, {
    detail,
    copiedPart: copying?.part ?? 0,
    readersCopied: BigInt(copying?.readers ?? 0),
    bytesCopied: BigInt(copying?.bytes ?? 0),
  })
}
