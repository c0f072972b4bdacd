// What a verification asks of cells that may be far away.

import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { differenceOf } from '../../../cells/activities/verification.ts'
import { firstPlacement, type Move, slotsIn } from '../../../cells/model/placement.ts'
import { planMove } from '../../../cells/model/move.ts'
import type { CellClient, SlotsReport } from '../../../cells/ports/cell-client.ts'
import { systemClock } from '../../../infra/system/clock.ts'

const SLOTS = [{ first: 0, last: 499 }]

function move(): Move {
  const placement = planMove(firstPlacement(['a', 'b'], 1_000), { slots: SLOTS, to: 'b' }, 0)
  const [planned] = 'refused' in placement ? [] : placement.moves
  if (planned === undefined) throw new Error('not planned')
  return planned
}

/** Of slots that nobody lives in; answers after the next turn of the event loop. */
function emptyCell(cell: string, asked: (slot: number) => () => void): CellClient {
  const known: Partial<CellClient> = {
    cell,
    slots: async () => ({ logEnd: [] }) as Partial<SlotsReport> as SlotsReport,
    readersOf: async (slot) => {
      const answered = asked(slot)
      await setImmediate()
      answered()
      return { readers: [], next: undefined }
    },
  }
  return known as CellClient
}

test('slots are not asked for their readers one after another, nor all at once', async () => {
  const slots = new Set<number>()
  let underWay = 0
  let most = 0
  const asked = (slot: number) => {
    slots.add(slot)
    underWay += 1
    most = Math.max(most, underWay)
    return () => void (underWay -= 1)
  }
  const cells = { source: emptyCell('a', asked), target: emptyCell('b', asked) }
  const { signal } = new AbortController()
  expect(await differenceOf(move(), { ...cells, clock: systemClock }, signal)).toBeUndefined()
  expect([...slots]).toEqual(slotsIn(SLOTS))
  expect(most).toBeGreaterThanOrEqual(16)
  expect(most).toBeLessThan(SLOTS[0]?.last ?? 0)
})
