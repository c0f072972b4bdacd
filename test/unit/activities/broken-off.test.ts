// What is found of copies that were broken off, and what of it may be dropped.

import { expect, test } from 'vitest'
import { brokenOff, leftovers } from '../../../cells/activities/broken-off.ts'
import { planMove } from '../../../cells/model/move.ts'
import { firstPlacement, type Placement } from '../../../cells/model/placement.ts'
import { type CopiedSoFar, encodeReach } from '../../../cells/model/rows.ts'
import type { ReachRow } from '../../../cells/ports/cell-store.ts'

const NOW_MS = 1_700_000_000_000
const before: Placement = { ...firstPlacement(['a'], 4), cells: ['a', 'b'] }
const moving = planned(before)
const move = moving.moves[0]?.id ?? 0
const over: Placement = { ...moving, moves: [] }
const nobody = () => false
const anyTerm = () => true

function planned(placement: Placement): Placement {
  const next = planMove(placement, { slots: [{ first: 0, last: 3 }], to: 'b' }, NOW_MS)
  if ('refused' in next) throw new Error(next.refused)
  return next
}

function row(slot: number, term: number, copied?: CopiedSoFar): ReachRow {
  const reach = { floor: 5, position: [7, 8] }
  const bytes = encodeReach(copied === undefined ? reach : { ...reach, copied })
  return { slot, term, version: { boot: 0, count: 1 }, bytes }
}

const begun = (by = move): CopiedSoFar => ({ move: by, fromTerm: 0, hasChunks: false })
const whole = (by = move): CopiedSoFar => ({ move: by, fromTerm: 1, hasChunks: true })

test('slots that are marked as whole are found with their reach, and where they come from', () => {
  const rows = [row(0, 9, whole()), row(1, 9, begun()), row(2, 4), row(3, 8, whole(move - 1))]
  const found = brokenOff(rows, move, anyTerm)
  expect(found?.term).toBe(9)
  expect(found?.whole).toEqual(
    new Map([[0, { fromTerm: 1, reach: { floor: 5, position: [7, 8] } }]]),
  )
})

test('a copy is not gone on with when a later stay has begun in one of its slots', () => {
  const rows = [row(0, 9, whole()), row(1, 9, whole()), row(1, 10)]
  expect(brokenOff(rows, move, anyTerm)).toBeUndefined()
  expect(leftovers(rows, moving, nobody)).toEqual({
    ofMoves: new Map(),
    useless: [
      [
        { slot: 0, term: 9 },
        { slot: 1, term: 9 },
      ],
      [{ slot: 1, term: 10 }],
    ],
  })
})

test('a term that others have written to is not gone on with', () => {
  expect(brokenOff([row(0, 9, whole())], move, (term) => term !== 9)).toBeUndefined()
})

test('rows of a move that is not over stay, all of its term, also for a placement older than it', () => {
  const rows = [row(0, 9, whole()), row(1, 9), row(2, 5)]
  const stays = [
    { slot: 0, term: 9 },
    { slot: 1, term: 9 },
  ]
  for (const placement of [moving, before]) {
    expect(leftovers(rows, placement, nobody)).toEqual({
      ofMoves: new Map([[move, stays]]),
      useless: [[{ slot: 2, term: 5 }]],
    })
  }
  expect(leftovers(rows, over, nobody).ofMoves.size).toBe(0)
})

test('what is kept is no leftover', () => {
  const rows = [row(0, 9), row(1, 5)]
  expect(leftovers(rows, over, ({ term }) => term === 9).useless).toEqual([[{ slot: 1, term: 5 }]])
})
