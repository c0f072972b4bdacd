// The audit trail's words.

import { expect, test } from 'vitest'
import { advance, type MoveEvent, planMove } from '../../../cells/model/move.ts'
import { firstPlacement, type Placement } from '../../../cells/model/placement.ts'
import { changeText } from '../../../cells/model/placement-change.ts'

const NOW_MS = 1_700_000_000_000

function allowed(next: ReturnType<typeof planMove>): Placement {
  if ('refused' in next) throw new Error(next.refused)
  return next
}

test('says which slots have another owner, and what differed', () => {
  const slots = [{ first: 1, last: 2 }]
  const first = firstPlacement(['a', 'b'], 8)
  const planned = allowed(planMove(first, { slots, to: 'b' }, NOW_MS))
  const id = planned.moves[0]?.id ?? 0
  expect(changeText(first, planned)).toBe(`move ${id} planned: slots 1-2 from a to b`)
  const said = (events: readonly MoveEvent[]): string => {
    let [before, after] = [planned, planned]
    for (const event of events)
      [before, after] = [after, allowed(advance(after, id, event, NOW_MS))]
    return changeText(before, after)
  }
  const copied: readonly MoveEvent[] = [{ kind: 'prepared' }, { kind: 'copied', term: 7 }]
  const detail = 'dashboard of the user bob'
  expect(said([...copied, { kind: 'differed', detail }])).toBe(
    `move ${id}: verifying -> differs (${detail})`,
  )
  expect(said([...copied, { kind: 'verified' }, { kind: 'cut-over', isTakeover: false }])).toBe(
    `move ${id}: ready -> retiring; owner of 2 slots changed: 1-2`,
  )
})
