// Groups are of one partition each, bounded, and lose nothing.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { groupRows } from '../../../infra/cassandra/row-groups.ts'

type Row = { readonly partition: number; readonly bytes: number }

const ROWS_MAX = 64
const BYTES_MAX = 128 * 1024

test('every row is in one group, of its partition, within the bounds, in its order', () => {
  const row = fc.record({
    partition: fc.integer({ min: 1, max: 3 }),
    bytes: fc.oneof(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 0, max: 300_000 })),
  })
  fc.assert(
    fc.property(fc.array(row, { maxLength: 400 }), (rows) => {
      const groups = groupRows(
        rows,
        ({ partition }) => partition,
        ({ bytes }) => bytes,
      )
      for (const group of groups) {
        const bytes = group.reduce((sum, one) => sum + one.bytes, 0)
        expect(new Set(group.map((one) => one.partition)).size).toBe(1)
        expect(group.length).toBeLessThanOrEqual(ROWS_MAX)
        expect(group.length === 1 || bytes <= BYTES_MAX).toBe(true)
      }
      const inPartitions = (all: readonly Row[]) =>
        [1, 2, 3].map((partition) => all.filter((one) => one.partition === partition))
      expect(inPartitions(groups.flat())).toEqual(inPartitions(rows))
    }),
  )
})
