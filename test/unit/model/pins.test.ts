// Users with a slot of their own: they get it by a move of the slot where they live, and lose it when that is taken back.

import { expect, test } from 'vitest'
import { Homes } from '../../../cells/model/homes.ts'
import { advance, type MoveEvent, planMove, type Refusal } from '../../../cells/model/move.ts'
import {
  firstPlacement,
  hasSlot,
  homeSlotOf,
  ownerOf,
  type Placement,
  slotOf,
} from '../../../cells/model/placement.ts'
import { type UserKey, userKey } from '../../../cells/model/user-key.ts'

const NOW_MS = 1_700_000_000_000
const SLOTS = 4
const first = firstPlacement(['a', 'b'], SLOTS)

function allowed(next: Placement | Refusal): Placement {
  if ('refused' in next) throw new Error(next.refused)
  return next
}

function inSlot(slot: number, nth = 0): UserKey {
  const users = Array.from({ length: 100 }, (_, i) => userKey(`user-${i}`))
  const user = users.filter((key) => slotOf(key, SLOTS) === slot)[nth]
  if (user === undefined) throw new Error('nobody')
  return user
}
// Slot 0 is with cell a, slot 3 with b.
const [alice, bob, carol] = [inSlot(0), inSlot(0, 1), inSlot(3)]
const SLOT_0 = [{ first: 0, last: 0 }]

const TO_CUTOVER: readonly MoveEvent[] = [
  { kind: 'prepared' },
  { kind: 'copied', term: 7 },
  { kind: 'verified' },
  { kind: 'cut-over', isTakeover: false },
]

function after(placement: Placement, events: readonly MoveEvent[]): Placement {
  const id = placement.moves.at(-1)?.id ?? 0
  return events.reduce((now, event) => allowed(advance(now, id, event, NOW_MS)), placement)
}

const planned = allowed(planMove(first, { slots: SLOT_0, to: 'b', pinned: [alice] }, NOW_MS))
const moved = after(planned, TO_CUTOVER)

test('until the cutover the user lives where the others do', () => {
  expect(planned.pins).toEqual([])
  expect(homeSlotOf(planned, alice)).toBe(0)
  expect(ownerOf(planned, 0).cell).toBe('a')
})

test('after it the user has a slot of their own, and the others have gone along', () => {
  expect(moved.pins).toEqual([{ user: alice, slot: SLOTS, term: 7 }])
  expect([homeSlotOf(moved, alice), homeSlotOf(moved, bob)]).toEqual([SLOTS, 0])
  expect([ownerOf(moved, SLOTS).cell, ownerOf(moved, 0).cell]).toEqual(['b', 'b'])
})

test('taken back, nothing is left of it', () => {
  const back = after(moved, [{ kind: 'rolled-back' }])
  expect([back.pins, back.moves]).toEqual([[], []])
  expect(back.ranges).toEqual(first.ranges)
})

test('the slot moves on by itself once the first move is over; the others can go back without it', () => {
  const own = [{ first: SLOTS, last: SLOTS }]
  expect(planMove(moved, { slots: own, to: 'a' }, NOW_MS)).toEqual({
    refused: `slot ${SLOTS} is being moved already`,
  })
  const over = after(moved, [{ kind: 'retired' }])
  const away = after(allowed(planMove(over, { slots: own, to: 'a' }, NOW_MS)), TO_CUTOVER)
  expect([ownerOf(away, SLOTS).cell, ownerOf(away, 0).cell]).toEqual(['a', 'b'])
  const others = after(allowed(planMove(over, { slots: SLOT_0, to: 'a' }, NOW_MS)), TO_CUTOVER)
  expect([ownerOf(others, SLOTS).cell, ownerOf(others, 0).cell]).toEqual(['b', 'a'])
  expect(others.pins).toEqual(moved.pins)
})

test('a slot that another move is to make belongs to nobody when a later one is there already', () => {
  const slots = [{ first: 3, last: 3 }]
  const both = allowed(planMove(planned, { slots, to: 'a', pinned: [carol] }, NOW_MS))
  const later = after(both, TO_CUTOVER)
  expect(later.pins).toEqual([{ user: carol, slot: SLOTS + 1, term: 7 }])
  expect([hasSlot(later, SLOTS), hasSlot(later, SLOTS + 1)]).toEqual([false, true])
})

test.each([
  ['who lives elsewhere', { slots: [{ first: 1, last: 1 }], to: 'b', pinned: [alice] }, first],
  [
    'who is pinned',
    { slots: SLOT_0, to: 'a', pinned: [alice] },
    after(moved, [{ kind: 'retired' }]),
  ],
])('a user %s gets no slot by it', (_, wanted, placement) => {
  expect(planMove(placement, wanted, NOW_MS)).toHaveProperty('refused')
})

test('a process that knows only the first placement learns where the user lives, and where the others', () => {
  const homes = new Homes(first)
  const { epoch } = moved
  homes.told(alice, { cell: 'b', epoch, slot: SLOTS })
  homes.told(bob, { cell: 'b', epoch, slot: 0 })
  expect([homes.of(alice), homes.of(bob)]).toEqual([
    { cell: 'b', epoch },
    { cell: 'b', epoch },
  ])
  homes.told(bob, { cell: 'a', epoch: epoch + 1, slot: 0 })
  expect([homes.of(alice).cell, homes.of(bob).cell]).toEqual(['b', 'a'])
  // Taken back: they live together again.
  homes.told(alice, { cell: 'a', epoch: epoch + 2, slot: 0 })
  expect(homes.of(alice)).toEqual({ cell: 'a', epoch: epoch + 2 })
  homes.take({ ...moved, epoch: epoch + 3 })
  expect(homes.of(alice)).toEqual({ cell: 'b', epoch: epoch + 3 })
})
