// Write timestamps keep the order of versions, up to the ends of their ranges.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  FINAL_TIMESTAMP,
  numberTimestamp,
  ONCE_TIMESTAMP,
  versionOfTimestamp,
  versionTimestamp,
} from '../../../infra/cassandra/write-timestamps.ts'
import { isGreater } from '../../../infra/in-process/version-order.ts'

const BOOT_MAX = 2 ** 22 - 2
const COUNT_MAX = 2 ** 41 - 1
const valueOf = (timestamp: Buffer) => timestamp.readBigInt64BE(0)
const version = fc.record({
  boot: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: BOOT_MAX })),
  count: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: COUNT_MAX })),
})

test('the greater version has the greater timestamp, which names it', () => {
  fc.assert(
    fc.property(version, version, (a, b) => {
      const [first, second] = [valueOf(versionTimestamp(a)), valueOf(versionTimestamp(b))]
      expect(first > second).toBe(isGreater(a, b))
      expect(versionOfTimestamp(first)).toEqual(a)
    }),
  )
})

test('a drop is above every row, and what has no room in a timestamp is refused', () => {
  const last = valueOf(versionTimestamp({ boot: BOOT_MAX, count: COUNT_MAX }))
  expect(valueOf(FINAL_TIMESTAMP)).toBeGreaterThan(last)
  expect(valueOf(FINAL_TIMESTAMP)).toBeLessThan(2n ** 63n - 1n)
  expect(valueOf(numberTimestamp(Number.MAX_SAFE_INTEGER))).toBe(2n ** 53n - 1n)
  expect(valueOf(ONCE_TIMESTAMP)).toBe(1n)
  expect(() => versionTimestamp({ boot: BOOT_MAX + 1, count: 0 })).toThrow(RangeError)
  expect(() => versionTimestamp({ boot: 0, count: COUNT_MAX + 1 })).toThrow(RangeError)
  expect(() => numberTimestamp(-1)).toThrow(RangeError)
  expect(() => numberTimestamp(2 ** 53)).toThrow(RangeError)
})
