// What Redis may do to a cell: make its reads slower, and nothing else. Each test has a Redis of its own and does to it what
// happens to servers; after each, no body that was removed is found, and the cache works again.

import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { PostId } from '../../../cells/model/post-id.ts'
import { RedisBodyCache, type RedisBodyCacheOptions } from '../../../infra/redis/body-cache.ts'
import { OwnRedis } from './own-redis.ts'

const key = (id: number) => ({ author: 7, postId: BigInt(id) as PostId })
const entry = (id: number, fill: number, size = 100) => ({
  key: key(id),
  value: new Uint8Array(size).fill(fill),
})

let redis: OwnRedis
let caches: RedisBodyCache[]
beforeEach(() => {
  caches = []
})
afterEach(async () => {
  for (const cache of caches) await cache.close()
  await redis.end()
})

/** Patient where a test needs an answer; a test about late answers says how long it waits. */
async function open(limits: RedisBodyCacheOptions['limits'] = {}): Promise<RedisBodyCache> {
  const cache = await RedisBodyCache.open({
    host: '127.0.0.1',
    port: redis.port,
    database: 0,
    username: undefined,
    password: undefined,
    tls: undefined,
    prefix: 'test',
    cell: 'cell-1',
    limits: { answerMs: 5_000, openMs: 10_000, connectMs: 10_000, ...limits },
  })
  caches.push(cache)
  return cache
}

const fill = async (cache: RedisBodyCache, id: number) => (await cache.getMany([key(id)]))[0]?.[0]

/** Does it over and over until it says true, or the test has taken too long. */
async function until(step: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 30_000
  while (!(await step())) {
    if (performance.now() > endMs) throw new Error('it did not come true')
    await setImmediate()
  }
}

/** Once Redis is back, what is set is found. */
async function worksAgain(cache: RedisBodyCache): Promise<void> {
  await vi.waitFor(
    async () => {
      await cache.setMany([entry(1_000, 99)])
      expect(await fill(cache, 1_000)).toBe(99)
    },
    { timeout: 30_000, interval: 20 },
  )
}

/** What the cell does: a removal that is not sure begins a new epoch. */
async function forget(cache: RedisBodyCache, id: number): Promise<void> {
  await cache.remove([key(id)]).catch(() => cache.renew())
}

test('killed with calls on their way: all end, and nothing of before is found after', async () => {
  redis = await OwnRedis.start()
  const cache = await open()
  await cache.setMany([entry(1, 1), entry(2, 2)])
  const calls = Array.from({ length: 200 }, (_, i) => [
    cache.setMany([entry(10 + i, 3, 10_000)]),
    cache.getMany([key(1), key(2), key(10 + i)]),
  ])
  const killed = redis.kill()
  await Promise.all(calls.flat())
  await killed
  await vi.waitFor(() => expect(cache.status().isUp).toBe(false))
  expect(await fill(cache, 1)).toBeUndefined()
  await cache.setMany([entry(1, 1)])
  await forget(cache, 1)
  await redis.server.start()
  await worksAgain(cache)
  expect(await fill(cache, 1)).toBeUndefined()
  expect(cache.status()).toMatchObject({ breaker: 'closed', unanswered: 0 })
})

test('back from a snapshot that still holds a removed body: it is not found', async () => {
  redis = await OwnRedis.start()
  const cache = await open()
  await cache.setMany([entry(1, 1), entry(2, 2)])
  await redis.admin().save()
  await cache.remove([key(1)])
  await redis.kill()
  await redis.server.start()
  expect(await redis.admin().dbsize()).toBe(2)
  await worksAgain(cache)
  expect(await cache.getMany([key(1), key(2)])).toEqual([undefined, undefined])
})

test('a connection that ends, Redis none the worse: a new epoch all the same', async () => {
  redis = await OwnRedis.start()
  const cache = await open()
  await cache.setMany([entry(1, 1)])
  const { epochs } = cache.status()
  await redis.admin().call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await vi.waitFor(() => expect(cache.status().epochs).toBe(epochs + 1))
  await worksAgain(cache)
  expect(await fill(cache, 1)).toBeUndefined()
})

test('stopped: reads find nothing, soon without asking; a removal is not sure', async () => {
  redis = await OwnRedis.start()
  // Silence is never taken for the end of the connection here, so that what was sent is carried out later.
  const cache = await open({ answerMs: 20, silenceMs: 600_000, pauseMs: 50, pauseMaxMs: 50 })
  await cache.setMany([entry(1, 1)])
  redis.server.pause()
  const late = cache.setMany([entry(2, 2)])
  await expect(cache.remove([key(1), key(2)])).rejects.toMatchObject({ code: 'CACHE_NOT_SURE' })
  await late
  await until(async () => {
    expect(await fill(cache, 1)).toBeUndefined()
    return cache.status().breaker === 'open'
  })
  const { unasked } = cache.status()
  expect(await fill(cache, 1)).toBeUndefined()
  await expect(cache.remove([key(1)])).rejects.toMatchObject({ code: 'CACHE_NOT_SURE' })
  expect(cache.status().unasked).toBe(unasked + 1)

  await cache.renew()
  redis.server.resume()
  await worksAgain(cache)
  await vi.waitFor(() => expect(cache.status().unanswered).toBe(0))
  expect(await cache.getMany([key(1), key(2)])).toEqual([undefined, undefined])
})

test('a set whose answer came too late does not undo the removal after it', async () => {
  redis = await OwnRedis.start()
  const cache = await open({ answerMs: 300, silenceMs: 600_000, failuresMax: 1_000 })
  await cache.setMany([entry(1, 1)])
  redis.server.pause()
  await cache.setMany([entry(2, 2)])
  expect(cache.status().late).toBe(1)
  const removed = cache.remove([key(2)])
  redis.server.resume()
  await removed.catch(() => cache.renew())
  await vi.waitFor(() => expect(cache.status().unanswered).toBe(0))
  expect(await fill(cache, 2)).toBeUndefined()
})

test('stopped for long: the connection is given up, what is unanswered stays bounded', async () => {
  redis = await OwnRedis.start()
  const limits = { unansweredMax: 50, failuresMax: 1_000_000 }
  const cache = await open({ answerMs: 20, silenceMs: 500, connectMs: 500, ...limits })
  await cache.setMany([entry(1, 1)])
  redis.server.pause()
  const { isUp, epochs } = cache.status()
  expect(isUp).toBe(true)
  await until(async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => cache.getMany([key(i)])))
    expect(cache.status().unanswered).toBeLessThanOrEqual(50)
    return cache.status().epochs > epochs
  })
  redis.server.resume()
  await worksAgain(cache)
  expect(await fill(cache, 1)).toBeUndefined()
})

test('full: what it holds is still found and can be removed, nothing more is set for a while', async () => {
  redis = await OwnRedis.start()
  const admin = redis.admin()
  await admin.config('SET', 'maxmemory', '4mb', 'maxmemory-policy', 'noeviction')
  const cache = await open()
  await cache.setMany([entry(1, 1), entry(2, 2)])
  let id = 10
  await until(async () => {
    await cache.setMany([entry(id++, 3, 50_000)])
    return cache.status().refused > 0
  })
  const { unasked, refused } = cache.status()
  await cache.setMany([entry(3, 3)])
  expect(cache.status()).toMatchObject({ unasked: unasked + 1, refused, breaker: 'closed' })
  expect(await fill(cache, 1)).toBe(1)
  await cache.remove([key(1)])
  expect(await cache.getMany([key(1), key(2)]).then((found) => found.map((b) => b?.[0]))).toEqual([
    undefined,
    2,
  ])
  await admin.config('SET', 'maxmemory', '0')
  await worksAgain(cache)
})

test('emptied under load: no error, and it fills again', async () => {
  redis = await OwnRedis.start()
  const cache = await open()
  const admin = redis.admin()
  const rounds = Array.from({ length: 20 }, (_, round) => round)
  for (const round of rounds) {
    const ids = Array.from({ length: 50 }, (_, i) => round * 50 + i)
    const set = cache.setMany(ids.map((id) => entry(id, 5)))
    const emptied = round % 4 === 0 ? admin.flushall() : undefined
    const found = await cache.getMany(ids.map(key))
    expect(found.filter((body) => body !== undefined && body[0] !== 5)).toEqual([])
    await set
    await emptied
  }
  expect(cache.status()).toMatchObject({ late: 0, lost: 0, refused: 0, breaker: 'closed' })
  await worksAgain(cache)
})

test('away when the cell starts: it opens, finds nothing, and works once Redis is there', async () => {
  redis = await OwnRedis.start()
  await redis.kill()
  const cache = await open({ openMs: 200 })
  expect(cache.status().isUp).toBe(false)
  await cache.setMany([entry(1, 1)])
  expect(await fill(cache, 1)).toBeUndefined()
  await cache.remove([key(1)])
  await redis.server.start()
  await worksAgain(cache)
})

test('a process of before that wakes up writes where nobody reads', async () => {
  redis = await OwnRedis.start()
  const zombie = await open()
  await zombie.setMany([entry(1, 1)])
  const cache = await open()
  await cache.renew()
  expect(await fill(cache, 1)).toBeUndefined()
  await cache.setMany([entry(2, 2)])
  await zombie.setMany([entry(1, 66), entry(2, 66)])
  expect(await cache.getMany([key(1), key(2)]).then((found) => found.map((b) => b?.[0]))).toEqual([
    undefined,
    2,
  ])
})

test('bodies too large are left out, entries expire, keys begin with prefix and cell', async () => {
  redis = await OwnRedis.start()
  const cache = await open({ valueBytesMax: 1_000, ttlSeconds: 77 })
  await cache.setMany([entry(1, 1, 1_001), entry(2, 2, 1_000)])
  expect(await cache.getMany([key(1), key(2)]).then((found) => found.map((b) => b?.[0]))).toEqual([
    undefined,
    2,
  ])
  expect(cache.status()).toMatchObject({ tooLarge: 1, hits: 1, misses: 1 })
  const admin = redis.admin()
  const names = await admin.keys('*')
  expect(names).toEqual([expect.stringMatching(/^test:cell-1:[\w-]{16}:7:2$/)])
  expect(await admin.ttl(names[0] ?? '')).toBeGreaterThan(0)
  expect(await admin.ttl(names[0] ?? '')).toBeLessThanOrEqual(77)
})
