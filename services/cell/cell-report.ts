// What is known of a cell from outside it: whether it serves, since when, and how to ask it.

import type { CellName } from '../../cells/model/placement.ts'
import type { CellClient, CellStatus, Loading } from '../../cells/ports/cell-client.ts'

/** `stopped`: in order, and not started again. `unreachable`: nothing is known but that it should be there. */
export type CellState = 'loading' | 'serving' | 'refusing' | 'draining' | 'stopped' | 'unreachable'

export type CellReport = {
  readonly cell: CellName
  readonly state: CellState
  /** One line for people, when the state needs explaining. */
  readonly detail: string
  readonly boot: number
  readonly startedAtMs: number
  readonly version: string
  /** How far it is before it serves, as far as that is known. */
  readonly loading: Loading | undefined
  /** Of its process; undefined when that is not known. */
  readonly memoryBytes: number | undefined
  /** Undefined while it does not serve. */
  readonly client: CellClient | undefined
}

/** What the cells that serve tell of themselves; one that fails at this moment is left out. */
export async function statusesOf(reports: readonly CellReport[]): Promise<CellStatus[]> {
  const answers = await Promise.allSettled(reports.map(async ({ client }) => client?.status()))
  return answers.flatMap((answer) =>
    answer.status === 'fulfilled' && answer.value !== undefined ? [answer.value] : [],
  )
}
