// Plans for an even load: what they keep, what they reach, and how few slots they move.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  BALANCE_GOAL,
  type BalancePlan,
  planBalance,
  planDrain,
} from '../../../cells/model/balance.ts'
import { type SlotLoad, weightsOf } from '../../../cells/model/slot-load.ts'

const CELLS = ['a', 'b', 'c', 'd', 'e', 'f']
const EVEN = { heaviest: BALANCE_GOAL.heaviest, lightest: 0 }

/** Of slots 0, 1, .. what each weighs, and where it is. */
function slots(readers: readonly number[], cellOf: (slot: number) => string): SlotLoad[] {
  return readers.map((count, slot) => ({
    slot,
    cell: cellOf(slot),
    readers: count,
    reads: 0,
    bytes: 0,
    isUnderWay: false,
    isPinned: false,
  }))
}

const skewed = fc
  .record({
    cells: fc.integer({ min: 2, max: CELLS.length }),
    slots: fc.array(
      fc.record({
        readers: fc.oneof(
          { weight: 8, arbitrary: fc.nat(100) },
          { weight: 1, arbitrary: fc.nat(5_000) },
        ),
        cell: fc.nat(CELLS.length - 1),
        isUnderWay: fc.integer({ min: 0, max: 30 }).map((n) => n === 0),
      }),
      { minLength: 1, maxLength: 120 },
    ),
    lightest: fc.constantFrom(0, 0.5, 0.9),
  })
  .map((drawn) => ({
    takers: CELLS.slice(0, drawn.cells),
    loads: drawn.slots.map(
      ({ readers, cell, isUnderWay }, slot): SlotLoad => ({
        slot,
        cell: CELLS[cell % drawn.cells] ?? 'a',
        readers,
        reads: readers / 7,
        bytes: 50 * (slot % 10),
        isUnderWay,
        isPinned: false,
      }),
    ),
    goal: { heaviest: 1.1, lightest: drawn.lightest },
  }))

/** What each cell weighs after the plan, added up anew, in times the mean of the takers. */
function timesAfter(
  loads: readonly SlotLoad[],
  plan: BalancePlan,
  takers: readonly string[],
): number[] {
  const weights = weightsOf(loads)
  const now = new Map(loads.map(({ slot, cell }) => [slot, cell]))
  for (const { slot, to } of plan.moves) now.set(slot, to)
  const all = weights.reduce((sum, weight) => sum + weight, 0)
  return plan.cells.map(({ cell }) => {
    const held = loads.reduce(
      (sum, { slot }, i) => sum + (now.get(slot) === cell ? (weights[i] ?? 0) : 0),
      0,
    )
    return (held * takers.length) / all
  })
}

/** From the heaviest to the lightest cell the heaviest slot that leaves the lightest within the goal, until all are. */
function greedy(loads: readonly SlotLoad[], takers: readonly string[]): number | undefined {
  const weights = weightsOf(loads)
  const items = loads.map(({ cell }, i) => ({ home: cell, cell, weight: weights[i] ?? 0 }))
  const most = (1.1 / takers.length) * weights.reduce((sum, weight) => sum + weight, 0)
  const held = (cell: string) =>
    items.reduce((sum, item) => sum + (item.cell === cell ? item.weight : 0), 0)
  for (let step = 0; step < 1_000; step++) {
    const order = takers.toSorted((a, b) => held(a) - held(b))
    const [from = '', to = ''] = [order.at(-1), order[0]]
    if (held(from) <= most) return items.filter(({ cell, home }) => cell !== home).length
    const fits = items.filter(
      ({ cell, weight }) => cell === from && weight > 0 && held(to) + weight <= most,
    )
    const [item] = fits.toSorted((a, b) => b.weight - a.weight)
    if (item === undefined) return undefined
    item.cell = to
  }
  return undefined
}

describe('any plan', () => {
  test('moves slots once, from where they are, and says what comes of it', () => {
    fc.assert(
      fc.property(skewed, ({ takers, loads, goal }) => {
        const plan = planBalance(loads, { takers, drained: [] }, goal)
        const moved = plan.moves.map(({ slot }) => slot)
        expect(new Set(moved).size).toBe(moved.length)
        for (const { slot, from, to } of plan.moves) {
          expect(loads[slot]).toMatchObject({ cell: from, isUnderWay: false })
          expect(takers).toContain(to)
          expect(to).not.toBe(from)
        }
        const told = plan.cells.map(({ after }) => after)
        for (const [at, times] of timesAfter(loads, plan, takers).entries()) {
          expect(told[at]).toBeCloseTo(times, 9)
        }
        const sum = (of: 'before' | 'after') => plan.cells.reduce((all, cell) => all + cell[of], 0)
        expect(sum('after')).toBeCloseTo(sum('before'), 9)
      }),
    )
  })

  test('reaches the goal with no fewer slots than the bound, or says why not', () => {
    let reached = 0
    fc.assert(
      fc.property(skewed, ({ takers, loads, goal }) => {
        const plan = planBalance(loads, { takers, drained: [] }, goal)
        if (plan.shortfalls.length > 0) return
        reached++
        expect(Math.max(...plan.cells.map(({ after }) => after))).toBeLessThanOrEqual(1.1 + 1e-6)
        expect(plan.moves.length).toBeGreaterThanOrEqual(plan.slotsMovedMin)
      }),
      { numRuns: 400 },
    )
    expect(reached).toBeGreaterThan(10)
  })

  test('never makes the heaviest cell heavier', () => {
    fc.assert(
      fc.property(skewed, ({ takers, loads, goal }) => {
        const { cells } = planBalance(loads, { takers, drained: [] }, goal)
        const most = (of: 'before' | 'after') => Math.max(...cells.map((cell) => cell[of]))
        expect(most('after')).toBeLessThanOrEqual(Math.max(most('before'), 1.1) + 1e-6)
      }),
    )
  })

  test('moves no more slots than moving the largest that fits from heaviest to lightest', () => {
    let compared = 0
    fc.assert(
      fc.property(skewed, ({ takers, loads: drawn }) => {
        const loads = drawn.map((load) => ({ ...load, isUnderWay: false }))
        const plain = greedy(loads, takers)
        if (plain === undefined) return
        compared++
        const plan = planBalance(loads, { takers, drained: [] }, EVEN)
        expect(plan.shortfalls).toEqual([])
        expect(plan.moves.length).toBeLessThanOrEqual(plain)
      }),
      { seed: 7, numRuns: 200 },
    )
    expect(compared).toBeGreaterThan(10)
  })

  test('is the same for the same loads, in whatever order they come', () => {
    fc.assert(
      fc.property(skewed, ({ takers, loads, goal }) => {
        const plan = planBalance(loads, { takers, drained: [] }, goal)
        const again = planBalance(loads.toReversed(), { takers, drained: [] }, goal)
        expect(again.moves.map(({ slot, to }) => [slot, to])).toEqual(
          plan.moves.map(({ slot, to }) => [slot, to]),
        )
      }),
    )
  })

  test('empties what is drained, and gives nothing to it', () => {
    fc.assert(
      fc.property(skewed, ({ takers, loads, goal }) => {
        const [drained = 'a', ...rest] = takers
        const free = loads.filter(({ cell }) => cell === drained).map(({ slot }) => slot)
        const mayLeave = free.filter((slot) => loads[slot]?.isUnderWay === false)
        const alone = planDrain(loads, { takers: rest, drained: [drained] })
        expect(alone.moves.length).toBe(mayLeave.length)
        expect(alone.slotsMovedMin).toBe(mayLeave.length)
        for (const plan of [
          planBalance(loads, { takers: rest, drained: [drained] }, goal),
          alone,
        ]) {
          const left = plan.moves.filter(({ from }) => from === drained).map(({ slot }) => slot)
          expect(left.toSorted((a, b) => a - b)).toEqual(mayLeave)
          expect(plan.moves.filter(({ to }) => to === drained)).toEqual([])
          const stays = mayLeave.length < free.length
          expect(plan.shortfalls.some((why) => why.includes(`on their way to ${drained}`))).toBe(
            stays && free.some((slot) => loads[slot]?.isUnderWay && weightsOf(loads)[slot] !== 0),
          )
        }
      }),
    )
  })
})

test('of optimum size where the optimum can be found by trying all', () => {
  const small = fc.record({
    readers: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 3, maxLength: 7 }),
    homes: fc.array(fc.nat(2), { minLength: 7, maxLength: 7 }),
  })
  let [plans, optimal] = [0, 0]
  fc.assert(
    fc.property(small, ({ readers, homes }) => {
      const all = readers.reduce((sum, count) => sum + count, 0)
      let fewest = Number.POSITIVE_INFINITY
      for (let deal = 0; deal < 3 ** readers.length; deal++) {
        const held = [0, 0, 0]
        let moved = 0
        for (const [slot, count] of readers.entries()) {
          const cell = Math.floor(deal / 3 ** slot) % 3
          held[cell] = (held[cell] ?? 0) + count
          if (cell !== homes[slot]) moved++
        }
        if (Math.max(...held) <= (1.1 * all) / 3) fewest = Math.min(fewest, moved)
      }
      const plan = planBalance(
        slots(readers, (slot) => CELLS[homes[slot] ?? 0] ?? 'a'),
        { takers: CELLS.slice(0, 3), drained: [] },
        EVEN,
      )
      const isPossible = fewest < Number.POSITIVE_INFINITY
      const isReached = plan.shortfalls.length === 0
      expect(isPossible || !isReached).toBe(true)
      expect(!isPossible || plan.slotsMovedMin <= fewest).toBe(true)
      if (isPossible) plans++
      if (isReached && plan.moves.length === fewest) optimal++
    }),
    { seed: 7, numRuns: 300 },
  )
  expect(optimal).toBeGreaterThan(0.8 * plans)
})

test('a new cell gets half a share even when no cell is too heavy', () => {
  const loads = slots(new Array<number>(1_000).fill(1), (slot) => `c${slot % 20}`)
  const takers = Array.from({ length: 21 }, (_, i) => `c${i}`)
  const plan = planBalance(loads, { takers, drained: [] })
  expect(plan.cells.at(-1)).toMatchObject({ cell: 'c20', before: 0 })
  expect(plan.cells.at(-1)?.after).toBeGreaterThanOrEqual(0.5)
  expect(plan.moves.length).toBe(plan.slotsMovedMin)
  expect(planBalance(loads, { takers, drained: [] }, EVEN).moves).toEqual([])
})

test('a slot that alone is too heavy is named, and its cell gives the rest', () => {
  const loads = slots([60, 5, 5, 10, 10, 10], (slot) => (slot < 3 ? 'a' : 'b'))
  const plan = planBalance(loads, { takers: ['a', 'b', 'c', 'd'], drained: [] }, EVEN)
  expect(plan.shortfalls).toEqual(['slot 0 in a alone is 2.40 times the mean: nothing splits it'])
  expect(plan.slotsMovedMin).toBe(plan.moves.length)
})

test('an empty cluster is drained by the number of slots', () => {
  const loads = slots(new Array<number>(90).fill(0), (slot) => CELLS[slot % 3] ?? 'a')
  const plan = planDrain(loads, { takers: ['a', 'b'], drained: ['c'] })
  expect(plan.moves.filter(({ to }) => to === 'a')).toHaveLength(15)
  expect(plan.moves.filter(({ to }) => to === 'b')).toHaveLength(15)
})

test('nothing is planned when no cell may take slots', () => {
  const plan = planDrain(
    slots([1], () => 'a'),
    { takers: [], drained: ['a'] },
  )
  expect(plan).toMatchObject({ moves: [], shortfalls: ['no cell may take slots'] })
})
