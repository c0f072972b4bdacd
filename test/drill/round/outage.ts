// kill -9 of one part of a move at a moment of it, and what it takes until its users are answered again.

import { setTimeout as wait } from 'node:timers/promises'
import type { Cellfeed } from '../../../services/client/connect.ts'
import { insist } from '../../chaos/load/insist.ts'
import type { DrilledCluster, Killable } from '../cluster/drilled-cluster.ts'
import type { MovePlan } from './round-plan.ts'
import type { Killed } from './struck.ts'
import type { WatchedMove } from './watched-move.ts'

export type Asking = {
  /** Nothing is tried again by itself. */
  readonly operator: Cellfeed
  readonly users: Cellfeed
  /** One user of each quarter that the cell owns now. */
  readonly usersOf: (cell: string) => readonly string[]
  /** By then it has to answer. */
  readonly patience: AbortSignal
}

const ASK_MS = 50

export async function killIn(
  move: WatchedMove,
  cluster: DrilledCluster,
  plan: MovePlan['kill'],
  asking: Asking,
): Promise<Killed> {
  await move.reaches(plan.phase)
  await wait(plan.afterMs)
  const process = cluster.processOf(plan.role, move.move)
  const { phase } = move
  const killedMs = performance.now()
  await process.kill()
  await wait(plan.awayMs)
  const startedMs = performance.now()
  await process.start()
  await answers(process, asking)
  const answeredMs = performance.now()
  const cells = process.isAll ? undefined : process.cells
  const outage = { cells, killedMs, answeredMs }
  const { role, awayMs } = plan
  return { role, name: process.name, phase, outage, awayMs, backMs: answeredMs - startedMs }
}

async function answers(process: Killable, asking: Asking): Promise<void> {
  const { operator, users, usersOf, patience } = asking
  for (;;) {
    const all = await insist(() => operator.cells(), patience, ASK_MS)
    const cells = all.filter(({ cell }) => process.isAll || process.cells.includes(cell))
    if (cells.every(({ state }) => state === 'SERVING')) {
      for (const user of cells.flatMap(({ cell }) => usersOf(cell))) {
        await insist(() => users.dashboard(user, { limit: 1 }), patience, ASK_MS)
      }
      return
    }
    if (patience.aborted) throw new Error(`${process.name} does not serve again`)
    await wait(ASK_MS)
  }
}
