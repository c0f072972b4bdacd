// What must hold before slots change hands: whoever drives moves looks at it, and so do operators' commands.

import { termOf } from '../model/move.ts'
import type { Move } from '../model/placement.ts'
import { hasReached, type Position } from '../model/position.ts'
import type { SlotsReport } from '../ports/cell-client.ts'

/** Nobody can tell of a cell that recovers: it is behind what it showed before. */
export function shownBy(report: SlotsReport | undefined): Position | undefined {
  return report?.ready === true ? report.position : undefined
}

/** The source still has what it gave away, and is as far as anything that the target has shown. */
export function mayGoBack(
  { id }: Move,
  source: SlotsReport | undefined,
  passed: Position | undefined,
): boolean {
  if (source?.ready !== true || !source.retained.includes(id)) return false
  return passed !== undefined && hasReached(source.position, passed)
}

/** Whether the target still has what the move says that it has. */
export function holds({ arrived }: SlotsReport, move: Move): boolean {
  return arrived.some(({ move: id, term }) => id === move.id && term === termOf(move))
}
