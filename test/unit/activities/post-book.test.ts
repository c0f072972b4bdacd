// Posts on their way to the store: what settled is durable in its last form, and holds no memory.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Claim } from '../../../cells/activities/claim.ts'
import { NameBook } from '../../../cells/activities/name-book.ts'
import { Persistence } from '../../../cells/activities/persist.ts'
import { PostBook } from '../../../cells/activities/post-book.ts'
import { CELL_LIMITS } from '../../../cells/model/cell-limits.ts'
import type { PostId } from '../../../cells/model/post-id.ts'
import { MARK_VERSION, type PostRow } from '../../../cells/ports/post-table.ts'
import { MemoryBodyCache } from '../../../infra/memory/body-cache.ts'
import { MemoryCellStore } from '../../../infra/memory/cell-store.ts'
import { Stage, until } from './stage.ts'

const AUTHOR = 1

function rowOf(id: number, version: number, length: number): PostRow {
  const content = new Uint8Array(length).fill(version)
  const body = { head: new Uint8Array(3), content, followersOnly: false, reblogOf: undefined }
  const postId = BigInt(id) as PostId
  return { author: AUTHOR, postId, version, createdOffset: id, body }
}

function markOf(id: number): PostRow {
  const postId = BigInt(id) as PostId
  return { author: AUTHOR, postId, version: MARK_VERSION, createdOffset: -1, body: undefined }
}

function open(bodyMemoryBytes: number) {
  const { clock } = new Stage()
  const store = new MemoryCellStore()
  const { signal } = new AbortController()
  const limits = { ...CELL_LIMITS, bodyMemoryBytes, postBatchRows: 3 }
  const persistence = new Persistence({ clock, limits, signal })
  const claim = new Claim({ boot: 1, table: store.checkpoints, persistence })
  const names = new NameBook({ table: store.names, persistence, claim, makeRoom: () => {} })
  const cache = new MemoryBodyCache({ bytesMax: 1 << 20 })
  const table = store.posts
  const book = new PostBook({ table, cache, names, persistence, limits, signal })
  return { book, table }
}

const step = fc.record({
  what: fc.constantFrom('append', 'append', 'edit', 'mark', 'run' as const),
  pick: fc.nat(1_000),
  length: fc.nat(400),
})

test('whatever is applied in whatever order, all of it settles and nothing stays pending', async () => {
  const cases = [fc.array(step, { maxLength: 60 }), fc.constantFrom(0, 2_000, 1 << 20)] as const
  await fc.assert(
    fc.asyncProperty(...cases, async (steps, bodyMemoryBytes) => {
      const { book, table } = open(bodyMemoryBytes)
      const expected = new Map<number, PostRow>()
      let head = 0
      let version = 10_000
      let isRunning = false
      for (const { what, pick, length } of steps) {
        const id = head === 0 ? 0 : 1 + (pick % head)
        const known = expected.get(id)
        if (what === 'append') {
          const row = rowOf(++head, head, length)
          book.append(row)
          expected.set(head, row)
        } else if (what === 'run' && !isRunning) {
          isRunning = true
          void book.run()
        } else if (known !== undefined && known.body !== undefined && what !== 'run') {
          const row = what === 'mark' ? markOf(id) : { ...rowOf(id, version++, length) }
          book.change(row, id - 1)
          expected.set(id, row)
        } else await Promise.resolve()
      }
      if (!isRunning) void book.run()
      await book.settle()
      expect([book.pendingPosts, book.pendingBytes]).toEqual([0, 0])
      expect(book.recentBytes).toBeLessThanOrEqual(Math.max(bodyMemoryBytes, 0))
      const rows = [...expected.values()]
      expect(await table.get(rows)).toEqual(rows)
    }),
    { numRuns: 150 },
  )
})

test('a row in memory is found by its entry until it is durable and room is needed', async () => {
  const { book } = open(0)
  book.append(rowOf(1, 1, 10))
  expect(book.recent(0)).toMatchObject({ version: 1 })
  expect(book.recent(1)).toBeUndefined()
  void book.run()
  await book.settle()
  expect(book.recent(0)).toBeUndefined()
})

test('an edit or a mark is what is found, and by key until it settled', async () => {
  const { book } = open(1 << 20)
  const told: string[] = []
  book.onChange = (key) => told.push(key)
  book.append(rowOf(1, 1, 10))
  book.change(rowOf(1, 5, 20), 0)
  expect(book.recent(0)).toMatchObject({ version: 5 })
  book.change(markOf(1), 0)
  expect(book.recent(0)).toBeUndefined()
  expect(book.changed(AUTHOR, 1n as PostId)).toMatchObject({ version: MARK_VERSION })
  void book.run()
  await until(() => book.changed(AUTHOR, 1n as PostId) === undefined)
  expect(told).toEqual(['1:1', '1:1'])
})
