// What can happen to any server: it is killed and comes back, or stands still for a while.

import { setTimeout as wait } from 'node:timers/promises'
import { type Server, supervised } from '../cluster/server.ts'
import type { Load } from '../load/load.ts'
import type { Fault } from '../run-chaos.ts'

export type While = {
  /** How long it is away. */
  readonly awayMs: number
  /** What must still work meanwhile. */
  readonly meanwhile?: (load: Load) => Promise<void>
}

/** kill -9, away for a while, and started again. */
export function killed(server: Server, { awayMs, meanwhile }: While): Fault {
  return {
    name: `${server.name}: kill -9, restarted after ${awayMs / 1_000} s`,
    strike: async (load) => {
      await server.kill()
      await Promise.all([wait(awayMs), meanwhile?.(load)])
      await supervised(() => server.start())
    },
  }
}

/** SIGSTOP for a while. */
export function stoodStill(server: Server, { awayMs, meanwhile }: While): Fault {
  return {
    name: `${server.name}: SIGSTOP for ${awayMs / 1_000} s`,
    strike: async (load) => {
      server.pause()
      try {
        await Promise.all([wait(awayMs), meanwhile?.(load)])
      } finally {
        server.resume()
      }
    },
  }
}

/** For `meanwhile`: writes are acknowledged although the server is away. */
export function writesGoOn(writes: number, withinMs: number) {
  return (load: Load) => load.tally.acknowledges(writes, withinMs)
}
