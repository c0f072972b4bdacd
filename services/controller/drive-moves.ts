// Drives the moves of the placement in this process. Every controller does, and `serve` too: they do not get in each other's way.

import { Caretaker } from '../../cells/activities/caretaker.ts'
import { Mover } from '../../cells/activities/mover.ts'
import { differenceOf } from '../../cells/activities/verification.ts'
import type { CellName, Move } from '../../cells/model/placement.ts'
import type { CellClient, SlotsQuery, SlotsReport } from '../../cells/ports/cell-client.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import { ControlPlacements } from '../router/control-placements.ts'
import type { Task } from '../runtime/in-background.ts'
import { inTime } from '../runtime/in-time.ts'

export type DriveParts = {
  readonly clock: Clock
  readonly control: ControlStore
  /** Undefined while the cell does not serve. */
  readonly connect: (cell: CellName) => CellClient | undefined
  /** Whether the cell's lease has ended; and whether that is so long ago that nobody waits for it any more. */
  readonly isDead: (cell: CellName) => Promise<boolean>
  readonly isLost: (cell: CellName) => Promise<boolean>
  /** Which process this is, for the audit trail. */
  readonly by: string
}
export type DriveLimits = {
  readonly stepMs: number
  readonly idleMs: number
  readonly retireMs: number
  readonly returnMs: number
  readonly awayMs: number
  /** A pause between two looks at what nobody asked for. */
  readonly careMs: number
  /** How long a report, and how long a verification may take. */
  readonly reportMs: number
  readonly verifyMs: number
}
export const DRIVE_LIMITS: DriveLimits = {
  stepMs: 100,
  idleMs: 500,
  retireMs: 60_000,
  returnMs: 15_000,
  awayMs: 3_600_000,
  careMs: 500,
  reportMs: 5_000,
  verifyMs: 60_000,
}

/** For `inBackground`. */
export function driveMoves(
  parts: DriveParts,
  limits: DriveLimits = DRIVE_LIMITS,
): Readonly<Record<string, Task>> {
  const { clock, control, connect, isDead, isLost, by } = parts
  const report = (cell: CellName, query?: SlotsQuery) =>
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
  const placements = new ControlPlacements(control, { by, nowMs: () => clock.nowMs() })
  const mover = new Mover({ placements, clock, report, isDead, verify }, limits)
  const isWell = async (cell: CellName) => (await report(cell))?.ready === true
  const caretaker = new Caretaker({ placements, clock, isLost, isWell })
  return {
    'drive moves': (signal, failed) => mover.run(signal, failed),
    'keep standbys': async (signal, failed) => {
      while (!signal.aborted) {
        await caretaker.step().catch(failed)
        await clock.sleep(limits.careMs, signal)
      }
    },
  }
}

/** Undefined when the cell does not answer in time. */
export async function reportOf(
  client: CellClient | undefined,
  query: SlotsQuery | undefined,
  patienceMs: number,
): Promise<SlotsReport | undefined> {
  if (client === undefined) return undefined
  return inTime(client.slots(query), patienceMs).catch(() => undefined)
}
