// What has to hold before slots change hands.

import { expect, test } from 'vitest'
import { holds, mayGoBack, shownBy } from '../../../cells/activities/hand-over.ts'
import type { Move } from '../../../cells/model/placement.ts'
import type { SlotsReport } from '../../../cells/ports/cell-client.ts'

const MOVE: Move = {
  id: 7,
  slots: [{ first: 0, last: 3 }],
  pins: [],
  from: 'a',
  to: 'b',
  isStandby: false,
  isPaused: false,
  phase: { kind: 'ready', term: 12 },
}

function report(of: Partial<SlotsReport>): SlotsReport {
  return {
    cell: 'a',
    boot: 1,
    ready: true,
    position: [5, 5],
    logEnd: undefined,
    epoch: 7,
    prepared: [],
    arrived: [],
    copying: [],
    retained: [],
    failures: [],
    loads: [],
    ...of,
  }
}

test('a source owns its slots again only when it is as far as anything that the target has shown', () => {
  const source = report({ retained: [7] })
  expect(mayGoBack(MOVE, source, [5, 5])).toBe(true)
  expect(mayGoBack(MOVE, source, [5, 6])).toBe(false)
  expect(mayGoBack(MOVE, source, undefined)).toBe(false)
})

test('a source that recovers, has dropped the slots, or does not answer, owns nothing again', () => {
  expect(mayGoBack(MOVE, report({ retained: [7], ready: false }), [5, 5])).toBe(false)
  expect(mayGoBack(MOVE, report({ retained: [6] }), [5, 5])).toBe(false)
  expect(mayGoBack(MOVE, undefined, [5, 5])).toBe(false)
})

test('what a cell that recovers has shown is not known', () => {
  expect(shownBy(report({}))).toEqual([5, 5])
  expect(shownBy(report({ ready: false }))).toBeUndefined()
  expect(shownBy(undefined)).toBeUndefined()
})

test('a target holds a move under the term that the placement names', () => {
  expect(holds(report({ arrived: [{ move: 7, term: 12 }] }), MOVE)).toBe(true)
  expect(holds(report({ arrived: [{ move: 7, term: 11 }] }), MOVE)).toBe(false)
  expect(holds(report({ arrived: [{ move: 6, term: 12 }] }), MOVE)).toBe(false)
})
