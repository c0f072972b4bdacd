// Reads a second, of the last minute or so.

import { expect, test } from 'vitest'
import { ReadRate } from '../../../cells/model/read-rate.ts'

const BEGIN_MS = 1_700_000_000_000

function steady(seconds: number, perSecond: number): ReadRate {
  const rate = new ReadRate()
  for (let i = 0; i < seconds * perSecond; i++) rate.note(BEGIN_MS + (i * 1_000) / perSecond)
  return rate
}

test('a steady rate is told as it is', () => {
  expect(steady(600, 20).perSecond(BEGIN_MS + 600_000)).toBeCloseTo(20, 0)
})

test('what was long ago counts no more', () => {
  expect(steady(600, 20).perSecond(BEGIN_MS + 1_200_000)).toBeLessThan(0.01)
})

test('a clock that steps back loses nothing', () => {
  const rate = steady(600, 20)
  const before = rate.perSecond(BEGIN_MS + 600_000)
  rate.note(BEGIN_MS + 300_000)
  expect(rate.perSecond(BEGIN_MS + 300_000)).toBeGreaterThanOrEqual(before)
})

test('nothing read is 0', () => {
  expect(new ReadRate().perSecond(BEGIN_MS)).toBe(0)
})
