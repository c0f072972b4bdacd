// How the cache reaches a Redis that is closed to others: user name, password, database, TLS with the client known too. What is
// wrong is told, and the cell goes on without a cache.

import { readFile } from 'node:fs/promises'
import { afterEach, expect, test, vi } from 'vitest'
import type { PostId } from '../../../cells/model/post-id.ts'
import { RedisBodyCache } from '../../../infra/redis/body-cache.ts'
import type { LinkChange } from '../../../infra/redis/redis-link.ts'
import type { RedisOptions } from '../../../infra/redis/redis-options.ts'
import { OwnRedis } from './own-redis.ts'

const entry = { key: { author: 1, postId: 2n as PostId }, value: new Uint8Array([42]) }
const ended: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ended.reverse()) await end()
  ended.length = 0
})

async function start(options: Parameters<typeof OwnRedis.start>[0] = {}): Promise<OwnRedis> {
  const redis = await OwnRedis.start(options)
  ended.push(() => redis.end())
  return redis
}

async function open(options: Partial<RedisOptions> & { readonly port: number }) {
  const changes: LinkChange[] = []
  const cache = await RedisBodyCache.open({
    host: '127.0.0.1',
    database: 0,
    username: undefined,
    password: undefined,
    tls: undefined,
    prefix: 'test',
    cell: 'cell-1',
    ...options,
    limits: { answerMs: 5_000, openMs: 10_000, connectMs: 10_000 },
    onChange: (change) => void changes.push(change),
  })
  ended.push(() => cache.close())
  const found = async () => {
    await cache.setMany([entry])
    return (await cache.getMany([entry.key]))[0]?.[0]
  }
  return { cache, changes, found }
}

test('by password, in a database of its own', async () => {
  const redis = await start({ password: 'open sesame' })
  const { port } = redis
  const { found, changes } = await open({ port, password: 'open sesame', database: 3 })
  expect(await found()).toBe(42)
  expect(changes).toEqual([{ isUp: true, detail: '' }])
  expect(await redis.admin(3).dbsize()).toBe(1)
  expect(await redis.admin(0).dbsize()).toBe(0)
})

test('as a user who may do no more than the cache needs', async () => {
  const redis = await start()
  const rules = ['on', '>secret', '~test:*', '+mget', '+set', '+del', '+select', '+client', '+info']
  await redis.admin().call('ACL', 'SETUSER', 'feed', ...rules)
  const { port } = redis
  const { cache, found } = await open({ port, username: 'feed', password: 'secret', database: 1 })
  expect(await found()).toBe(42)
  await cache.remove([entry.key])
  expect(await cache.getMany([entry.key])).toEqual([undefined])
  expect(cache.status()).toMatchObject({ refused: 0, late: 0, lost: 0 })
})

test('with a wrong password it says so, finds nothing and rejects nothing', async () => {
  const { port } = await start({ password: 'right' })
  const { cache, changes, found } = await open({ port, password: 'wrong' })
  expect(await found()).toBeUndefined()
  await cache.remove([entry.key])
  await vi.waitFor(() => expect(changes.length).toBeGreaterThan(1))
  expect(changes[0]).toEqual({ isUp: false, detail: expect.stringContaining('WRONGPASS') })
})

test('by TLS, each showing the other a certificate', async () => {
  const redis = await start({ tls: true })
  const { port, certificates } = redis
  if (certificates === undefined) throw new Error('it has certificates')
  await redis.admin().config('SET', 'tls-auth-clients', 'yes')
  const { ca } = certificates
  const certificate = await readFile(certificates.certificatePath, 'utf8')
  const key = await readFile(certificates.keyPath, 'utf8')
  const trusting = await open({ port, tls: { ca, certificate, key } })
  expect(await trusting.found()).toBe(42)

  const distrusting = await open({ port, tls: { ca: undefined, certificate, key } })
  expect(await distrusting.found()).toBeUndefined()
  expect(distrusting.changes[0]).toEqual({
    isUp: false,
    detail: expect.stringMatching(/self-signed|unable to verify/),
  })
  const unknown = await open({ port, tls: { ca, certificate: undefined, key: undefined } })
  expect(await unknown.found()).toBeUndefined()
})
