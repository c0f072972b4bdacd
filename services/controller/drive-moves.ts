// Drives the moves of the placement in this process. Every controller does, and `serve` too: they do not get in each other's way.

import { Mover } from '../../cells/activities/mover.ts'
import { differenceOf } from '../../cells/activities/verification.ts'
import type { CellName, Move } from '../../cells/model/placement.ts'
import type { CellClient, SlotsReport } from '../../cells/ports/cell-client.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import { ControlPlacements } from '../router/control-placements.ts'
import type { Task } from '../runtime/in-background.ts'

export type DriveParts = {
  readonly clock: Clock
  readonly control: ControlStore
  /** Undefined while the cell does not serve. */
  readonly connect: (cell: CellName) => CellClient | undefined
  /** Whether the cell's lease has ended. */
  readonly isDead: (cell: CellName) => Promise<boolean>
}
export type DriveLimits = {
  readonly stepMs: number
  readonly idleMs: number
  readonly retireMs: number
  /** How long a report, and how long a verification may take. */
  readonly reportMs: number
  readonly verifyMs: number
}
export const DRIVE_LIMITS: DriveLimits = {
  stepMs: 100,
  idleMs: 500,
  retireMs: 60_000,
  reportMs: 5_000,
  verifyMs: 60_000,
}

/** For `inBackground`. */
export function driveMoves(parts: DriveParts, limits: DriveLimits = DRIVE_LIMITS): Task {
  const { clock, control, connect, isDead } = parts
  const report = (cell: CellName, query?: { readonly logEnd: boolean }) =>
    reportOf(connect(cell), query, limits.reportMs)
  const verify = async (move: Move) => {
    const target = connect(move.to)
    if (target === undefined) throw new Error(`${move.to} does not serve at the moment`)
    const source = connect(move.from)
    if (source === undefined && !(await isDead(move.from))) {
      throw new Error(`${move.from} does not serve at the moment`)
    }
    return differenceOf(move, { source, target, clock }, AbortSignal.timeout(limits.verifyMs))
  }
  const placements = new ControlPlacements(control)
  const mover = new Mover({ placements, clock, report, isDead, verify }, limits)
  return (signal, failed) => mover.run(signal, failed)
}

/** Undefined when the cell does not answer in time. */
export async function reportOf(
  client: CellClient | undefined,
  query: { readonly logEnd: boolean } | undefined,
  patienceMs: number,
): Promise<SlotsReport | undefined> {
  if (client === undefined) return undefined
  const patience = AbortSignal.timeout(patienceMs)
  const tooLong = new Promise<undefined>((resolve) => {
    patience.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  return Promise.race([client.slots(query).catch(() => undefined), tooLong])
}
