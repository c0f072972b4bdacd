// Names table: a Map with less memory, and the order of keys by number.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { NamesTable } from '../../../cells/model/names-table.ts'
import { type UserKey, userKey, userKeyOfBytes } from '../../../cells/model/user-key.ts'

const keyOfWords = (words: readonly number[]) =>
  userKeyOfBytes(
    Uint8Array.from(words.flatMap((w) => [w >>> 24, (w >>> 16) & 255, (w >>> 8) & 255, w & 255])),
  ) as UserKey

/** Few different words, so that keys share most of what the table looks at. */
const crowdedWord = fc.constantFrom(0, 1, 0x400, 0x8000_0000, 0xffff_ffff)
const crowdedKey = fc
  .tuple(crowdedWord, crowdedWord, crowdedWord, crowdedWord)
  .filter((words) => words.some((w) => w !== 0))
  .map(keyOfWords)
const anyKey = fc.oneof(
  crowdedKey,
  fc.nat(500).map((n) => userKey(`user-${n}`)),
)
const rising = fc.array(fc.tuple(anyKey, fc.integer({ min: 1, max: 9_000 })), { maxLength: 400 })

test('looks up what a map would, the greater number of a key counting', () => {
  fc.assert(
    fc.property(rising, fc.array(anyKey, { maxLength: 20 }), fc.boolean(), (adds, asked, falls) => {
      const table = new NamesTable()
      const naive = new Map<UserKey, number>()
      const keys = new Map<number, UserKey>()
      let number = falls ? 5_000_000 : 0
      for (const [key, step] of adds) {
        number += falls ? -step : step
        table.add(key, number)
        keys.set(number, key)
        naive.set(key, Math.max(number, naive.get(key) ?? 0))
      }
      for (const [key, standing] of naive) expect(table.lookup(key)).toBe(standing)
      for (const key of asked) expect(table.lookup(key)).toBe(naive.get(key) ?? 0)
      for (const [n, key] of keys) expect(table.keyOf(n)).toBe(key)
      expect(table.size).toBe(naive.size)
    }),
    { numRuns: 100 },
  )
})

test('orders numbers as their keys are ordered', () => {
  fc.assert(
    fc.property(anyKey, anyKey, (a, b) => {
      const table = new NamesTable()
      table.add(a, 1)
      table.add(b, 70_000)
      const expected = a === b ? 0 : a < b ? -1 : 1
      expect(table.compareKeys(1, 70_000)).toBe(expected)
      expect(table.compareKeys(70_000, 1)).toBe(expected === 0 ? 0 : -expected)
    }),
  )
})

test('knows no key for a number in a gap or beyond', () => {
  const table = new NamesTable()
  table.add(userKey('ada'), 2 ** 31 - 1)
  expect(table.keyOf(0)).toBeUndefined()
  expect(table.keyOf(2 ** 31 - 2)).toBeUndefined()
  expect(table.keyOf(2 ** 31 - 1)).toBe(userKey('ada'))
})

test('adding a name again changes nothing', () => {
  const table = new NamesTable()
  table.add(userKey('ada'), 9)
  table.add(userKey('ada'), 9)
  expect([table.size, table.lookup(userKey('ada'))]).toEqual([1, 9])
})

test('throws when a number would stand for two keys', () => {
  const table = new NamesTable()
  table.add(userKey('ada'), 9)
  expect(() => table.add(userKey('bob'), 9)).toThrow('one key')
})

test('holds a hundred thousand names in at most 28 bytes each', () => {
  const table = new NamesTable()
  for (let n = 1; n <= 100_000; n++) table.add(userKey(`user-${n}`), n)
  expect(table.bytes / table.size).toBeLessThan(28)
  for (let n = 1; n <= 100_000; n += 997) expect(table.lookup(userKey(`user-${n}`))).toBe(n)
})
