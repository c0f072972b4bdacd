// What is delivered and what is pulled, by cost: the rule of Feeding Frenzy (Silberstein, Terrace, Cooper and Ramakrishnan, SIGMOD
// 2010). An author's posts are put into a reader's inbox while that costs less than reading them when the reader looks:
//
//     posts/s x cost of an entry     against     pages below the window/s that read the author x cost of a pull
//
// A reader of whom anything is delivered costs a chunk in each generation besides, in which all are asked for posts, and each page below
// the window the reading of chunks.
// Above the window's end nobody pays either: there all posts are merged from memory. What is decided for each pair of reader and
// author stands in the reader's row (edge-classes.ts). Where nearly all of an author's readers are better served by pulling, the author
// has a class for all of them, which is one row. A class changes only when the other one costs less by a factor, and not again for a
// while; what it is changes no dashboard.

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
  /** Who has neither read nor changed anything for so long gets nothing into the inbox, and leaves memory. */
  readonly dormantMs: number
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
  dormantMs: 30 * 86_400_000,
  pulledMax: 100_000,
}

/** What is known of an author: per second. */
export type Demand = {
  readonly postsPerS: number
  /** Readers of this cell who follow. */
  readonly followers: number
  /** How often pages of those followers read the author's own posts, all together, when no inbox has them. */
  readonly pullsPerS: number
}

/** Microseconds a second. */
export type DemandCost = {
  readonly deliveredUs: number
  readonly pulledUs: number
  /** When each follower is served the cheaper way. */
  readonly leastUs: number
}

/** What an author's class rests on, as of the last decision. */
export type ClassFigures = Demand & DemandCost

/** What is decided of one reader and one author rests on; `readsPerS`: the reader's reads below the window. */
export type PairFigures = Omit<ClassFigures, 'followers' | 'leastUs'> & {
  readonly readsPerS: number
}

/** `leastUs`: where followers are known one by one; else they are taken as alike. */
export function costOf(
  demand: Demand,
  costs: Costs,
  policy: DeliveryPolicy,
  leastUs?: number,
): DemandCost {
  const { postsPerS, followers, pullsPerS } = demand
  const deliveredUs = postsPerS * followers * entryCostUs(costs, policy)
  const pulledUs = pullsPerS * costs.pullUs * policy.latencyWeight
  return { deliveredUs, pulledUs, leastUs: leastUs ?? Math.min(deliveredUs, pulledUs) }
}

export function entryCostUs(costs: Costs, policy: DeliveryPolicy): number {
  return costs.entryUs + costs.entryBytes * policy.byteUs
}

/** Whether one reader's inbox goes without an author's posts, when it `wasLeftOut` before. Microseconds a second. */
export function isLeftOut(
  wasLeftOut: boolean,
  deliveredUs: number,
  pulledUs: number,
  { mode, hysteresis }: DeliveryPolicy,
): boolean {
  if (mode !== 'by-cost') return mode === 'pulled'
  return wasLeftOut ? pulledUs <= deliveredUs * hysteresis : pulledUs * hysteresis < deliveredUs
}

/** Whether changes that save so many microseconds a second are worth a reader's row of so many edges, as long as rates hold. */
export function paysOff(
  savedUs: number,
  edges: number,
  { chunkUs }: Costs,
  { byteUs, rateMs }: DeliveryPolicy,
): boolean {
  return savedUs * (rateMs / 1_000) > chunkUs + edges * EDGE_BYTES * byteUs
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
  const { deliveredUs, pulledUs, leastUs } = cost
  const isWorthDelivering = leastUs * policy.hysteresis < pulledUs
  if (now === 'pulled') return isWorthDelivering ? 'delivered' : 'pulled'
  return pulledUs * policy.hysteresis < deliveredUs && !isWorthDelivering ? 'pulled' : 'delivered'
}

/** No rate is taken from less. */
const SPAN_MIN_S = 60
/** So much of an event is taken as seen of everyone, at the rate of all. */
const PRIOR_COUNT = 0.2
const EDGE_BYTES = 8

/** What is expected of anyone, by what all of them did: of nobody known, once in `priorS`. */
export function rateOfAll(count: number, readers: number, spanS: number, priorS: number): number {
  return (count + 1) / (readers * spanS + priorS)
}

/** What to expect of one after `count` in `spanS` seconds. Who was seldom seen to read is taken to be like all, the less the longer. */
export function expectedRate(count: number, spanS: number, ofAllPerS: number): number {
  return (count + PRIOR_COUNT) / (Math.max(SPAN_MIN_S, spanS) + PRIOR_COUNT / ofAllPerS)
}
