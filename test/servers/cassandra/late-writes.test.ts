// What was written before lands after, as a write that timed out may: it changes nothing. A second process that believes it is the
// cell still (it slept) writes with versions of its own boot, which are older. And a server that takes requests and gives no answer:
// each fails at its deadline, and may land later.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { PostId } from '../../../cells/model/post-id.ts'
import type { ReaderRow, Version } from '../../../cells/ports/cell-store.ts'
import { MARK_VERSION } from '../../../cells/ports/post-table.ts'
import { CassandraCellStore } from '../../../infra/cassandra/cell-store.ts'
import { CassandraFailure } from '../../../infra/cassandra/session.ts'
import { mark, postRow } from '../../contract/post-table-contract.ts'
import { HoldingProxy } from './holding-proxy.ts'
import { openTestStore, testCell, testKeyspace } from './test-keyspace.ts'

const cassandra = testKeyspace('cell')
let store: CassandraCellStore
let sleeper: CassandraCellStore
beforeAll(async () => {
  store = await openTestStore(cassandra)
  sleeper = await openTestStore(cassandra)
})
afterAll(async () => {
  await store.close()
  await sleeper.close()
})

const bytes = (text: string) => new TextEncoder().encode(text)
const version = (boot: number, count: number): Version => ({ boot, count })
const readerRow = (reader: number, of: Version, size: number, slot: number): ReaderRow => ({
  slot,
  term: 1,
  reader,
  version: of,
  bytes: new Uint8Array(size).fill(of.count),
})
const readersOf = async (slot: number) => {
  const rows: ReaderRow[] = []
  for await (const batch of store.readers.ofSlot({ slot, term: 1 })) rows.push(...batch)
  return rows
}
const pagesOf = async (slot: number) =>
  cassandra
    .session()
    .read(`SELECT page FROM ${cassandra.keyspace}.reader_pages WHERE slot = ? AND term = 1`, [slot])

test('a post that lands after its mark stays deleted, also in another process', async () => {
  await store.posts.put([postRow(1, 9n, 5)])
  await store.posts.put([mark(1, 9n)])
  await sleeper.posts.put([postRow(1, 9n, MARK_VERSION - 1)])
  expect(await store.posts.get([{ author: 1, postId: 9n as PostId }])).toEqual([mark(1, 9n)])
})

test('an author’s posts of several months are one list, also after a restart', async () => {
  const month = (n: bigint) => ((n * 30n * 86_400_000n) << 22n) + n
  const ids = [310n, 297n, 296n, 3n].map(month)
  for (const id of [...ids].reverse()) await store.posts.put([postRow(2, id)])
  await store.posts.put([mark(2, month(305n))])
  expect((await sleeper.posts.idsBelow(2, undefined, 9)).postIds).toEqual(ids)
  expect((await sleeper.posts.idsBelow(2, ids[0] as PostId, 2)).postIds).toEqual(ids.slice(1, 3))
  expect((await sleeper.posts.idsBelow(2, ids[3] as PostId, 2)).postIds).toEqual([])
})

test('what lands in a stay after it was dropped is not seen', async () => {
  const at = { slot: 1, term: 1 }
  const chunk = { reader: 1, generation: 2 ** 40, part: 0, bytes: bytes('chunk') }
  const writeAll = async (by: CassandraCellStore, count: number) => {
    await by.readers.put([readerRow(1, version(9, count), 10, 1)])
    await by.readers.put([readerRow(2, version(9, count), 100_000, 1)])
    await by.inbox.putChunks(at, 300, [chunk])
    await by.readers.putReach([{ ...at, version: version(9, count), bytes: bytes('reach') }])
  }
  await writeAll(store, 1)
  expect(await readersOf(1)).toHaveLength(2)
  await store.readers.dropTerm(at)
  await writeAll(sleeper, 2)
  expect(await readersOf(1)).toEqual([])
  expect(await pagesOf(1)).toEqual([])
  expect(await store.inbox.chunksBelow(at, 300, 1, 2 ** 41, 9)).toEqual([])
  expect((await store.readers.reach()).filter(({ slot }) => slot === 1)).toEqual([])
})

test('a window block that lands after it was dropped is not seen', async () => {
  const name = { boot: 5, count: 2 ** 33 }
  await store.window.put([{ name, bytes: bytes('block') }])
  await store.window.drop([name])
  await sleeper.window.put([{ name, bytes: bytes('block') }])
  expect(await store.window.get([name])).toEqual([undefined])
})

test('a reader who follows a million is kept whole, through newer and older versions', async () => {
  const million = 8_000_000
  const stored = async () =>
    (await readersOf(2)).map((row) => [row.version.count, row.bytes.length])
  await store.readers.put([readerRow(7, version(2, 1), million, 2)])
  expect(await stored()).toEqual([[1, million]])
  await store.readers.put([readerRow(7, version(2, 3), million + 1, 2)])
  await sleeper.readers.put([readerRow(7, version(2, 2), million + 2, 2)])
  const [row] = await readersOf(2)
  expect([row?.version, row?.bytes.length]).toEqual([version(2, 3), million + 1])
  expect(row?.bytes.every((byte) => byte === 3)).toBe(true)
})

test('a large row that was written by half is not read, and its pages go with the next one', async () => {
  await store.readers.put([readerRow(8, version(2, 1), 300_000, 3)])
  const whole = await pagesOf(3)
  const insert = `INSERT INTO ${cassandra.keyspace}.reader_pages (slot, term, reader, version, page, bytes)
    VALUES (3, 1, 8, ${(2n << 41n) + 2n}, 0, 0xff) USING TIMESTAMP ${(2n << 41n) + 2n}`
  await cassandra.session().define(insert)
  expect(await pagesOf(3)).toHaveLength(whole.length + 1)
  expect((await readersOf(3)).map((row) => row.version)).toEqual([version(2, 1)])
  await store.readers.put([readerRow(8, version(2, 3), 200_000, 3)])
  expect(await pagesOf(3)).toHaveLength(1)
  await store.readers.put([readerRow(8, version(2, 4), 10, 3)])
  expect(await pagesOf(3)).toEqual([])
  expect((await readersOf(3)).map((row) => [row.version, row.bytes.length])).toEqual([
    [version(2, 4), 10],
  ])
})

test('the figures of the inbox are there after a restart, as of the last reach', async () => {
  const at = { slot: 4, term: 1 }
  const chunk = (reader: number) => ({ reader, generation: 3, part: 0, bytes: bytes('12345') })
  const before = await store.inbox.size()
  await store.inbox.putChunks(at, 300, [chunk(1), chunk(2)])
  await store.readers.putReach([{ ...at, version: version(1, 1), bytes: bytes('reach') }])
  await store.inbox.putChunks(at, 301, [chunk(3)])
  const counted = await store.inbox.size()
  expect([counted.chunks - before.chunks, counted.bytes - before.bytes]).toEqual([3, 15])
  const restarted = await openTestStore(cassandra)
  const after = await restarted.inbox.size()
  expect([counted.chunks - after.chunks, counted.bytes - after.bytes]).toEqual([1, 5])
  await restarted.readers.dropTerm(at)
  expect(await restarted.inbox.chunksBelow(at, 301, 3, 9, 9)).toEqual([])
  await restarted.close()
})

describe('a Cassandra that does not answer', () => {
  let proxy: HoldingProxy
  let held: CassandraCellStore
  beforeEach(async () => {
    proxy = await HoldingProxy.start(cassandra.options.contactPoints[0] ?? '')
    const options = { ...cassandra.options, contactPoints: [`127.0.0.1:${proxy.port}`] }
    const limits = { timeoutMs: 1_000 }
    held = await CassandraCellStore.open({ ...options, cell: testCell, limits })
  })
  afterEach(async () => {
    proxy.release()
    await held.close()
    await proxy.close()
  })
  const found = async (author: number) => {
    const [row] = await store.posts.get([{ author, postId: 1n as PostId }])
    return row === undefined ? undefined : new TextDecoder().decode(row.body?.content)
  }

  test('a write without an answer fails at its deadline and changes nothing when it lands', async () => {
    // Prepared before the answers stop.
    await held.posts.put([postRow(11, 1n, 1, 'one'), postRow(12, 1n, 1, 'one')])
    proxy.hold()
    const late = held.posts.put([postRow(11, 1n, 5, 'five'), postRow(12, 1n, 5, 'five')])
    await expect(late).rejects.toThrow(CassandraFailure)
    await store.posts.put([postRow(11, 1n, 6, 'six')])
    proxy.release()
    await vi.waitFor(async () => expect(await found(12)).toBe('five'), { timeout: 20_000 })
    expect(await found(11)).toBe('six')
  })

  test('a read without an answer fails, and works again when there are answers', async () => {
    await held.posts.put([postRow(13, 1n, 1, 'one')])
    const key = { author: 13, postId: 1n as PostId }
    await held.posts.get([key])
    proxy.hold()
    await expect(held.posts.get([key])).rejects.toThrow(CassandraFailure)
    proxy.release()
    await vi.waitFor(async () => expect((await held.posts.get([key]))[0]?.version).toBe(1), {
      timeout: 20_000,
    })
  })
})
