// Id set: a Set of 64-bit ids, whatever halves they share.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { IdSet } from '../../../cells/model/id-set.ts'

test('holds what a Set would, and says what was there', () => {
  const half = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }))
  const id = fc.tuple(half, half).filter(([hi, lo]) => hi !== 0 || lo !== 0)
  fc.assert(
    fc.property(fc.array(id, { maxLength: 500, size: 'max' }), (ids) => {
      const set = new IdSet()
      const naive = new Set<string>()
      for (const [hi, lo] of ids) {
        expect(set.add(hi, lo)).toBe(!naive.has(`${hi}/${lo}`))
        naive.add(`${hi}/${lo}`)
      }
      expect(set.size).toBe(naive.size)
    }),
  )
})

test('stays small and free of long probes for ids that rise by milliseconds', () => {
  const set = new IdSet()
  for (let ms = 0; ms < 50_000; ms++) set.add(700_000 + (ms >>> 10), ((ms & 1023) << 22) >>> 0)
  expect(set.size).toBe(50_000)
  expect(set.bytes / set.size).toBeLessThan(22)
})
