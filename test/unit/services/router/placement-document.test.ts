// The placement as it is stored: what was written is read, whatever is under way.

import { expect, test } from 'vitest'
import { userKey } from '../../../../cells/model/user-key.ts'
import {
  firstPlacement,
  type MovePhase,
  type Placement,
} from '../../../../cells/model/placement.ts'
import { decodePlacement, encodePlacement } from '../../../../services/router/placement-document.ts'

const PHASES: readonly MovePhase[] = [
  { kind: 'preparing' },
  { kind: 'copying' },
  { kind: 'verifying', term: 9 },
  { kind: 'differs', term: 9, detail: 'bob lacks a post' },
  { kind: 'ready', term: 9 },
  {
    kind: 'retiring',
    left: [{ first: 0, last: 2, cell: 'a', term: 1 }],
    sinceMs: 1_700_000_000_000,
    isTakeover: true,
  },
]

test.for(PHASES)('a move that is $kind', (phase) => {
  const slots = [{ first: 0, last: 2 }]
  const marks = { isStandby: true, isPaused: true }
  const pins = [{ user: userKey('carol'), slot: 9 }]
  const move = { id: 1_700_000_000_001, slots, pins, from: 'a', to: 'b', ...marks, phase }
  const first = firstPlacement(['a', 'b', 'c'], 8)
  const placement = {
    ...first,
    epoch: 1_700_000_000_002,
    cells: ['a', 'b', 'c', 'd'],
    moves: [move],
    standbys: [{ cell: 'a', standby: 'b' }],
    pins: [{ user: userKey('alice'), slot: 8, term: 5 }],
    ranges: [...first.ranges, { first: 8, last: 8, cell: 'b', term: 5 }],
  }
  const change = { epoch: 3, previous: 2, atMs: 1_700_000_000_000, by: 'alice', what: 'd added' }
  const document = { clusterId: 5n, placement, change }
  expect(decodePlacement(encodePlacement(document))).toEqual(document)
})

const pins = [{ user: userKey('alice'), slot: 8, term: 5 }]
const own = { first: 8, last: 8, cell: 'b', term: 5 }
const [a, b] = firstPlacement(['a', 'b'], 8).ranges

test.for([
  ['a slot of two cells', [a, { ...b, first: 3 }, own], 'names slot 3 twice'],
  ['a slot of nobody', [a, { ...b, first: 5 }, own], 'slot 4 to nobody'],
  ['the last slot of nobody', [a, { ...b, last: 6 }], 'slot 7 to nobody'],
  ['one too many', [a, b, { ...own, last: 9 }], 'slot 9'],
  ['a pinned user without a slot', [a, b], 'pinned user out'],
])('%s: the document is refused', ([, ranges, why]) => {
  const placement = { ...firstPlacement(['a', 'b'], 8), pins, ranges } as Placement
  const bytes = encodePlacement({ clusterId: 5n, placement })
  expect(() => decodePlacement(bytes)).toThrow(why)
})
