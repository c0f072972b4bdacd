// Standbys: what the rules ask for, what becomes of them when slots get another owner, and who adopts the slots of a dead cell.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addCell } from '../../../cells/model/membership.ts'
import { advance, isMoving, type MoveEvent, planMove } from '../../../cells/model/move.ts'
import {
  firstPlacement,
  type Move,
  ownerOf,
  type Placement,
  slotsIn,
} from '../../../cells/model/placement.ts'
import { adoption, setStandby, towardsRules } from '../../../cells/model/standbys.ts'

const NOW_MS = 1_700_000_000_000
const READY: readonly MoveEvent[] = [
  { kind: 'prepared' },
  { kind: 'copied', term: 7 },
  { kind: 'verified' },
]
const TAKEOVER: MoveEvent = { kind: 'cut-over', isTakeover: true }

function allowed(next: Placement | { readonly refused: string }): Placement {
  if ('refused' in next) throw new Error(next.refused)
  return next
}

function happened(
  placement: Placement,
  move: Move | undefined,
  events: readonly MoveEvent[],
): Placement {
  const id = move?.id ?? 0
  return events.reduce((now, event) => allowed(advance(now, id, event, NOW_MS)), placement)
}

/** Until nothing more is to be done. */
function settled(placement: Placement): Placement {
  let now = placement
  for (let next = towardsRules(now, NOW_MS); next !== undefined; next = towardsRules(now, NOW_MS)) {
    now = next
  }
  return now
}

/** Slots 0-4 are a's, 5-9 b's; c is empty; b stands by for a, and is ready. */
function standing(): Placement {
  const first = allowed(addCell(firstPlacement(['a', 'b'], 10), 'c', NOW_MS))
  const ruled = settled(allowed(setStandby(first, { cell: 'a', standby: 'b' }, NOW_MS)))
  return happened(ruled, ruled.moves[0], READY)
}

const [FIRST, REST] = [[{ first: 0, last: 1 }], [{ first: 2, last: 4 }]]

test('a rule makes a standby of all slots of the cell, and nothing more', () => {
  const { moves } = standing()
  expect(moves).toMatchObject([
    { slots: [{ first: 0, last: 4 }], from: 'a', to: 'b', isStandby: true },
  ])
  expect(settled(standing())).toEqual(standing())
})

test('a rule that is taken back ends its standbys', () => {
  const without = allowed(setStandby(standing(), { cell: 'a', standby: undefined }, NOW_MS))
  expect(settled(without).moves).toEqual([])
})

test('a rule that names another cell moves the standbys there', () => {
  const other = settled(allowed(setStandby(standing(), { cell: 'a', standby: 'c' }, NOW_MS)))
  expect(other.moves).toMatchObject([{ to: 'c', phase: { kind: 'preparing' } }])
})

test.for([
  [{ cell: 'a', standby: 'a' }, 'a can not stand by for itself'],
  [{ cell: 'd', standby: 'a' }, 'there is no cell d'],
  [{ cell: 'a', standby: 'd' }, 'there is no cell d'],
] as const)('a rule is refused: %s', ([rule, refused]) => {
  expect(setStandby(standing(), rule, NOW_MS)).toEqual({ refused })
})

test('slots with a standby are moved elsewhere; at the cutover the standby loses them', () => {
  const planned = allowed(planMove(standing(), { slots: FIRST, to: 'c' }, NOW_MS))
  expect(planned.moves.map(({ slots }) => slots)).toEqual([[{ first: 0, last: 4 }], FIRST])
  const over = happened(planned, planned.moves[1], [
    ...READY,
    { kind: 'cut-over', isTakeover: false },
  ])
  expect(over.moves.map(({ slots }) => slots)).toEqual([REST, FIRST])
  expect(ownerOf(over, 0).cell).toBe('c')
})

test('slots are moved to their standby: it loses them at once, as it has no inboxes', () => {
  const planned = allowed(planMove(standing(), { slots: FIRST, to: 'b' }, NOW_MS))
  expect(planned.moves).toMatchObject([
    { isStandby: true, slots: REST },
    { isStandby: false, slots: FIRST, phase: { kind: 'preparing' } },
  ])
  // And none is begun while a move goes there.
  expect(settled(planned)).toEqual(planned)
})

describe('a standby that took over', () => {
  const before = allowed(planMove(standing(), { slots: FIRST, to: 'c' }, NOW_MS))
  const over = happened(before, before.moves[0], [TAKEOVER])

  test('owns the slots, and ends moves from the dead cell', () => {
    expect(over.moves).toMatchObject([{ isStandby: true, phase: { kind: 'retiring' } }])
    expect([0, 1, 2, 3, 4].map((slot) => ownerOf(over, slot))).toMatchObject(
      [0, 1, 2, 3, 4].map(() => ({ cell: 'b', term: 7 })),
    )
  })

  test('keeps them from being moved until it is known who owns them', () => {
    const refused = 'slot 0 is being moved already'
    expect(planMove(over, { slots: FIRST, to: 'c' }, NOW_MS)).toEqual({ refused })
  })

  test('gives them back as they were', () => {
    const back = happened(over, over.moves[0], [{ kind: 'rolled-back' }])
    expect(back.ranges).toEqual(before.ranges)
    expect(back.moves).toEqual([])
  })
})

describe('slots of a dead cell', () => {
  const first = allowed(addCell(firstPlacement(['a', 'b'], 10), 'c', NOW_MS))

  test('are dealt to the others', () => {
    expect(adoption(first, 'a', ['b', 'c'], NOW_MS)?.moves).toMatchObject([
      { slots: [{ first: 0, last: 1 }], from: 'a', to: 'b' },
      { slots: [{ first: 2, last: 4 }], from: 'a', to: 'c' },
    ])
  })

  test('are left to their standby, and to the moves that they are in', () => {
    expect(adoption(standing(), 'a', ['b', 'c'], NOW_MS)).toBeUndefined()
    const moving = allowed(planMove(first, { slots: FIRST, to: 'b' }, NOW_MS))
    expect(adoption(moving, 'a', ['c'], NOW_MS)?.moves).toMatchObject([
      { slots: FIRST, to: 'b' },
      { slots: REST, to: 'c' },
    ])
  })

  test('are dealt at once, while others that it has just taken over may still go back', () => {
    const taken = happened(standing(), standing().moves[0], [TAKEOVER])
    expect(adoption(taken, 'b', ['c'], NOW_MS)?.moves).toMatchObject([
      { slots: [{ first: 0, last: 4 }], from: 'a', to: 'b', phase: { kind: 'retiring' } },
      { slots: [{ first: 5, last: 9 }], from: 'b', to: 'c' },
    ])
  })

  test('stay where they are when nobody else is well', () => {
    expect(adoption(first, 'a', [], NOW_MS)).toBeUndefined()
  })
})

const CELLS = ['a', 'b', 'c']
const cell = fc.constantFrom(...CELLS)
const EVENTS: readonly MoveEvent[] = [
  ...READY,
  TAKEOVER,
  { kind: 'cut-over', isTakeover: false },
  { kind: 'retired' },
  { kind: 'aborted' },
  { kind: 'rolled-back' },
  { kind: 'lost' },
]
const act = fc.oneof(
  fc.record({ kind: fc.constant('rule'), cell, standby: fc.option(cell, { nil: undefined }) }),
  fc.record({ kind: fc.constant('plan'), first: fc.nat(9), length: fc.nat(3), to: cell }),
  fc.record({ kind: fc.constant('tend') }),
  fc.record({ kind: fc.constant('adopt'), cell }),
  fc.record({ kind: fc.constant('event'), which: fc.nat(9), event: fc.constantFrom(...EVENTS) }),
)

test('whatever happens, a slot is in one move and in one standby at most, and a cell holds one copy of it', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      let now = allowed(addCell(firstPlacement(['a', 'b'], 10), 'c', NOW_MS))
      let terms = 7
      for (const each of acts) {
        const next = done(now, each, () => ++terms)
        if (next === undefined || 'refused' in next) continue
        expect(next.epoch).toBeGreaterThan(now.epoch)
        now = next
        assertSound(now)
      }
    }),
    { numRuns: 2_000 },
  )
})

type Act = typeof act extends fc.Arbitrary<infer T> ? T : never

function done(now: Placement, each: Act, nextTerm: () => number) {
  if ('standby' in each) return setStandby(now, each, NOW_MS)
  if ('to' in each) {
    const { first, length, to } = each
    return planMove(now, { slots: [{ first, last: Math.min(9, first + length) }], to }, NOW_MS)
  }
  if ('event' in each) {
    const move = now.moves[each.which]
    const event = each.event.kind === 'copied' ? { ...each.event, term: nextTerm() } : each.event
    return move && advance(now, move.id, event, NOW_MS)
  }
  if ('cell' in each) {
    const others = CELLS.filter((other) => other !== each.cell)
    return adoption(now, each.cell, others, NOW_MS)
  }
  return towardsRules(now, NOW_MS)
}

function assertSound(placement: Placement): void {
  const { moves } = placement
  for (let slot = 0; slot < placement.slots; slot++) {
    const owner = ownerOf(placement, slot)
    const here = moves.filter(({ slots }) => slotsIn(slots).includes(slot))
    expect(here.filter(isMoving).length).toBeLessThan(2)
    expect(here.filter((move) => !isMoving(move)).length).toBeLessThan(2)
    const holders = here.map(({ to, from, phase }) => (phase.kind === 'retiring' ? from : to))
    expect(new Set([owner.cell, ...holders]).size).toBe(holders.length + 1)
    for (const { from, to, phase } of here) {
      expect(owner.cell).toBe(phase.kind === 'retiring' ? to : from)
    }
  }
}
