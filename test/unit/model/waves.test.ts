// How a plan is cut into waves, and when the next may begin.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PlannedSlot } from '../../../cells/model/balance.ts'
import { slotsIn } from '../../../cells/model/placement.ts'
import { GATE_LIMITS, gate, type WaveFigures, wavesOf } from '../../../cells/model/waves.ts'

const plans = fc
  .uniqueArray(
    fc.record({
      slot: fc.nat(2_000),
      from: fc.constantFrom('a', 'b'),
      to: fc.constantFrom('c', 'd', 'e'),
      weight: fc.constant(0),
    }),
    { selector: ({ slot }) => slot, maxLength: 600, size: 'max' },
  )
  .map((moves): PlannedSlot[] => moves)

const bySlot = (a: PlannedSlot, b: PlannedSlot): number => a.slot - b.slot

describe('waves', () => {
  test('have each slot of the plan once, on its way, in the order of the plan', () => {
    fc.assert(
      fc.property(plans, fc.integer({ min: 1, max: 200 }), (plan, slotsMax) => {
        const waves = wavesOf(plan, slotsMax)
        let at = 0
        for (const { slotCount, moves } of waves) {
          const wanted = plan.slice(at, at + slotCount)
          const found = moves.flatMap(({ slots, from, to }) =>
            slotsIn(slots).map((slot) => ({ slot, from, to, weight: 0 })),
          )
          expect(found.toSorted(bySlot)).toEqual(wanted.toSorted(bySlot))
          at += slotCount
        }
        expect(at).toBe(plan.length)
      }),
    )
  })

  test('begin with one slot, grow to four times as many at most, and end at the most', () => {
    fc.assert(
      fc.property(plans, fc.integer({ min: 1, max: 200 }), (plan, slotsMax) => {
        const sizes = wavesOf(plan, slotsMax).map(({ slotCount }) => slotCount)
        expect(sizes[0] ?? 1).toBe(1)
        for (const [i, size] of sizes.slice(0, -1).entries()) {
          expect(size).toBe(Math.min(4 ** i, slotsMax))
        }
        expect(sizes.at(-1) ?? 0).toBeLessThanOrEqual(Math.min(4 ** (sizes.length - 1), slotsMax))
      }),
    )
  })

  test('have one move from one cell to another, of neighbours as runs', () => {
    const plan = [9, 4, 6, 1, 7, 5].map((slot) => ({ slot, from: 'a', to: 'b', weight: 0 }))
    expect(wavesOf(plan)).toEqual([
      { slotCount: 1, moves: [{ from: 'a', to: 'b', slots: [{ first: 9, last: 9 }] }] },
      {
        slotCount: 4,
        moves: [
          {
            from: 'a',
            to: 'b',
            slots: [
              { first: 1, last: 1 },
              { first: 4, last: 4 },
              { first: 6, last: 7 },
            ],
          },
        ],
      },
      { slotCount: 1, moves: [{ from: 'a', to: 'b', slots: [{ first: 5, last: 5 }] }] },
    ])
  })
})

const WELL: WaveFigures = {
  movesLeft: 0,
  movesTakenBack: 0,
  movesDiffering: 0,
  calls: 10_000,
  callsFailed: 10,
  p99Ms: 30,
  p99BeforeMs: 20,
  lagMs: 5_000,
  cellsGone: [],
  waitedMs: 0,
}

describe('the gate', () => {
  test.each<[name: string, change: Partial<WaveFigures>, kind: string, why: string]>([
    ['lets the next wave go at the limits', {}, 'go-on', ''],
    ['waits for moves', { movesLeft: 2 }, 'wait', '2 moves are not over'],
    ['waits for moves however long', { movesLeft: 1, waitedMs: 1e9 }, 'wait', '1 moves'],
    ['stops at a difference', { movesDiffering: 1 }, 'stop', 'something else'],
    ['stops when a move was taken back', { movesTakenBack: 1 }, 'stop', 'taken back'],
    ['stops while others move on', { movesLeft: 3, movesDiffering: 1 }, 'stop', 'something else'],
    ['stops when calls fail', { callsFailed: 11 }, 'stop', '11 of 10000 calls failed'],
    ['stops when one of few fails', { calls: 5, callsFailed: 1 }, 'stop', '1 of 5'],
    ['goes on when nobody calls', { calls: 0, callsFailed: 0, p99Ms: 0 }, 'go-on', ''],
    ['waits while reads are slow', { p99Ms: 30.1 }, 'wait', 'p99 is 30.1 ms, it was 20.0 ms'],
    ['heeds no p99 of few calls', { calls: 9, callsFailed: 0, p99Ms: 500 }, 'go-on', ''],
    ['bears what is fast enough', { p99Ms: 10, p99BeforeMs: 1 }, 'go-on', ''],
    ['waits for a cell that died', { cellsGone: ['c'] }, 'wait', 'c does not serve'],
    [
      'names it while moves are left',
      { movesLeft: 2, cellsGone: ['c'] },
      'wait',
      '2 moves are not over, and c does not serve',
    ],
    [
      'stops when it stays dead',
      { cellsGone: ['c'], waitedMs: 300_000 },
      'stop',
      'c does not serve, for 300 s',
    ],
    ['waits while a cell lags', { lagMs: 5_100 }, 'wait', '5.1 s behind'],
    ['stops when it lags for long', { lagMs: 9_000, waitedMs: 300_000 }, 'stop', 'for 300 s'],
    ['goes on after a long wait', { waitedMs: 1e9 }, 'go-on', ''],
  ])('%s', (_, change, kind, why) => {
    const verdict = gate({ ...WELL, ...change })
    expect(verdict.kind).toBe(kind)
    expect('why' in verdict ? verdict.why : '').toContain(why)
  })

  test('never goes on where something is over its limit', () => {
    const figures = fc.record({
      movesLeft: fc.nat(1),
      movesTakenBack: fc.nat(1),
      movesDiffering: fc.nat(1),
      calls: fc.nat(10_000),
      callsFailed: fc.nat(20),
      p99Ms: fc.double({ min: 0, max: 50, noNaN: true }),
      p99BeforeMs: fc.double({ min: 0, max: 50, noNaN: true }),
      lagMs: fc.nat(10_000),
      cellsGone: fc.subarray(['a', 'b']),
      waitedMs: fc.nat(600_000),
    })
    fc.assert(
      fc.property(figures, (drawn) => {
        const isWell =
          drawn.movesLeft + drawn.movesTakenBack + drawn.movesDiffering === 0 &&
          drawn.callsFailed * 1_000 <= drawn.calls &&
          (drawn.calls < GATE_LIMITS.p99CallsMin ||
            drawn.p99Ms <= 10 ||
            drawn.p99Ms <= drawn.p99BeforeMs * 1.5) &&
          drawn.cellsGone.length === 0 &&
          drawn.lagMs <= GATE_LIMITS.lagMsMax
        expect(gate(drawn).kind === 'go-on').toBe(isWell)
      }),
    )
  })
})
