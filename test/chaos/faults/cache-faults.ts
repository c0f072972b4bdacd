// The cache is emptied, again and again, while everything is read from it.

import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Fault } from '../run-chaos.ts'

export function flushed(
  at: { readonly host: string; readonly port: number },
  { times, everyMs }: { readonly times: number; readonly everyMs: number },
): Fault {
  return {
    name: `redis: FLUSHALL ${times} times in ${(times * everyMs) / 1_000} s`,
    strike: async () => {
      const redis = new Redis({ ...at, lazyConnect: true })
      try {
        await redis.connect()
        for (let time = 0; time < times; time += 1) {
          await redis.flushall()
          await wait(everyMs)
        }
      } finally {
        redis.disconnect()
      }
    },
  }
}
