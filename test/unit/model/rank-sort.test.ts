// Rank sort: every column in the order of rank, whether ranks are spread or crowded.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { RankSorter } from '../../../cells/model/rank-sort.ts'

const columns = (length: number) => ({
  rank: new Uint32Array(length),
  hi: new Uint32Array(length),
  lo: new Uint32Array(length),
  placeReblog: new Uint32Array(length),
})

/** Ranks of which each column's other values are made, so that a column moved wrongly shows. */
function found(ranks: readonly number[]) {
  return {
    rank: Uint32Array.from(ranks),
    hi: Uint32Array.from(ranks, (rank) => rank ^ 0xffff_ffff),
    lo: Uint32Array.from(ranks, (rank) => rank * 3),
    placeReblog: Uint32Array.from(ranks, (rank) => rank + 1),
  }
}

const sorter = new RankSorter()
const ascending = (a: number, b: number) => a - b

test('sorts all columns by rank', () => {
  const sizes = fc.constantFrom(1, 2, 100, 5_000, 2 ** 20, 2 ** 26)
  const ranksOf = (size: number) =>
    fc.uniqueArray(fc.nat(size - 1), { maxLength: 300, size: 'max' })
  const cases = sizes.chain((size) => fc.tuple(fc.constant(size), ranksOf(size)))
  fc.assert(
    fc.property(cases, ([size, ranks]) => {
      const into = columns(ranks.length)
      sorter.sort(found(ranks), into, { count: ranks.length, size })
      expect(into).toEqual(found(ranks.toSorted(ascending)))
    }),
    { numRuns: 300 },
  )
})

test('sorts ranks that lie in one corner of a large generation', () => {
  const ranks = Array.from({ length: 3_000 }, (_, i) => (i * 7_919) % 3_001)
  const into = columns(ranks.length)
  sorter.sort(found(ranks), into, { count: ranks.length, size: 4_000_000 })
  expect(into).toEqual(found(ranks.toSorted(ascending)))
})
