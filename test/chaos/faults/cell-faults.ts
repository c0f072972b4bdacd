// What can happen to a cell: killed while it writes a checkpoint, asleep for longer than its lease, or asleep while another
// process takes its place.

import { setTimeout as wait } from 'node:timers/promises'
import { type Server, supervised } from '../cluster/server.ts'
import type { Fault } from '../run-chaos.ts'

const writesBetweenKills = 60

/**
 * The checkpoints of this cluster follow each other at once, so that a kill under load meets one, each time at another
 * place; several in a row also meet the recovery from the one before.
 */
export function killedInCheckpoints(cell: Server, times: number, withinMs: number): Fault {
  return {
    name: `${cell.name}: kill -9 in a checkpoint, ${times} times`,
    strike: async (load) => {
      for (let kill = 1; kill <= times; kill += 1) {
        await load.tally.acknowledges(writesBetweenKills, withinMs)
        await cell.kill()
        await supervised(() => cell.start())
      }
    },
  }
}

/** It wakes with what it knew, and must not serve that before it caught up. */
export function sleptOverItsLease(cell: Server, leaseMs: number): Fault {
  const asleepMs = 2 * leaseMs
  return {
    name: `${cell.name}: SIGSTOP for ${asleepMs / 1_000} s, its lease is ${leaseMs / 1_000} s`,
    strike: async () => {
      cell.pause()
      await wait(asleepMs)
      cell.resume()
    },
  }
}

/** The old process wakes beside its successor, and has to end. The successor is ended at last, and the old one started. */
export function succeeded(
  cell: Server & { readonly pid: number | undefined },
  startSecond: () => Promise<Server>,
  withinMs: number,
): Fault {
  return {
    name: `${cell.name}: SIGSTOP, a second process takes over, the first wakes`,
    strike: async (load) => {
      cell.pause()
      const second = await startSecond()
      await load.tally.acknowledges(writesBetweenKills, withinMs)
      cell.resume()
      const deadlineMs = performance.now() + withinMs
      while (cell.pid !== undefined) {
        if (performance.now() > deadlineMs) throw new Error(`${cell.name} goes on beside its heir`)
        await wait(50)
      }
      await load.tally.acknowledges(writesBetweenKills, withinMs)
      await second.kill()
      await supervised(() => cell.start())
    },
  }
}
