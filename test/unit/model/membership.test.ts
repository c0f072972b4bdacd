// Cells that join and leave a cluster.

import { expect, test } from 'vitest'
import { addCell, removeCell } from '../../../cells/model/membership.ts'
import { advance, type MoveEvent, planMove } from '../../../cells/model/move.ts'
import { FIRST_TERM, firstPlacement, type Placement } from '../../../cells/model/placement.ts'

const NOW_MS = 1_700_000_000_000
const first = firstPlacement(['a', 'b'], 8)

function allowed(next: ReturnType<typeof addCell>): Placement {
  if ('refused' in next) throw new Error(next.refused)
  return next
}

test('a cell that joins owns nothing, and may leave again', () => {
  const joined = allowed(addCell(first, 'c', NOW_MS))
  expect(joined.cells).toEqual(['a', 'b', 'c'])
  expect(joined.ranges).toEqual(first.ranges)
  expect(joined.epoch).toBe(NOW_MS)
  const left = allowed(removeCell(joined, 'c', NOW_MS))
  expect(left.cells).toEqual(['a', 'b'])
  expect(left.epoch).toBe(NOW_MS + 1)
})

test.for(['', 'C', 'a b', '1', 'x/../y', 'a'.repeat(32)])('"%s" is no name', (name) => {
  expect(addCell(first, name, NOW_MS)).toHaveProperty('refused')
})

test('a cell does not join twice, and does not leave with slots or in a move', () => {
  expect(addCell(first, 'a', NOW_MS)).toEqual({ refused: 'there is a cell a already' })
  expect(removeCell(first, 'z', NOW_MS)).toEqual({ refused: 'there is no cell z' })
  expect(removeCell(first, 'a', NOW_MS)).toEqual({
    refused: 'a owns slots: move them to other cells first',
  })
  const joined = allowed(addCell(first, 'c', NOW_MS))
  const moving = allowed(planMove(joined, { slots: [{ first: 0, last: 1 }], to: 'c' }, NOW_MS))
  expect(removeCell(moving, 'c', NOW_MS)).toEqual({
    refused: `move ${NOW_MS + 1} from a to c is under way`,
  })
})

test('a cell that has just been drained, or stands by, is told what it waits for', () => {
  const joined = allowed(addCell(first, 'c', NOW_MS))
  const slots = [{ first: 0, last: 1 }]
  const id = NOW_MS + 1
  const through = (placement: Placement, events: readonly MoveEvent[]) =>
    events.reduce((at, event) => allowed(advance(at, id, event, NOW_MS)), placement)
  const arrived: readonly MoveEvent[] = [
    { kind: 'prepared' },
    { kind: 'copied', term: 7 },
    { kind: 'verified' },
  ]
  const gone = through(allowed(planMove(joined, { slots, to: 'c' }, NOW_MS)), [
    ...arrived,
    { kind: 'cut-over', isTakeover: false },
    { kind: 'rolled-back' },
  ])
  expect(removeCell(gone, 'c', NOW_MS)).not.toHaveProperty('refused')
  const standing = allowed(planMove(joined, { slots, to: 'c', isStandby: true }, NOW_MS))
  expect(removeCell(through(standing, arrived), 'c', NOW_MS)).toEqual({
    refused: 'c stands by for a: end that first, by "cellfeed standby unset a"',
  })
  const all = [{ first: 0, last: 7 }]
  const cut: readonly MoveEvent[] = [...arrived, { kind: 'cut-over', isTakeover: false }]
  const owners = { ...joined, ranges: [{ first: 0, last: 7, cell: 'a', term: FIRST_TERM }] }
  const drained = through(allowed(planMove(owners, { slots: all, to: 'c' }, NOW_MS)), cut)
  expect(removeCell(drained, 'a', NOW_MS)).toMatchObject({
    refused: expect.stringContaining(`cellfeed moves retire ${id}`) as string,
  })
})
