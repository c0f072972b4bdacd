// Random calls, not waited for, while connections are cut: a body that is found was set after the last removal of its post and
// the last renewal. That some are found shows that the calls really went to Redis.

import * as fc from 'fast-check'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { PostId } from '../../../cells/model/post-id.ts'
import { RedisBodyCache } from '../../../infra/redis/body-cache.ts'
import { OwnRedis } from './own-redis.ts'

const POSTS = 4
const key = (post: number) => ({ author: 1, postId: BigInt(post) as PostId })

type Step =
  | { readonly kind: 'set' | 'get' | 'remove'; readonly post: number }
  | { readonly kind: 'renew' | 'cut' | 'settle' }

const post = fc.nat(POSTS - 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('set' as const), post }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('get' as const), post }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('remove' as const), post }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('renew' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('settle' as const) }) },
)

let redis: OwnRedis
let cache: RedisBodyCache
let admin: Redis
beforeAll(async () => {
  redis = await OwnRedis.start()
  admin = redis.admin()
  cache = await RedisBodyCache.open({
    host: '127.0.0.1',
    port: redis.port,
    database: 0,
    username: undefined,
    password: undefined,
    tls: undefined,
    prefix: 'test',
    cell: 'cell-1',
    limits: {
      answerMs: 5_000,
      openMs: 10_000,
      reconnectMs: 1,
      reconnectMaxMs: 1,
      failuresMax: 1_000_000,
    },
  })
})
afterAll(async () => {
  await cache.close()
  await redis.end()
})

test('a body that is found was set after all removals and renewals of before', async () => {
  let found = 0
  let sets = 0
  const run = async (steps: readonly Step[]) => {
    const up = () =>
      vi.waitFor(() => expect(cache.status().isUp).toBe(true), { timeout: 10_000, interval: 1 })
    await up()
    await cache.renew()
    let renewedAt = sets
    /** Per post: bodies set before this number are gone for good, once the removal is sure. */
    const goneBefore = new Array<number>(POSTS).fill(sets)
    let pending: Promise<unknown>[] = []
    const settle = async () => {
      await Promise.all(pending)
      pending = []
      await up()
    }
    const remove = async (of: number) => {
      const before = sets
      await cache.remove([key(of)]).catch(() => cache.renew())
      goneBefore[of] = Math.max(goneBefore[of] ?? 0, before)
    }
    const get = async (of: number) => {
      const least = goneBefore[of] ?? 0
      const [body] = await cache.getMany([key(of)])
      if (body === undefined) return
      found++
      const number = new DataView(body.buffer, body.byteOffset).getUint32(0)
      // A renewal counts from when it is called, also for reads that began before it.
      expect(number).toBeGreaterThanOrEqual(Math.max(least, renewedAt))
    }
    for (const each of steps) {
      switch (each.kind) {
        case 'set': {
          const value = new Uint8Array(4)
          new DataView(value.buffer).setUint32(0, sets++)
          pending.push(cache.setMany([{ key: key(each.post), value }]))
          break
        }
        case 'get':
          pending.push(get(each.post))
          break
        case 'remove':
          pending.push(remove(each.post))
          break
        case 'renew':
          renewedAt = sets
          pending.push(cache.renew())
          break
        case 'cut':
          pending.push(admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'))
          break
        case 'settle':
          await settle()
      }
    }
    await settle()
  }
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), run), {
    numRuns: 200,
  })
  expect(found).toBeGreaterThan(100)
})
