// Ids: ordered by time, the same whole and in halves, in and out of text.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  composeId,
  firstIdAt,
  hiOf,
  ID_EPOCH_MS,
  importedPostId,
  loOf,
  msOf,
  msOfHalves,
  parsePostId,
  type PostId,
  postIdOf,
  secondOfHalves,
  toPostId,
} from '../../../cells/model/post-id.ts'

const anyId = fc.bigInt(1n, (1n << 64n) - 1n).map((id) => id as PostId)
const parts = fc.record({
  ms: fc.integer({ min: ID_EPOCH_MS, max: ID_EPOCH_MS + 2 ** 42 - 1 }),
  worker: fc.nat(1023),
  sequence: fc.nat(4095),
})

test('halves and digits name the same id', () => {
  fc.assert(
    fc.property(anyId, (id) => {
      expect(postIdOf(hiOf(id), loOf(id))).toBe(id)
      expect(parsePostId(String(id))).toBe(id)
      expect(msOfHalves(hiOf(id), loOf(id))).toBe(msOf(id))
      expect(secondOfHalves(hiOf(id), loOf(id))).toBe(Math.floor((msOf(id) - ID_EPOCH_MS) / 1000))
    }),
  )
})

test('ids are ordered by time, then worker, then sequence', () => {
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const order = a.ms - b.ms || a.worker - b.worker || a.sequence - b.sequence
      const [idA, idB] = [composeId(a), composeId(b)]
      expect(Math.sign(order)).toBe(idA === idB ? 0 : idA < idB ? -1 : 1)
      expect(msOf(idA as PostId)).toBe(a.ms)
      expect(firstIdAt(a.ms) <= idA).toBe(true)
      expect(firstIdAt(a.ms + 1) > idA || a.ms === ID_EPOCH_MS + 2 ** 42 - 1).toBe(true)
    }),
  )
})

test('an imported post has its time, and a repeat has its id', () => {
  const id = importedPostId(ID_EPOCH_MS + 5, 0xffff_ffff)
  expect(msOf(id)).toBe(ID_EPOCH_MS + 5)
  expect(importedPostId(ID_EPOCH_MS + 5, 0x3f_ffff)).toBe(id)
})

test('times before 2000 and beyond 42 bits are the nearest there are', () => {
  expect(firstIdAt(0)).toBe(0n)
  expect(msOf(firstIdAt(Number.MAX_SAFE_INTEGER))).toBe(ID_EPOCH_MS + 2 ** 42 - 1)
})

test.for([
  '',
  '0',
  '01',
  '-1',
  '+1',
  ' 1',
  '1.5',
  '18446744073709551616',
  '99999999999999999999',
  'x',
])('no id: %j', (digits) => {
  expect(parsePostId(digits)).toBeUndefined()
})

test('0 and what does not fit 64 bits are no ids', () => {
  expect([toPostId(0n), toPostId(-1n), toPostId(1n << 64n)]).toEqual(Array(3).fill(undefined))
  expect(toPostId(1n)).toBe(1n)
})
