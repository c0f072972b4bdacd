// How a reader is served, by what is known of them.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { CostMeter } from '../../../cells/model/costs.ts'
import { mayWalk } from '../../../cells/model/merge-way.ts'
import { heavyBound, readerClassOf } from '../../../cells/model/reader-class.ts'

const facts = fc.record({
  isWatching: fc.boolean(),
  unseenMs: fc.nat(1_000),
  follows: fc.nat(1_000),
})
const policies = fc.record({
  dormantMs: fc.nat(1_000),
  heavy: fc.record({ follows: fc.nat(1_000), sinceMs: fc.constant(0) }),
})
const anyCosts = fc
  .record({
    chainUs: fc.double({ min: 0.01, max: 10 }),
    walkedUs: fc.double({ min: 0.01, max: 10 }),
  })
  .map((set) => new CostMeter(set))

test('who is watched is never dormant, and nobody is before the time', () => {
  fc.assert(
    fc.property(facts, policies, (of, policy) => {
      const is = readerClassOf(of, policy)
      expect(is === 'watcher').toBe(of.isWatching)
      expect(is === 'dormant').toBe(!of.isWatching && of.unseenMs >= policy.dormantMs)
      expect(is === 'heavy' && of.follows <= policy.heavy.follows).toBe(false)
    }),
  )
})

test('who is dormant stays so until seen or watched', () => {
  fc.assert(
    fc.property(facts, policies, fc.nat(1_000), (of, policy, laterMs) => {
      fc.pre(readerClassOf(of, policy) === 'dormant')
      const later = { ...of, unseenMs: of.unseenMs + laterMs }
      expect(readerClassOf(later, policy)).toBe('dormant')
    }),
  )
})

test('whoever follows more is as heavy, and nobody in an empty window is light', () => {
  const costs = new CostMeter({ chainUs: 0.1, walkedUs: 0.04 })
  expect([100, 400, 420, 100_000].map((follows) => mayWalk(1e6, follows, costs))).toEqual([
    false,
    false,
    true,
    true,
  ])
  expect(mayWalk(0, 1, costs)).toBe(true)
})

test('who is heavy is somebody whose pages may walk a full window', () => {
  fc.assert(
    fc.property(anyCosts, fc.nat(2_000), (now, follows) => {
      const heavy = heavyBound(undefined, now, { hysteresis: 2, dwellMs: 0 }, 0)
      const of = { isWatching: false, unseenMs: 0, follows }
      const isHeavy = readerClassOf(of, { dormantMs: 1, heavy }) === 'heavy'
      expect(isHeavy).toBe(mayWalk(Number.POSITIVE_INFINITY, follows, now))
    }),
  )
})

test('from when on a reader is heavy changes when costs did by a factor, and not before its time', () => {
  const policy = { hysteresis: 2, dwellMs: 100 }
  const costing = (walkedUs: number) => new CostMeter({ chainUs: 1, walkedUs })
  const first = heavyBound(undefined, costing(1), policy, 0)
  expect(first.follows).toBe(1_024)
  for (const walkedUs of [0.5, 1.9, 2]) {
    expect(heavyBound(first, costing(walkedUs), policy, 1_000)).toBe(first)
  }
  expect(heavyBound(first, costing(2.1), policy, 99)).toBe(first)
  const second = heavyBound(first, costing(2.1), policy, 100)
  expect(second.follows).toBeCloseTo(2_150.4)
  expect(heavyBound(second, costing(0.4), policy, 199)).toBe(second)
  expect(heavyBound(second, costing(0.4), policy, 200).follows).toBeCloseTo(409.6)
})

test('the bound does not go to and fro within the factor, however costs sway', () => {
  const policy = { hysteresis: 2, dwellMs: 0 }
  const ways = fc.array(fc.double({ min: 1, max: 1.99, noNaN: true }), {
    minLength: 1,
    maxLength: 20,
  })
  fc.assert(
    fc.property(ways, (swayed) => {
      let bound = heavyBound(undefined, new CostMeter({ chainUs: 1, walkedUs: 1.4 }), policy, 0)
      const first = bound
      for (const [i, walkedUs] of swayed.entries()) {
        bound = heavyBound(bound, new CostMeter({ chainUs: 1, walkedUs }), policy, i)
      }
      expect(bound).toBe(first)
    }),
  )
})
