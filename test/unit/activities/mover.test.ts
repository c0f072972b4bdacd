// Whoever drives moves looks before slots change hands: nobody may come to see less than before.

import { expect, test } from 'vitest'
import { Mover } from '../../../cells/activities/mover.ts'
import { advance, type MoveEvent, planMove, type Refusal } from '../../../cells/model/move.ts'
import { firstPlacement, type Placement } from '../../../cells/model/placement.ts'
import type { SlotsReport } from '../../../cells/ports/cell-client.ts'

const NOW_MS = 1_700_000_000_000
const LOG_END = [3]
const LIMITS = { stepMs: 1, idleMs: 1, retireMs: 60_000, returnMs: 0, awayMs: 60_000 }

function placed(placement: Placement | Refusal): Placement {
  if ('refused' in placement) throw new Error(placement.refused)
  return placement
}

/** Slot 0 on its way from a to b, as far as these events bring it. */
function moving({ isStandby }: { isStandby: boolean }, events: readonly MoveEvent[]): Placement {
  const wanted = { slots: [{ first: 0, last: 0 }], to: 'b', isStandby }
  let placement = placed(planMove(firstPlacement(['a', 'b'], 2), wanted, NOW_MS))
  for (const event of events) placement = placed(advance(placement, NOW_MS, event, NOW_MS))
  return placement
}

const READY: readonly MoveEvent[] = [
  { kind: 'prepared' },
  { kind: 'copied', term: 7 },
  { kind: 'verified' },
]

type Seen = Pick<SlotsReport, 'ready' | 'position'>

/** The phase after one look at cells that live. */
async function phaseAfter(
  placement: Placement,
  cells: { readonly a: Seen; readonly b: Seen; readonly isLost?: boolean },
): Promise<string | undefined> {
  let now = placement
  const mover = new Mover(
    {
      placements: {
        read: () => Promise.resolve({ placement: now, revision: 1 }),
        replace: (_, next) => {
          now = next
          return Promise.resolve(true)
        },
      },
      clock: {
        nowMs: () => NOW_MS,
        sleep: () => Promise.resolve(),
        yield: () => Promise.resolve(),
      },
      report: (cell, query) =>
        Promise.resolve({
          cell,
          boot: 1,
          logEnd: query?.logEnd === true ? LOG_END : undefined,
          epoch: now.epoch,
          prepared: [],
          arrived: cells.isLost === true ? [] : [{ move: NOW_MS, term: 7 }],
          copying: [],
          retained: [NOW_MS],
          failures: [],
          loads: [],
          ...(cell === 'a' ? cells.a : cells.b),
        }),
      isDead: () => Promise.resolve(false),
      verify: () => Promise.resolve(undefined),
    },
    LIMITS,
  )
  await mover.step((error) => {
    throw error
  })
  return now.moves[0]?.phase.kind
}

test('a target takes over where it has passed its source', async () => {
  const ready = moving({ isStandby: false }, READY)
  const a = { ready: true, position: [2] }
  expect(await phaseAfter(ready, { a, b: { ready: true, position: [1] } })).toBe('ready')
  expect(await phaseAfter(ready, { a, b: { ready: true, position: [2] } })).toBe('retiring')
})

test('a source that recovers may have shown everything', async () => {
  const ready = moving({ isStandby: false }, READY)
  const a = { ready: false, position: [1] }
  expect(await phaseAfter(ready, { a, b: { ready: true, position: [2] } })).toBe('ready')
  expect(await phaseAfter(ready, { a, b: { ready: true, position: LOG_END } })).toBe('retiring')
})

test('slots do not go back while whoever took over recovers', async () => {
  const taken = moving({ isStandby: true }, [...READY, { kind: 'cut-over', isTakeover: true }])
  const a = { ready: true, position: [2] }
  expect(await phaseAfter(taken, { a, b: { ready: false, position: [1] } })).toBe('retiring')
  expect(await phaseAfter(taken, { a, b: { ready: true, position: [2] } })).toBe(undefined)
})

test('a standby that has lost its copy begins anew, also while its source is well', async () => {
  const standing = moving({ isStandby: true }, READY)
  const well = { ready: true, position: [2] }
  expect(await phaseAfter(standing, { a: well, b: well })).toBe('ready')
  expect(await phaseAfter(standing, { a: well, b: well, isLost: true })).toBe('copying')
  const b = { ready: false, position: [1] }
  expect(await phaseAfter(standing, { a: well, b, isLost: true })).toBe('ready')
})
