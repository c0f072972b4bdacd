// A copy gives way to its source's readers, and goes on when they are at ease.

import { expect, test } from 'vitest'
import { type Busyness, CopyPace } from '../../../cells/model/copy-pace.ts'

const CALM: Busyness = { readP99Ms: 4, lagMs: 0 }

test('beside a source at ease, or a dead one, it does not pause', () => {
  const pace = new CopyPace()
  for (const now of [undefined, CALM, { readP99Ms: 9, lagMs: 900 }, undefined]) pace.note(now)
  expect(pace.pauseMs).toBe(0)
})

test.each<[string, Busyness]>([
  ['slower reads', { readP99Ms: 40, lagMs: 0 }],
  ['lag', { readP99Ms: 4, lagMs: 1_500 }],
])('%s: it pauses longer and longer, never for good; then goes on', (_, busy) => {
  const pace = new CopyPace()
  pace.note(CALM)
  const pauses = Array.from({ length: 10 }, () => {
    pace.note(busy)
    return pace.pauseMs
  })
  expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 320, 500, 500, 500])
  for (let i = 0; i < 8; i++) pace.note(CALM)
  expect(pace.pauseMs).toBe(0)
})

test('a source that was as slow before is not spared more', () => {
  const pace = new CopyPace()
  pace.note({ readP99Ms: 100, lagMs: 0 })
  pace.note({ readP99Ms: 140, lagMs: 0 })
  expect(pace.pauseMs).toBe(0)
  pace.note({ readP99Ms: 160, lagMs: 0 })
  expect(pace.pauseMs).toBeGreaterThan(0)
})
