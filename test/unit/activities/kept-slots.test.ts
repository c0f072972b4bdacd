// A cell whose store is not the one that the placement speaks of.

import { expect, test } from 'vitest'
import { CellState } from '../../../cells/activities/cell-state.ts'
import type { Claim } from '../../../cells/activities/claim.ts'
import { assertKept } from '../../../cells/activities/kept-slots.ts'
import { CELL_LIMITS } from '../../../cells/model/cell-limits.ts'
import { FIRST_TERM, firstPlacement } from '../../../cells/model/placement.ts'

const confirmed = { confirm: () => Promise.resolve() } as unknown as Claim

function keeping(slots: readonly number[]): CellState {
  const placement = firstPlacement(['a'], 8)
  const state = new CellState({
    cell: 'a',
    placement,
    limits: CELL_LIMITS,
    partitions: 1,
    nowMs: 0,
  })
  for (const slot of slots) state.keep({ slot, term: FIRST_TERM })
  return state
}

test('what it lacks is named exactly', async () => {
  await expect(assertKept(keeping([0, 4, 7]), confirmed)).rejects.toThrow(
    'the placement gives slots 1-3, 5-6 to a (5 of its 8), but its store does not hold them',
  )
  await expect(assertKept(keeping([0, 1, 2, 3, 4, 5, 6]), confirmed)).rejects.toThrow(
    'slots 7 to a',
  )
  await expect(assertKept(keeping([0, 1, 2, 3, 4, 5, 6, 7]), confirmed)).resolves.toBeUndefined()
})

test('a cell that was superseded is told that instead', async () => {
  const superseded = { confirm: () => Promise.reject(new Error('taken over')) } as unknown as Claim
  await expect(assertKept(keeping([]), superseded)).rejects.toThrow('taken over')
})
