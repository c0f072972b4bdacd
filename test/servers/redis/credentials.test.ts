// How the cache reaches a Redis that is closed to others: user name, password, database, TLS with the client known too. What is
// wrong is told, and the cell goes on without a cache.

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { afterEach, expect, test, vi } from 'vitest'
import type { PostId } from '../../../cells/model/post-id.ts'
import { RedisBodyCache } from '../../../infra/redis/body-cache.ts'
import type { LinkChange } from '../../../infra/redis/redis-link.ts'
import type { RedisOptions } from '../../../infra/redis/redis-options.ts'
import { type CertificateFiles, OwnRedis } from './own-redis.ts'

const entry = { key: { author: 1, postId: 2n as PostId }, value: new Uint8Array([42]) }
const ended: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ended.reverse()) await end()
  ended.length = 0
})

async function start(args: readonly string[], tls?: CertificateFiles): Promise<OwnRedis> {
  const redis = await OwnRedis.start(args, tls)
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
  const { port } = await start(['--requirepass', 'open sesame'])
  const { found, changes } = await open({ port, password: 'open sesame', database: 3 })
  expect(await found()).toBe(42)
  expect(changes).toEqual([{ isUp: true, detail: '' }])
  const admin = new Redis({ port, password: 'open sesame', db: 3 })
  expect(await admin.dbsize()).toBe(1)
  await admin.select(0)
  expect(await admin.dbsize()).toBe(0)
  admin.disconnect()
})

test('as a user who may do no more than the cache needs', async () => {
  const rules = ['on', '>secret', '~test:*', '+mget', '+set', '+del', '+select', '+client', '+info']
  const { port } = await start(['--user', 'default', 'off', '--user', 'feed', ...rules])
  const { cache, found } = await open({ port, username: 'feed', password: 'secret', database: 1 })
  expect(await found()).toBe(42)
  await cache.remove([entry.key])
  expect(await cache.getMany([entry.key])).toEqual([undefined])
  expect(cache.status()).toMatchObject({ refused: 0, late: 0, lost: 0 })
})

test('with a wrong password it says so, finds nothing and rejects nothing', async () => {
  const { port } = await start(['--requirepass', 'right'])
  const { cache, changes, found } = await open({ port, password: 'wrong' })
  expect(await found()).toBeUndefined()
  await cache.remove([entry.key])
  await vi.waitFor(() => expect(changes.length).toBeGreaterThan(1))
  expect(changes[0]).toEqual({ isUp: false, detail: expect.stringContaining('WRONGPASS') })
})

test('by TLS, each showing the other a certificate', async () => {
  const files = await makeCertificate()
  const { port } = await start([], files)
  const [certificate, key] = await Promise.all([
    readFile(files.certificate, 'utf8'),
    readFile(files.key, 'utf8'),
  ])
  const trusting = await open({ port, tls: { ca: certificate, certificate, key } })
  expect(await trusting.found()).toBe(42)

  const distrusting = await open({ port, tls: { ca: undefined, certificate, key } })
  expect(await distrusting.found()).toBeUndefined()
  expect(distrusting.changes[0]).toEqual({
    isUp: false,
    detail: expect.stringContaining('self-signed'),
  })
  const unknown = await open({
    port,
    tls: { ca: certificate, certificate: undefined, key: undefined },
  })
  expect(await unknown.found()).toBeUndefined()
})

/** One that signs itself, for the server and for its client. */
async function makeCertificate(): Promise<CertificateFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'cellfeed-certificate-'))
  ended.push(() => rm(folder, { recursive: true }))
  const files = { certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') }
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'
  const name = '-subj /CN=redis -addext subjectAltName=IP:127.0.0.1'
  const out = ['-keyout', files.key, '-out', files.certificate]
  await promisify(execFile)('openssl', [...request.split(' '), ...name.split(' '), ...out])
  return files
}
