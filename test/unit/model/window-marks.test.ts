// Which entries of the window inboxes have that hold everything up to a position.

import { expect, test } from 'vitest'
import { WindowMarks } from '../../../cells/model/window-marks.ts'

test('answers with the last place that lies wholly before the position', () => {
  const marks = new WindowMarks()
  marks.note(10, [5, 3])
  marks.note(20, [9, 4])
  marks.note(30, [9, 8])
  expect(marks.seqBefore([4, 9])).toBe(0)
  expect(marks.seqBefore([5, 3])).toBe(10)
  expect(marks.seqBefore([9, 7])).toBe(20)
  expect(marks.seqBefore([100, 7])).toBe(20)
  expect(marks.seqBefore([9, 8])).toBe(30)
})

test('of two positions at one place the earlier one says more', () => {
  const marks = new WindowMarks()
  marks.note(10, [5, 3])
  marks.note(10, [7, 7])
  expect(marks.seqBefore([5, 3])).toBe(10)
})

test('forgets what has left the window', () => {
  const marks = new WindowMarks()
  for (let seq = 1; seq <= 5; seq++) marks.note(seq, [seq])
  marks.dropBefore(3)
  expect(marks.seqBefore([2])).toBe(0)
  expect(marks.seqBefore([3])).toBe(3)
})

test('is bounded, and only ever says less', () => {
  const marks = new WindowMarks()
  for (let seq = 1; seq <= 100_000; seq++) marks.note(seq, [seq])
  for (const at of [1, 5_000, 99_000, 100_000]) {
    expect(marks.seqBefore([at])).toBeLessThanOrEqual(at)
  }
  expect(marks.seqBefore([100_000])).toBe(100_000)
  expect(marks.seqBefore([99_000])).toBeGreaterThan(90_000)
})
