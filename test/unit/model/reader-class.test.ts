// How a reader is served, by what is known of them.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { CostMeter } from '../../../cells/model/costs.ts'
import { mayWalk } from '../../../cells/model/merge-way.ts'
import { readerClassOf } from '../../../cells/model/reader-class.ts'

const facts = fc.record({
  isWatching: fc.boolean(),
  unseenMs: fc.nat(1_000),
  mayWalk: fc.boolean(),
})
const policies = fc.record({ dormantMs: fc.nat(1_000) })

test('who is watched is never dormant, and nobody is before the time', () => {
  fc.assert(
    fc.property(facts, policies, (of, policy) => {
      const is = readerClassOf(of, policy)
      expect(is === 'watcher').toBe(of.isWatching)
      expect(is === 'dormant').toBe(!of.isWatching && of.unseenMs >= policy.dormantMs)
      expect(is === 'heavy' && !of.mayWalk).toBe(false)
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
