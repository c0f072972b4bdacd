// What slots weigh, and where they count while moves are under way.

import { expect, test } from 'vitest'
import { advance, planMove } from '../../../cells/model/move.ts'
import { firstPlacement, type Placement } from '../../../cells/model/placement.ts'
import { loadsOf, type SlotLoad, weightsOf } from '../../../cells/model/slot-load.ts'

const NOW_MS = 1_700_000_000_000

function load(readers: number, reads: number, bytes: number): SlotLoad {
  return { slot: 0, cell: 'a', readers, reads, bytes, isUnderWay: false, isPinned: false }
}

function moving(isStandby: boolean): Placement {
  const wanted = { slots: [{ first: 0, last: 1 }], to: 'b', isStandby }
  const planned = planMove(firstPlacement(['a', 'b'], 4), wanted, NOW_MS)
  if ('refused' in planned) throw new Error(planned.refused)
  const next = advance(planned, planned.moves[0]?.id ?? 0, { kind: 'prepared' }, NOW_MS)
  if ('refused' in next) throw new Error(next.refused)
  return next
}

test('readers, reads and bytes count alike', () => {
  expect(weightsOf([load(3, 0, 0), load(1, 100, 0), load(0, 300, 50)])).toEqual([
    expect.closeTo(0.75 / 3),
    expect.closeTo((0.25 + 0.25) / 3),
    expect.closeTo((0.75 + 1) / 3),
  ])
})

test('a handful of reads is chance and says nothing', () => {
  expect(weightsOf([load(1, 9, 0), load(1, 0, 0)])).toEqual([0.5, 0.5])
})

test('where there is no load all slots weigh alike', () => {
  expect(weightsOf([load(0, 0, 0), load(0, 0, 0)])).toEqual([0.5, 0.5])
})

test('a slot that moves counts where it goes; one that is only copied to a standby stays free', () => {
  const measured = [{ slot: 1, readers: 5, reads: 2, bytes: 9 }]
  expect(loadsOf(moving(false), measured)).toEqual([
    { slot: 0, cell: 'b', readers: 0, reads: 0, bytes: 0, isUnderWay: true, isPinned: false },
    { slot: 1, cell: 'b', readers: 5, reads: 2, bytes: 9, isUnderWay: true, isPinned: false },
    { slot: 2, cell: 'b', readers: 0, reads: 0, bytes: 0, isUnderWay: false, isPinned: false },
    { slot: 3, cell: 'b', readers: 0, reads: 0, bytes: 0, isUnderWay: false, isPinned: false },
  ])
  expect(loadsOf(moving(true), measured)[1]).toMatchObject({ cell: 'a', isUnderWay: false })
})
