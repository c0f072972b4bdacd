// Positions: vectors that are compared partition by partition.

import { expect, test } from 'vitest'
import {
  eventsBetween,
  hasReached,
  largerOf,
  partitionNumber,
  smallerOf,
  topicOf,
  zeroPosition,
} from '../../../cells/model/position.ts'

test('a position is reached when each partition is', () => {
  expect(hasReached([3, 5], [3, 5])).toBe(true)
  expect(hasReached([3, 5], [4, 0])).toBe(false)
  expect(hasReached([9, 4], [3, 5])).toBe(false)
  expect(hasReached([3, 5], [])).toBe(true)
  expect(hasReached([], [0, 0])).toBe(true)
  expect(hasReached([], [1])).toBe(false)
})

test('the smaller and the larger are taken partition by partition', () => {
  expect(smallerOf([1, 9], [5, 5])).toEqual([1, 5])
  expect(largerOf([1, 9], [5, 5])).toEqual([5, 9])
  expect(zeroPosition(2)).toEqual([0, 0])
})

test('events between count no partition that is ahead', () => {
  expect(eventsBetween([1, 9], [4, 5])).toBe(3)
})

test("partitions are numbered through, the public topic's first", () => {
  for (const topic of ['public', 'private'] as const) {
    const numbers = [0, 1, 2].map((partition) => partitionNumber(topic, partition, 3))
    expect(numbers).toEqual(topic === 'public' ? [0, 1, 2] : [3, 4, 5])
    expect(numbers.map((number) => topicOf(number, 3))).toEqual([topic, topic, topic])
  }
})
