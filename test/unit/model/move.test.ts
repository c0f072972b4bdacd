// A move: which phase may follow which, and what becomes of the slots. The table does not compile with a hole in it.

import { describe, expect, test } from 'vitest'
import { advance, type MoveEvent, planMove } from '../../../cells/model/move.ts'
import {
  firstPlacement,
  type MovePhase,
  ownerOf,
  type Placement,
  reassigned,
  runsOf,
  slotsIn,
} from '../../../cells/model/placement.ts'

type Kind = MovePhase['kind']
type EventKind = MoveEvent['kind']

const NOW_MS = 1_700_000_000_000
const EVENTS: { readonly [K in EventKind]: Extract<MoveEvent, { readonly kind: K }> } = {
  prepared: { kind: 'prepared' },
  copied: { kind: 'copied', term: 7 },
  verified: { kind: 'verified' },
  differed: { kind: 'differed', detail: 'bob' },
  'verify-again': { kind: 'verify-again' },
  lost: { kind: 'lost' },
  'cut-over': { kind: 'cut-over', isTakeover: false },
  retired: { kind: 'retired' },
  aborted: { kind: 'aborted' },
  'rolled-back': { kind: 'rolled-back' },
  paused: { kind: 'paused' },
  resumed: { kind: 'resumed' },
}
const no = undefined
const OUTCOMES: Readonly<Record<Kind, Readonly<Record<EventKind, Kind | 'gone' | undefined>>>> = {
  preparing: {
    prepared: 'copying',
    copied: no,
    verified: no,
    differed: no,
    'verify-again': no,
    lost: no,
    'cut-over': no,
    retired: no,
    aborted: 'gone',
    'rolled-back': no,
    paused: 'preparing',
    resumed: no,
  },
  copying: {
    prepared: no,
    copied: 'verifying',
    verified: no,
    differed: no,
    'verify-again': no,
    lost: no,
    'cut-over': no,
    retired: no,
    aborted: 'gone',
    'rolled-back': no,
    paused: 'copying',
    resumed: no,
  },
  verifying: {
    prepared: no,
    copied: no,
    verified: 'ready',
    differed: 'differs',
    'verify-again': no,
    lost: 'copying',
    'cut-over': no,
    retired: no,
    aborted: 'gone',
    'rolled-back': no,
    paused: 'verifying',
    resumed: no,
  },
  differs: {
    prepared: no,
    copied: no,
    verified: no,
    differed: no,
    'verify-again': 'verifying',
    lost: 'copying',
    'cut-over': no,
    retired: no,
    aborted: 'gone',
    'rolled-back': no,
    paused: 'differs',
    resumed: no,
  },
  ready: {
    prepared: no,
    copied: no,
    verified: no,
    differed: no,
    'verify-again': 'verifying',
    lost: 'copying',
    'cut-over': 'retiring',
    retired: no,
    aborted: 'gone',
    'rolled-back': no,
    paused: 'ready',
    resumed: no,
  },
  retiring: {
    prepared: no,
    copied: no,
    verified: no,
    differed: no,
    'verify-again': no,
    lost: no,
    'cut-over': no,
    retired: 'gone',
    aborted: no,
    'rolled-back': 'gone',
    paused: 'retiring',
    resumed: no,
  },
}
/** What leads to each phase. */
const WAYS: Readonly<Record<Kind, readonly EventKind[]>> = {
  preparing: [],
  copying: ['prepared'],
  verifying: ['prepared', 'copied'],
  differs: ['prepared', 'copied', 'differed'],
  ready: ['prepared', 'copied', 'verified'],
  retiring: ['prepared', 'copied', 'verified', 'cut-over'],
}

const first = firstPlacement(['a', 'b'], 10)
const slots = [
  { first: 1, last: 1 },
  { first: 3, last: 4 },
]

function planned(): Placement {
  return allowed(planMove(first, { slots, to: 'b' }, NOW_MS))
}

function allowed(next: ReturnType<typeof advance>): Placement {
  if ('refused' in next) throw new Error(next.refused)
  return next
}

function happened(placement: Placement, events: readonly EventKind[]): Placement {
  const id = placement.moves[0]?.id ?? 0
  return events.reduce((now, kind) => allowed(advance(now, id, EVENTS[kind], NOW_MS)), placement)
}

describe.for(Object.keys(OUTCOMES) as Kind[])('a move that is %s', (phase) => {
  test.for(Object.keys(EVENTS) as EventKind[])('is told: %s', (kind) => {
    const before = happened(planned(), WAYS[phase])
    expect(before.moves[0]?.phase.kind).toBe(phase)
    const after = advance(before, before.moves[0]?.id ?? 0, EVENTS[kind], NOW_MS)
    const outcome = 'refused' in after ? undefined : (after.moves[0]?.phase.kind ?? 'gone')
    expect(outcome).toBe(OUTCOMES[phase][kind])
    const epoch = 'refused' in after ? Number.POSITIVE_INFINITY : after.epoch
    expect(epoch).toBeGreaterThan(before.epoch)
  })
})

test('only a cutover and a way back change who owns a slot', () => {
  const before = planned()
  const ready = happened(before, WAYS.ready)
  expect(ready.ranges).toEqual(first.ranges)
  const over = happened(ready, ['cut-over'])
  for (let slot = 0; slot < 10; slot++) {
    const moves = slotsIn(slots).includes(slot)
    expect(ownerOf(over, slot)).toMatchObject(
      moves ? { cell: 'b', term: 7 } : { cell: slot < 5 ? 'a' : 'b', term: 1 },
    )
  }
  expect(happened(over, ['rolled-back']).ranges).toEqual(first.ranges)
  expect(happened(over, ['retired']).ranges).toEqual(over.ranges)
})

test('an epoch is never below the time, so a placement from a backup repeats none', () => {
  expect(planned().epoch).toBe(NOW_MS)
  const again = allowed(planMove(first, { slots, to: 'b' }, NOW_MS + 1))
  expect(again.epoch).toBe(NOW_MS + 1)
  expect(happened(again, ['prepared']).epoch).toBe(NOW_MS + 2)
})

test.for([
  ['no slot', { slots: [], to: 'b' }, 'no slot is named'],
  ['a slot that is not there', { slots: [{ first: 9, last: 10 }], to: 'a' }, 'there is no slot 10'],
  ['a cell that is not there', { slots, to: 'c' }, 'there is no cell c'],
  ['a slot to its owner', { slots, to: 'a' }, 'a owns slot 1 already'],
  [
    'slots of two cells',
    { slots: [{ first: 4, last: 5 }], to: 'b' },
    'slot 5 is not owned by a as slot 4 is',
  ],
] as const)('is not planned for %s', ([, wanted, refused]) => {
  expect(planMove(first, wanted, NOW_MS)).toEqual({ refused })
})

test('a slot is in one move at most', () => {
  const again = planMove(planned(), { slots: [{ first: 2, last: 3 }], to: 'b' }, NOW_MS)
  expect(again).toEqual({ refused: 'slot 3 is being moved already' })
})

test('ranges stay whole and joined, whatever is given away', () => {
  const given = (run: { first: number; last: number }) => ({ ...run, cell: 'c', term: 3 })
  const some = reassigned(first.ranges, [
    given({ first: 2, last: 3 }),
    given({ first: 4, last: 6 }),
  ])
  expect(some).toEqual([
    { first: 0, last: 1, cell: 'a', term: 1 },
    { first: 2, last: 6, cell: 'c', term: 3 },
    { first: 7, last: 9, cell: 'b', term: 1 },
  ])
  expect(runsOf(slotsIn(some))).toEqual([{ first: 0, last: 9 }])
})

test('a slot that a move is yet to make belongs to nobody, whoever has its neighbours', () => {
  const all = { first: 0, last: 9, cell: 'a', term: 1 }
  const pinned = { first: 11, last: 11, cell: 'a', term: 1 }
  expect(reassigned([all], [pinned])).toEqual([all, pinned])
})
