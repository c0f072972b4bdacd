// Where a quarter of the users may have lived, from looks at it.

import { expect, test } from 'vitest'
import { Homes, QUARTERS, quarterOf, slotsOf } from '../../drill/reads/homes.ts'

/** Asked at that time, and told a moment later. */
const look = (ms: number) => ({ askedMs: ms, toldMs: ms + 10 })

function moved(): Homes {
  const homes = new Homes()
  homes.told(1, 'cell-1', look(10_000))
  homes.told(1, 'cell-1', look(20_000))
  homes.told(1, 'cell-2', look(20_500))
  return homes
}

test('between two looks that differ both cells may be asked, and a little longer', () => {
  const homes = moved()
  expect(homes.mayOwn(1, 5_000, 5_010)).toEqual(['cell-1'])
  expect(homes.mayOwn(1, 15_000, 15_010)).toEqual(['cell-1'])
  expect(homes.mayOwn(1, 20_200, 20_210)).toEqual(['cell-1', 'cell-2'])
  expect(homes.mayOwn(1, 21_000, 21_010)).toEqual(['cell-1', 'cell-2'])
  expect(homes.mayOwn(1, 30_000, 30_010)).toEqual(['cell-2'])
  expect(homes.ownerOf(1)).toBe('cell-2')
})

test('only there the owner may change', () => {
  const homes = moved()
  const mayChange = (ms: number) => homes.mayChange(1, ms, ms)
  expect([15_000, 20_200, 21_000, 30_000].map(mayChange)).toEqual([false, true, true, false])
  expect(homes.mayChange(1, 15_000, 30_000)).toBe(true)
  expect(homes.mayChange(2, 15_000, 30_000)).toBe(false)
})

test('quarters are runs of slots that leave none out', () => {
  const runs = QUARTERS.map(slotsOf)
  const ends = runs.map(({ last }) => last + 1)
  expect(runs.map(({ first }) => first)).toEqual([0, ...ends.slice(0, -1)])
  expect(new Set(Array.from({ length: 200 }, (_, i) => quarterOf(`user ${i}`)))).toEqual(
    new Set(QUARTERS),
  )
})
