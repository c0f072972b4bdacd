// What is explored to the end: how much may happen in one run.

import type { Rules } from './cluster.ts'

const MOVE: Rules = { crashes: 0, plans: 1, hasStandby: false }
const STANDBY: Rules = { ...MOVE, hasStandby: true }
const LATE_DROPS: Rules = { ...MOVE, dropsLate: true }

export const RUNS = {
  // Moves by operators are among them.
  'a standby, its way back, or a move, two crashes': { ...STANDBY, crashes: 2 },
  'a move or an adoption, one crash': { ...MOVE, crashes: 1 },
  'two moves': { ...MOVE, plans: 2 },
  'a move, rows dropped late': LATE_DROPS,
} as const satisfies Readonly<Record<string, Rules>>

/** Small enough for every run of the tests: in each of them some of the planted mistakes show. */
export const SMALL_RUNS = {
  move: MOVE,
  crash: { ...MOVE, crashes: 1 },
  standby: STANDBY,
  standbyCrash: { ...STANDBY, crashes: 1 },
  lateDrops: LATE_DROPS,
} as const satisfies Readonly<Record<string, Rules>>
