// What a cell found of records, for whoever comes to them later.

import { expect, test } from 'vitest'
import { Judgements, JudgementsForgotten } from '../../../cells/model/judgements.ts'

test('all records count but those that were passed over', () => {
  const judgements = new Judgements([10, 0])
  for (const offset of [12, 15, 40]) judgements.passOver(0, offset)
  judgements.passOver(1, 3)
  const counting = [10, 11, 12, 13, 15, 16, 40, 41].filter((at) => judgements.counts(0, at))
  expect(counting).toEqual([10, 11, 13, 16, 41])
  expect([judgements.counts(1, 3), judgements.counts(1, 12)]).toEqual([false, true])
})

test.each([
  { position: [10, 0], reaches: true },
  { position: [11, 9], reaches: true },
  { position: [9, 9], reaches: false },
])('from $position on: $reaches', ({ position, reaches }) => {
  expect(new Judgements([10, 0]).reachBackTo(position)).toBe(reaches)
})

test('of many that do not count the oldest are forgotten, and that is known', () => {
  const judgements = new Judgements([0])
  for (let offset = 0; offset < 200_000; offset += 2) judgements.passOver(0, offset)
  expect(judgements.reachBackTo([0])).toBe(false)
  expect(() => judgements.counts(0, 1)).toThrow(JudgementsForgotten)
  expect(judgements.reachBackTo([150_000])).toBe(true)
  expect([judgements.counts(0, 150_000), judgements.counts(0, 150_001)]).toEqual([false, true])
})
