// A cluster as the drill sees it: one address for its users, one for its operator, and processes that can be killed and started
// again at their addresses.

export type Role = 'controller' | 'source' | 'target'

/** Of a move: which cells are its source and its target. */
export type Between = { readonly from: string; readonly to: string }

export type Killable = {
  readonly name: string
  /** The cells that are down with it. */
  readonly cells: readonly string[]
  /** Whether nobody is answered while it is down. */
  readonly isAll: boolean
  /** kill -9. */
  kill(): Promise<void>
  /** Resolves when it says that it is ready. */
  start(): Promise<void>
}

export interface DrilledCluster {
  readonly address: string
  readonly adminAddress: string
  /** Starts the cell, which the placement names by now, where that is not done by itself. */
  runCell(cell: string): Promise<void>
  /** Ends the process of a cell that the placement names no more, where that is not done by itself. */
  endCell(cell: string): Promise<void>
  /** What to kill to kill this part of a move. */
  processOf(role: Role, between: Between): Killable
  stop(): Promise<void>
}

/**
 * Small and hasty, so that checkpoints and generations are always under way, and most of what moves lies in inboxes of the source's
 * store.
 */
export const CELL_FLAGS = {
  'checkpoint-interval': '200ms',
  'window-posts': 1_000,
  'generation-posts': 100,
} as const
