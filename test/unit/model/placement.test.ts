// Placement: each slot has exactly one owner, whatever the numbers of cells and slots.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { firstPlacement, ownerOf, slotOf, slotsOf } from '../../../cells/model/placement.ts'
import { userKey } from '../../../cells/model/user-key.ts'

const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), {
  minLength: 1,
  maxLength: 12,
})

test('every slot has one owner, and that cell knows it', () => {
  fc.assert(
    fc.property(names, fc.integer({ min: 1, max: 64 }), (cells, slots) => {
      const placement = firstPlacement(cells, slots)
      const owned = cells.flatMap((cell) => slotsOf(placement, cell).map(({ slot }) => slot))
      expect(owned.sort((a, b) => a - b)).toEqual(Array.from({ length: slots }, (_, slot) => slot))
      for (const cell of cells) {
        for (const { slot, term } of slotsOf(placement, cell)) {
          expect(ownerOf(placement, slot)).toMatchObject({ cell, term })
        }
      }
    }),
  )
})

test('slots are dealt evenly', () => {
  const placement = firstPlacement(['a', 'b', 'c'], 4096)
  expect(['a', 'b', 'c'].map((cell) => slotsOf(placement, cell).length)).toEqual([1365, 1365, 1366])
})

test('a slot without an owner is a bug', () => {
  expect(() => ownerOf(firstPlacement(['a'], 4), 4)).toThrow('no owner')
})

test('users spread over slots', () => {
  const held = new Array<number>(16).fill(0)
  for (let i = 0; i < 16_000; i++) {
    const slot = slotOf(userKey(`user-${i}`), 16)
    held[slot] = (held[slot] ?? 0) + 1
  }
  expect(Math.min(...held)).toBeGreaterThan(850)
  expect(Math.max(...held)).toBeLessThan(1_150)
})
