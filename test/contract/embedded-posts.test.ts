// The embedded post table, whose index merges its runs in the background, answers as the plain one does: whatever is written
// while it merges, and whenever it is closed and opened again.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PostId } from '../../cells/model/post-id.ts'
import type { PostRow } from '../../cells/ports/post-table.ts'
import { EmbeddedCellStore } from '../../infra/embedded/cell-store.ts'
import { MemoryPostTable } from '../../infra/memory/post-table.ts'
import { mark, postRow } from './post-table-contract.ts'
import { plain } from './sample-events.ts'
import { testFolders } from './test-folders.ts'

const { folder, closeLater } = testFolders()
const AUTHORS = [1, 2, 3]

type Step =
  | { readonly kind: 'write'; readonly rows: readonly PostRow[] }
  | { readonly kind: 'erase'; readonly author: number }
  | { readonly kind: 'reopen' }

const author = fc.constantFrom(...AUTHORS)
const row = fc
  .record({
    author,
    // Mostly new posts with growing ids, some old ones, some written again.
    postId: fc.oneof(fc.bigInt(1n, 40n), fc.bigInt(1n, (1n << 64n) - 1n)),
    version: fc.integer({ min: 0, max: 3 }),
    isMark: fc.boolean(),
  })
  .map(({ author: by, postId, version, isMark }) =>
    isMark && version === 0 ? mark(by, postId) : postRow(by, postId, version, `v${version}`),
  )
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc
      .array(row, { minLength: 1, maxLength: 12 })
      .map((rows) => ({ kind: 'write' as const, rows })),
  },
  { weight: 1, arbitrary: author.map((by) => ({ kind: 'erase' as const, author: by })) },
  { weight: 2, arbitrary: fc.constant({ kind: 'reopen' as const }) },
)

async function expectSame(store: EmbeddedCellStore, plainPosts: MemoryPostTable): Promise<void> {
  for (const by of AUTHORS) {
    const all = await plainPosts.idsBelow(by, undefined, 1_000)
    expect(await store.posts.idsBelow(by, undefined, 1_000)).toEqual(all)
    const middle = all.postIds[all.postIds.length >> 1]
    expect(await store.posts.idsBelow(by, middle, 3)).toEqual(
      await plainPosts.idsBelow(by, middle, 3),
    )
  }
}

test('steps of any kind leave the same posts as in the plain table', async () => {
  const postIndex = { openRunEntriesMax: 4, fanIn: 2 }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const options = { path: await folder(), fsync: 'never' as const, postIndex }
      const plainPosts = new MemoryPostTable()
      const written = new Map<string, { author: number; postId: PostId }>()
      let store = closeLater(await EmbeddedCellStore.open(options))
      let landing: Promise<void>[] = []
      for (const taken of steps) {
        switch (taken.kind) {
          case 'write':
            for (const { author: by, postId } of taken.rows) {
              written.set(`${by} ${postId}`, { author: by, postId })
            }
            await plainPosts.put(taken.rows)
            landing.push(store.posts.put(taken.rows))
            break
          case 'erase':
            await Promise.all(landing)
            await plainPosts.eraseAuthor(taken.author)
            await store.posts.eraseAuthor(taken.author)
            break
          case 'reopen':
            await Promise.all(landing)
            landing = []
            await store.close()
            store = closeLater(await EmbeddedCellStore.open(options))
            await expectSame(store, plainPosts)
            break
        }
      }
      await Promise.all(landing)
      await expectSame(store, plainPosts)
      const keys = [...written.values()]
      expect(plain(await store.posts.get(keys))).toEqual(plain(await plainPosts.get(keys)))
      await store.close()
    }),
    { numRuns: 60 },
  )
})
