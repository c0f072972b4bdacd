// What is delivered and what is pulled, by cost: the rule of Feeding Frenzy (Silberstein, Terrace, Cooper and Ramakrishnan, SIGMOD
// 2010). An author's posts are put into inboxes while that costs less than reading them when somebody looks:
//
//     posts/s x followers x cost of an entry     against     their reads below the window/s x cost of a pull
//
// Above the window's end nobody pays either: there all posts are merged from memory. A class changes only when the other one costs
// less by a factor, and not again for a while; what it is changes no dashboard.

import type { Costs } from './costs.ts'

export type AuthorClass = 'delivered' | 'pulled'

export type DeliveryPolicy = {
  /** By cost, or one class for everyone. */
  readonly mode: 'by-cost' | AuthorClass
  /** How much dearer a pull counts than it is: above 1 latency is bought with deliveries, below 1 the other way round. */
  readonly latencyWeight: number
  /** What a byte kept counts for, beside the CPU that made it. */
  readonly byteUs: number
  /** The other class must cost so many times less. */
  readonly hysteresis: number
  /** A class stays at least so long. */
  readonly dwellMs: number
  /** Rates are those of so long, the latest counting most. */
  readonly rateMs: number
  /** Of readers of whom nothing is known: they may read below the window once in so long. */
  readonly priorReadMs: number
  /** Pulled authors at a time: those for whom it saves most. */
  readonly pulledMax: number
}

export const DELIVERY_POLICY: DeliveryPolicy = {
  mode: 'by-cost',
  latencyWeight: 1,
  byteUs: 0.01,
  hysteresis: 2,
  dwellMs: 3_600_000,
  rateMs: 7 * 86_400_000,
  priorReadMs: 86_400_000,
  pulledMax: 100_000,
}

/** What is known of an author: per second. */
export type Demand = {
  readonly postsPerS: number
  /** Readers of this cell who follow. */
  readonly followers: number
  /** How often those followers read below the window, all together. */
  readonly readsPerS: number
}

/** Microseconds a second. */
export type DemandCost = { readonly deliveredUs: number; readonly pulledUs: number }

/** What an author's class rests on, as of the last decision. */
export type ClassFigures = Demand & DemandCost

export function costOf(demand: Demand, costs: Costs, policy: DeliveryPolicy): DemandCost {
  const { postsPerS, followers, readsPerS } = demand
  const entryUs = costs.entryUs + costs.entryBytes * policy.byteUs
  return {
    deliveredUs: postsPerS * followers * entryUs,
    pulledUs: readsPerS * costs.pullUs * policy.latencyWeight,
  }
}

/** The class from now on of an author who has been in this one for `stayedMs`. */
export function classOf(
  now: AuthorClass,
  stayedMs: number,
  cost: DemandCost,
  policy: DeliveryPolicy,
): AuthorClass {
  if (policy.mode !== 'by-cost') return policy.mode
  if (stayedMs < policy.dwellMs) return now
  const { deliveredUs, pulledUs } = cost
  if (now === 'delivered') {
    return pulledUs * policy.hysteresis < deliveredUs ? 'pulled' : 'delivered'
  }
  return deliveredUs * policy.hysteresis < pulledUs ? 'delivered' : 'pulled'
}

/** No rate is taken from less. */
const SPAN_MIN_S = 60

/**
 * What to expect after `count` in `spanS` seconds: as often as that, and once more in the time that was watched and the `priorS`
 * before it. Of those who were never seen to read that alone is known.
 */
export function expectedRate(count: number, spanS: number, priorS: number): number {
  return count / Math.max(SPAN_MIN_S, spanS) + 1 / (spanS + priorS)
}
