// How reads fare is told of the last ten seconds.

import { expect, test } from 'vitest'
import { ReadVitals } from '../../../cells/model/read-vitals.ts'

const NOW_MS = 1_700_000_000_000

test('without reads there is nothing to tell', () => {
  expect(new ReadVitals().of(NOW_MS)).toEqual({ reads: 0, failed: 0, readP99Ms: 0 })
})

test('one slow read of a hundred is not counted, two are', () => {
  const vitals = new ReadVitals()
  for (let i = 0; i < 99; i++) vitals.note(NOW_MS, 2, false)
  vitals.note(NOW_MS, 500, false)
  expect(vitals.of(NOW_MS).readP99Ms).toBeLessThan(2 * 1.2 * 1.2)
  vitals.note(NOW_MS, 500, true)
  const { reads, failed, readP99Ms } = vitals.of(NOW_MS)
  expect([reads, failed]).toEqual([10.1, 0.1])
  expect(readP99Ms).toBeGreaterThanOrEqual(500)
  expect(readP99Ms).toBeLessThan(500 * 1.2 * 1.2)
})

test.each([
  { afterMs: 8_000, reads: 0.1 },
  { afterMs: 10_000, reads: 0 },
  { afterMs: 3_600_000, reads: 0 },
])('$afterMs ms later $reads a second are left', ({ afterMs, reads }) => {
  const vitals = new ReadVitals()
  vitals.note(NOW_MS, 0, false)
  expect(vitals.of(NOW_MS + afterMs).reads).toBe(reads)
})

test('a clock that steps back loses nothing', () => {
  const vitals = new ReadVitals()
  vitals.note(NOW_MS, 1, false)
  vitals.note(NOW_MS - 5_000, 1, false)
  expect(vitals.of(NOW_MS - 2_000).reads).toBe(0.2)
})
