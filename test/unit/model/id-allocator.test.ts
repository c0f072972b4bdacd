// Ids made here are never made twice, and never go back, whatever the clock does.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { IdAllocator } from '../../../cells/model/id-allocator.ts'
import { ID_EPOCH_MS, msOf, type PostId } from '../../../cells/model/post-id.ts'

const START_MS = 1_700_000_000_000

test('ids only grow, also when the clock steps back or stands before 2000', () => {
  const clock = fc.array(
    fc.oneof(
      fc.integer({ min: START_MS - 5, max: START_MS + 5 }),
      fc.integer({ min: 0, max: ID_EPOCH_MS + 5 }),
    ),
    { maxLength: 200 },
  )
  fc.assert(
    fc.property(clock, (readings) => {
      const allocator = new IdAllocator(5)
      let last = -1n
      for (const nowMs of readings) {
        const id = allocator.allocate(nowMs)
        expect(id > last).toBe(true)
        last = id
      }
    }),
  )
})

test('a full millisecond borrows the next one', () => {
  const allocator = new IdAllocator(5)
  const ids = Array.from({ length: 4097 }, () => allocator.allocate(START_MS) as PostId)
  expect(new Set(ids).size).toBe(4097)
  expect(ids.slice(0, 4096).every((id) => msOf(id) === START_MS)).toBe(true)
  expect(msOf(ids.at(-1) ?? (0n as PostId))).toBe(START_MS + 1)
  expect(allocator.newestMs).toBe(START_MS + 1)
})

test('two workers never make the same id', () => {
  const [a, b] = [new IdAllocator(0), new IdAllocator(1023)]
  const ids = Array.from({ length: 5000 }, () => [a.allocate(START_MS), b.allocate(START_MS)])
  expect(new Set(ids.flat()).size).toBe(10_000)
})

test.for([-1, 1024, 1.5, Number.NaN])('no worker: %d', (worker) => {
  expect(() => new IdAllocator(worker)).toThrow(RangeError)
})
