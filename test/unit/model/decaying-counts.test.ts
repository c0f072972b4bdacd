// Counts that decay, against the sum of exponentials that they stand for.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { DecayingCounts } from '../../../cells/model/decaying-counts.ts'

const TAU_MS = 60_000

test('a count is the sum of what happened, each weighed by its age', () => {
  const times = fc.array(fc.integer({ min: -TAU_MS, max: 20 * TAU_MS }), { maxLength: 50 })
  fc.assert(
    fc.property(times, fc.integer({ min: 0, max: 100 * TAU_MS }), (all, laterMs) => {
      const counts = new DecayingCounts({ timeConstantMs: TAU_MS, sinceMs: 0 })
      for (const atMs of all) counts.note(3, atMs)
      const nowMs = Math.max(0, ...all) + laterMs
      const sum = all.reduce((so, atMs) => so + Math.exp((atMs - nowMs) / TAU_MS), 0)
      expect(counts.countOf(3, nowMs)).toBeCloseTo(sum, 4)
      expect(counts.countOf(2, nowMs)).toBe(0)
    }),
  )
})

test('a steady rate is told, soon and for years', () => {
  const counts = new DecayingCounts({ timeConstantMs: TAU_MS, sinceMs: 0 })
  let nowMs = 0
  const rateAfter = (ticks: number): number => {
    for (let tick = 0; tick < ticks; tick++) counts.note(5_000, (nowMs += 100))
    return counts.countOf(5_000, nowMs) / counts.spanS(nowMs)
  }
  expect(rateAfter(50)).toBeCloseTo(10, 0)
  expect(rateAfter(100_000)).toBeCloseTo(10, 1)
})

test('a clock that leaps by years forgets, and one that steps back breaks nothing', () => {
  const counts = new DecayingCounts({ timeConstantMs: TAU_MS, sinceMs: 0 })
  counts.note(1, 0)
  counts.note(2, 1e11)
  expect(counts.countOf(1, 1e11)).toBe(0)
  expect(counts.countOf(2, 1e11)).toBe(1)
  counts.note(2, 1e11 - TAU_MS)
  expect(counts.countOf(2, 1e11)).toBeCloseTo(1 + Math.exp(-1), 5)
  expect(counts.spanS(-5)).toBe(0)
})
