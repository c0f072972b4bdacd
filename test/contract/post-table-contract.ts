// What every post table promises. `open` gives the table of a new, empty cell store for each test.

import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import type { PostId } from '../../cells/model/post-id.ts'
import {
  MARK_VERSION,
  type PostKey,
  type PostRow,
  type PostTable,
} from '../../cells/ports/post-table.ts'
import { plain } from './sample-events.ts'

const GREATEST = (1n << 64n) - 1n
const id = (value: bigint) => value as PostId

export function postRow(author: number, postId: bigint, version = 1, text = 'post'): PostRow {
  return {
    author,
    postId: id(postId),
    version,
    createdOffset: 1,
    body: {
      head: Uint8Array.of(1, 2),
      content: new TextEncoder().encode(text),
      followersOnly: false,
      reblogOf: undefined,
    },
  }
}

export function mark(author: number, postId: bigint): PostRow {
  const version = MARK_VERSION
  return { author, postId: id(postId), version, createdOffset: -1, body: undefined }
}

export function describePostTableContract(name: string, open: () => Promise<PostTable>): void {
  describe(`post table contract: ${name}`, () => {
    let posts: PostTable
    beforeEach(async () => {
      posts = await open()
    })

    const get = async (...keys: (readonly [number, bigint])[]) =>
      plain(await posts.get(keys.map(([author, postId]) => ({ author, postId: id(postId) }))))
    const idsBelow = async (author: number, below: bigint | undefined, limit: number) =>
      (await posts.idsBelow(author, below === undefined ? below : id(below), limit)).postIds

    test('rows are read back as they were written, in the order of the keys', async () => {
      const reblogOf: PostKey = { author: 2 ** 31 - 1, postId: id(GREATEST) }
      const rows = [
        postRow(1, 5n, 7, ''),
        { ...postRow(1, 6n, 2 ** 40), createdOffset: 2 ** 40 - 1 },
        { ...postRow(2, 5n), body: bodyWith({ followersOnly: true, reblogOf }) },
        { ...postRow(2 ** 31 - 1, GREATEST), body: bodyWith({ content: new Uint8Array(200_000) }) },
        mark(3, 1n),
      ]
      await posts.put(rows)
      const found = await posts.get([...rows].reverse())
      expect(plain(found)).toEqual(plain([...rows].reverse()))
      expect(await get([9, 9n], [1, 7n])).toEqual([undefined, undefined])
      expect(await posts.get([])).toEqual([])
    })

    test('rows are told apart up to the ends of the number ranges', async () => {
      const keys: [number, bigint][] = []
      for (const author of [1, 255, 256, 2 ** 31 - 1]) {
        for (const post of [1n, 0xffff_ffffn, 0x1_0000_0000n, GREATEST]) keys.push([author, post])
      }
      await posts.put(keys.map(([author, post], i) => postRow(author, post, 1, `${i}`)))
      const rows = keys.map(([author, post], i) => plain(postRow(author, post, 1, `${i}`)))
      expect(await get(...keys)).toEqual(rows)
    })

    test('the greater version stays, in whatever order the writes land', async () => {
      await posts.put([postRow(1, 1n, 5, 'five')])
      await posts.put([postRow(1, 1n, 4, 'late')])
      expect(await get([1, 1n])).toEqual([plain(postRow(1, 1n, 5, 'five'))])
      await posts.put([postRow(1, 1n, 9, 'nine'), postRow(1, 1n, 8, 'eight')])
      await posts.put([postRow(1, 1n, 9, 'nine')])
      expect(await get([1, 1n])).toEqual([plain(postRow(1, 1n, 9, 'nine'))])
    })

    test('a mark is final', async () => {
      await posts.put([postRow(1, 1n), mark(1, 2n)])
      await posts.put([mark(1, 1n), postRow(1, 2n, MARK_VERSION - 1)])
      await posts.put([postRow(1, 1n, 9), mark(1, 1n)])
      expect(await get([1, 1n], [1, 2n])).toEqual([mark(1, 1n), mark(1, 2n)])
      expect(await idsBelow(1, undefined, 10)).toEqual([])
    })

    test('any writes in any order, at once, end at the greatest version of each row', async () => {
      const writes = fc.array(
        fc.record({
          author: fc.integer({ min: 1, max: 2 }),
          postId: fc.bigInt({ min: 1n, max: 3n }),
          version: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant(MARK_VERSION)),
          isAwaited: fc.boolean(),
        }),
        { maxLength: 25 },
      )
      let authorBase = 0
      const checkWrites = async (
        sample: typeof writes extends fc.Arbitrary<infer W> ? W : never,
      ) => {
        authorBase += 10
        const greatest = new Map<string, PostRow>()
        const landing: Promise<void>[] = []
        for (const { author, postId, version, isAwaited } of sample) {
          const at = authorBase + author
          const row =
            version === MARK_VERSION
              ? mark(at, postId)
              : postRow(at, postId, version, `version ${version}`)
          const rowName = `${at} ${postId}`
          if (version > (greatest.get(rowName)?.version ?? -1)) greatest.set(rowName, row)
          const write = posts.put([row])
          landing.push(write)
          if (isAwaited) await write
        }
        await Promise.all(landing)
        const expected = [...greatest.values()]
        expect(plain(await posts.get(expected))).toEqual(plain(expected))
        for (const author of [authorBase + 1, authorBase + 2]) {
          const live = expected.filter((row) => row.author === author && row.body !== undefined)
          const ids = live.map((row) => row.postId).sort((a, b) => (a < b ? 1 : -1))
          expect(await idsBelow(author, undefined, 10)).toEqual(ids)
        }
      }
      await fc.assert(fc.asyncProperty(writes, checkWrites), { numRuns: 60 })
    })

    test('ids are paged newest first, each once, to the end', async () => {
      const ids = Array.from({ length: 57 }, (_, i) => BigInt(i + 1) << 22n)
      await posts.put(ids.map((postId) => postRow(7, postId)))
      await posts.put([postRow(6, 1n), postRow(8, 1n), postRow(8, GREATEST)])
      const paged: bigint[] = []
      for (let below: bigint | undefined; ; ) {
        const page = await idsBelow(7, below, 10)
        paged.push(...page)
        below = page.at(-1)
        if (page.length < 10) break
      }
      expect(paged).toEqual([...ids].reverse())
      expect(await idsBelow(7, 1n, 10)).toEqual([])
      expect(await idsBelow(7, (5n << 22n) + 1n, 2)).toEqual([5n << 22n, 4n << 22n])
      expect(await idsBelow(9, undefined, 10)).toEqual([])
    })

    test('marks are left out of the ids, and do not shorten a page', async () => {
      const ids = Array.from({ length: 40 }, (_, i) => BigInt(i + 1))
      await posts.put(
        ids.map((postId) => (postId % 4n === 0n ? postRow(1, postId) : mark(1, postId))),
      )
      expect(await idsBelow(1, undefined, 5)).toEqual([40n, 36n, 32n, 28n, 24n])
      expect(await idsBelow(1, 24n, 9)).toEqual([20n, 16n, 12n, 8n, 4n])
    })

    test('the ids say which posts are reblogs', async () => {
      const reblogOf = { author: 3, postId: id(3n) }
      await posts.put([postRow(1, 1n), { ...postRow(1, 2n), body: bodyWith({ reblogOf }) }])
      expect(await posts.idsBelow(1, undefined, 10)).toEqual({
        postIds: [2n, 1n],
        reblogs: [true, false],
      })
    })

    test('an erased author has only marks, and nothing brings a post back', async () => {
      const ids = Array.from({ length: 30 }, (_, i) => BigInt(i + 1))
      await posts.put([...ids.map((postId) => postRow(5, postId)), mark(5, 99n), postRow(6, 1n)])
      await posts.eraseAuthor(5)
      await posts.eraseAuthor(5)
      await posts.eraseAuthor(77)
      await posts.put([postRow(5, 1n, 1_000)])
      expect(await get(...ids.map((postId) => [5, postId] as const))).toEqual(
        ids.map((postId) => mark(5, postId)),
      )
      expect(await idsBelow(5, undefined, 10)).toEqual([])
      expect(await idsBelow(6, undefined, 10)).toEqual([1n])
    })

    test('all posts are read, each once, marks too, in bounded batches', async () => {
      const reblogOf: PostKey = { author: 3, postId: id(1n) }
      const rows: PostRow[] = [{ ...postRow(2 ** 31 - 1, GREATEST), body: bodyWith({ reblogOf }) }]
      for (let author = 1; author <= 40; author++) {
        // Ids of months far from each other, of which some authors have many posts and some have one.
        const count = author === 7 ? 900 : 1 + (author % 3)
        for (let i = 1; i <= count; i++) {
          const postId = BigInt(author) + (BigInt(i) << (author % 2 === 0 ? 52n : 24n))
          rows.push(i % 5 === 0 ? mark(author, postId) : postRow(author, postId, i, `${i}`))
        }
      }
      for (let from = 0; from < rows.length; from += 50)
        await posts.put(rows.slice(from, from + 50))
      const found: PostRow[] = []
      const parts: number[] = []
      for await (const batch of posts.allPosts()) {
        expect(batch.rows.length).toBeLessThanOrEqual(1_000)
        found.push(...batch.rows)
        parts.push(batch.part)
      }
      expect(parts).toEqual([...parts].sort((a, b) => a - b))
      expect(parts.every((part) => part > 0 && part <= 1)).toBe(true)
      expect(parts.at(-1)).toBeGreaterThan(0.5)
      const named = (row: PostRow) => `${row.author}/${row.postId}`
      const inOrder = (all: PostRow[]) => plain(all.sort((a, b) => (named(a) < named(b) ? -1 : 1)))
      expect(inOrder(found)).toEqual(inOrder(rows))
    })

    test('a writer may use its buffers again once the write has resolved', async () => {
      const content = new TextEncoder().encode('kept')
      await posts.put([{ ...postRow(1, 1n), body: bodyWith({ content }) }])
      content.fill(0)
      const [row] = await posts.get([{ author: 1, postId: id(1n) }])
      await posts.get([{ author: 1, postId: id(2n) }])
      expect(new TextDecoder().decode(row?.body?.content)).toBe('kept')
    })
  })
}

function bodyWith(fields: Partial<NonNullable<PostRow['body']>>): NonNullable<PostRow['body']> {
  const body = { head: Uint8Array.of(1), content: Uint8Array.of(2) }
  return { ...body, followersOnly: false, reblogOf: undefined, ...fields }
}
