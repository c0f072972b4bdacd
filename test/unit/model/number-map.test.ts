// The sorted map against a Map.

import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { NumberMap } from '../../../cells/model/number-map.ts'

const key = fc.oneof(fc.nat(40), fc.integer({ min: 0, max: 2 ** 32 - 1 }))
const word = fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('set' as const), key, word) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('delete' as const), key, word) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('compact' as const), key, word) },
)

function columnsOf(map: NumberMap): [number[], number[]] {
  map.compact()
  return [[...map.keys.subarray(0, map.size)], [...map.words.subarray(0, map.size)]]
}

function sorted(expected: ReadonlyMap<number, number>): [number[], number[]] {
  const entries = [...expected].sort(([a], [b]) => a - b)
  return [entries.map(([k]) => k), entries.map(([, w]) => w)]
}

test('answers as a map would, whatever is in its tail', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(key, { maxLength: 60 }),
      fc.array(step, { maxLength: 200, size: 'max' }),
      (first, steps) => {
        const keys = Uint32Array.from(first).sort()
        const map = new NumberMap(
          keys,
          keys.map((k) => k ^ 1),
        )
        const expected = new Map(Array.from(keys, (k) => [k, (k ^ 1) >>> 0]))
        for (const [what, k, w] of steps) {
          if (what === 'set') {
            map.set(k, w)
            expected.set(k, w)
          } else if (what === 'delete') assert.equal(map.delete(k), expected.delete(k))
          else map.compact()
          expect(map.size).toBe(expected.size)
          expect(map.get(k)).toBe(expected.get(k))
          expect(map.has(k)).toBe(expected.has(k))
        }
        expect(columnsOf(map)).toEqual(sorted(expected))
      },
    ),
  )
})

test('a body with room left by deletes takes the tail in place', () => {
  const map = new NumberMap(Uint32Array.of(2, 4, 6, 8), Uint32Array.of(20, 40, 60, 80))
  map.delete(4)
  map.delete(8)
  map.set(1, 10)
  map.set(7, 70)
  expect(columnsOf(map)).toEqual([
    [1, 2, 6, 7],
    [10, 20, 60, 70],
  ])
  expect(map.keys.length).toBe(4)
})

test('a hundred thousand entries in any order cost 8 bytes each and an eighth', () => {
  const map = new NumberMap()
  for (let i = 0; i < 100_000; i++) map.set((i * 7_919) % 100_003, i)
  map.compact()
  expect(map.size).toBe(100_000)
  expect(map.bytes).toBeLessThanOrEqual(100_000 * 9 + 64)
  expect(map.get(7_919)).toBe(1)
})

test('keys and words are of one length', () => {
  expect(() => new NumberMap(new Uint32Array(2), new Uint32Array(1))).toThrow(RangeError)
})
