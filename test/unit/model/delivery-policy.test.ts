// The rule by which authors are delivered or pulled.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { COSTS_EXPECTED } from '../../../cells/model/costs.ts'
import {
  type AuthorClass,
  classOf,
  costOf,
  DELIVERY_POLICY,
  type DeliveryPolicy,
  expectedRate,
  rateOfAll,
} from '../../../cells/model/delivery-policy.ts'

const costs = COSTS_EXPECTED
const LONG = 1e12
const positive = fc.double({ min: 1e-6, max: 1e6, noNaN: true })
const demands = fc.record({ postsPerS: positive, followers: positive, pullsPerS: positive })
const classes = fc.constantFrom<AuthorClass>('delivered', 'pulled')

function decide(
  now: AuthorClass,
  demand: { postsPerS: number; followers: number; pullsPerS: number },
  policy: Partial<DeliveryPolicy> = {},
  stayedMs = LONG,
): AuthorClass {
  const all = { ...DELIVERY_POLICY, ...policy }
  return classOf(now, stayedMs, costOf(demand, costs, all), all)
}

test('without hysteresis it is the rule of Feeding Frenzy', () => {
  const policy = { hysteresis: 1 }
  fc.assert(
    fc.property(classes, demands, (now, demand) => {
      const entryUs = costs.entryUs + costs.entryBytes * DELIVERY_POLICY.byteUs
      // Of one reader and author: views per post, against deliveries that a pull is worth.
      const viewsPerPost = demand.pullsPerS / demand.followers / demand.postsPerS
      const next = decide(now, demand, policy)
      fc.pre(Math.abs((viewsPerPost * costs.pullUs) / entryUs - 1) > 1e-6)
      expect(next).toBe(viewsPerPost > entryUs / costs.pullUs ? 'delivered' : 'pulled')
    }),
  )
})

test('what was decided stays decided as long as nothing changes', () => {
  fc.assert(
    fc.property(classes, demands, (now, demand) => {
      const next = decide(now, demand)
      expect(decide(next, demand)).toBe(next)
    }),
  )
})

test('a class costs at most as many times the other one as the hysteresis says', () => {
  fc.assert(
    fc.property(classes, demands, (now, demand) => {
      const { deliveredUs, pulledUs } = costOf(demand, costs, DELIVERY_POLICY)
      const chosen = decide(now, demand) === 'delivered' ? deliveredUs : pulledUs
      expect(chosen).toBeLessThanOrEqual(
        DELIVERY_POLICY.hysteresis * Math.min(deliveredUs, pulledUs),
      )
    }),
  )
})

test('a small change of rates changes no class back', () => {
  fc.assert(
    fc.property(
      classes,
      demands,
      fc.double({ min: 0.75, max: 1.3, noNaN: true }),
      (now, demand, by) => {
        const next = decide(now, demand)
        fc.pre(next !== now)
        expect(decide(next, { ...demand, pullsPerS: demand.pullsPerS * by })).toBe(next)
      },
    ),
  )
})

test('more reads never lead to pulling, and more posts never to delivering', () => {
  const times = fc.double({ min: 1, max: 1e3, noNaN: true })
  fc.assert(
    fc.property(classes, demands, times, (now, demand, by) => {
      const next = decide(now, demand)
      const { pullsPerS, postsPerS } = demand
      const more =
        next === 'delivered'
          ? { ...demand, pullsPerS: pullsPerS * by }
          : { ...demand, postsPerS: postsPerS * by }
      expect(decide(now, more)).toBe(next)
    }),
  )
})

test('no class changes before it has been for a while, however much it would save', () => {
  fc.assert(
    fc.property(classes, demands, (now, demand) => {
      expect(decide(now, demand, {}, DELIVERY_POLICY.dwellMs - 1)).toBe(now)
    }),
  )
})

test('a mode of the operator is one class for everyone, at once', () => {
  fc.assert(
    fc.property(classes, classes, demands, (mode, now, demand) => {
      expect(decide(now, demand, { mode }, 0)).toBe(mode)
    }),
  )
})

test('who weighs latency more pulls less', () => {
  const demand = { postsPerS: 0.01, followers: 1_000, pullsPerS: 0.001 }
  expect(decide('delivered', demand)).toBe('pulled')
  expect(decide('delivered', demand, { latencyWeight: 100 })).toBe('delivered')
})

const DAY = 86_400

test('of all something is expected before anything is known, and less the longer nobody is seen to read', () => {
  expect(rateOfAll(0, 1_000, 0, DAY) * DAY).toBeCloseTo(1)
  expect(rateOfAll(0, 1_000, DAY, DAY) * DAY).toBeCloseTo(1 / 1_001)
  expect(rateOfAll(5_000, 1_000, DAY, DAY) * DAY).toBeCloseTo(5, 1)
})

test('one reader is expected to do as all do, until it has been watched for a while', () => {
  expect(expectedRate(0, 0, 3 / DAY) * DAY).toBeCloseTo(3, 1)
  expect(expectedRate(0, 7 * DAY, 1 / DAY) * DAY).toBeCloseTo(0.2 / 7.2)
  expect(expectedRate(70, 7 * DAY, 1 / DAY) * DAY).toBeCloseTo(70.2 / 7.2)
})

test('more is expected of who reads more, and of a reader among those who read more', () => {
  fc.assert(
    fc.property(positive, positive, positive, positive, (count, more, spanS, ofAll) => {
      const rate = expectedRate(count, spanS, ofAll)
      expect(expectedRate(count + more, spanS, ofAll)).toBeGreaterThanOrEqual(rate)
      expect(expectedRate(count, spanS, ofAll + more)).toBeGreaterThanOrEqual(rate)
    }),
  )
})
