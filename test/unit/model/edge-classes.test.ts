// Which followed authors are left out of one reader's inbox.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { COSTS_EXPECTED } from '../../../cells/model/costs.ts'
import {
  DELIVERY_POLICY,
  type DeliveryPolicy,
  entryCostUs,
} from '../../../cells/model/delivery-policy.ts'
import {
  EdgeClasses,
  LEFT_OUT,
  ratePulled,
  STAYS,
  TAKEN_IN,
} from '../../../cells/model/edge-classes.ts'
import { NumberMap } from '../../../cells/model/number-map.ts'
import { COVERED_FROM, HIDE_REBLOGS, NOT_COVERED } from '../../../cells/model/reader.ts'

const costs = { ...COSTS_EXPECTED, edgeUs: 0, chunkUs: 0, inboxUs: 0 }
const rateOf = fc.float({ min: Math.fround(1e-6), max: 1_000, noNaN: true })
const GENERATION_S = 60
/** All have posted since: each page reads all. */
const WINDOW_S = 1e18
const inboxCosts = fc.record({
  chunkUs: fc.constantFrom(0, 1, 20, 1_000),
  inboxUs: fc.constantFrom(0, 5, 100),
  edgeUs: fc.constantFrom(0, 0.1, 50),
})
const edgesOf = fc.array(
  fc.record({ postsPerS: rateOf, isOut: fc.boolean(), hides: fc.boolean() }),
  {
    minLength: 1,
    maxLength: 40,
  },
)
type Edge = { readonly postsPerS: number; readonly isOut: boolean; readonly hides?: boolean }

function decide(
  all: readonly Edge[],
  readsPerS: number,
  policy: Partial<DeliveryPolicy> = {},
  {
    isPulled = () => false,
    chunkUs = 0,
    inboxUs = 0,
    edgeUs = 0,
    windowS = WINDOW_S,
  }: {
    isPulled?: (author: number) => boolean
    chunkUs?: number
    inboxUs?: number
    edgeUs?: number
    windowS?: number
  } = {},
) {
  const keys = Uint32Array.from(all, (_, i) => i + 1)
  const words = Uint32Array.from(
    all,
    ({ isOut, hides }) => ((isOut ? NOT_COVERED : 7) | (hides === true ? HIDE_REBLOGS : 0)) >>> 0,
  )
  const classes = new EdgeClasses(
    { ...DELIVERY_POLICY, ...policy },
    { ...costs, edgeUs, chunkUs, inboxUs },
  )
  const edges = new NumberMap(keys, words)
  const known = all.map(({ postsPerS }, i) => (isPulled(i + 1) ? ratePulled(postsPerS) : postsPerS))
  const rates = Float32Array.from([0, ...known])
  const changes = classes.decide(edges, { rates, readsPerS, generationS: GENERATION_S, windowS })
  const isOut = all.map((edge, i) =>
    changes?.[i] === LEFT_OUT ? true : changes?.[i] === TAKEN_IN ? false : edge.isOut,
  )
  return { classes, changes: changes === undefined ? undefined : [...changes], isOut }
}

test('without hysteresis each pair has what is cheaper', () => {
  fc.assert(
    fc.property(edgesOf, rateOf, (all, readsPerS) => {
      const { isOut } = decide(all, readsPerS, { hysteresis: 1, rateMs: 1e15 })
      const entryUs = entryCostUs(costs, DELIVERY_POLICY)
      for (const [i, { postsPerS }] of all.entries()) {
        const pulledUs = readsPerS * costs.pullUs
        fc.pre(Math.abs(pulledUs / (postsPerS * entryUs) - 1) > 1e-6)
        expect(isOut[i]).toBe(pulledUs < postsPerS * entryUs)
      }
    }),
  )
})

test('what was decided stays decided as long as nothing changes', () => {
  fc.assert(
    fc.property(edgesOf, rateOf, inboxCosts, (all, readsPerS, inbox) => {
      const { isOut } = decide(all, readsPerS, {}, inbox)
      const decided = all.map((edge, i) => ({ ...edge, isOut: isOut[i] === true }))
      expect(decide(decided, readsPerS, {}, inbox).changes).toBeUndefined()
    }),
  )
})

test('no decision makes a reader dearer, the inbox included', () => {
  fc.assert(
    fc.property(edgesOf, rateOf, inboxCosts, (all, readsPerS, inbox) => {
      const { isOut } = decide(all, readsPerS, {}, inbox)
      const costOf = (isLeftOut: (i: number) => boolean): number => {
        const delivered = all.filter((_, i) => !isLeftOut(i))
        const entriesPerS = delivered.reduce((sum, { postsPerS }) => sum + postsPerS, 0)
        const entriesUs = entriesPerS * entryCostUs(costs, DELIVERY_POLICY)
        const askedUs = (delivered.length * inbox.edgeUs) / GENERATION_S
        const pulledUs = (all.length - delivered.length) * readsPerS * costs.pullUs
        const inboxUs = inbox.chunkUs / GENERATION_S + readsPerS * inbox.inboxUs
        const chunksUs = delivered.length === 0 ? 0 : inboxUs
        return entriesUs + askedUs + chunksUs + pulledUs
      }
      const before = costOf((i) => all[i]?.isOut === true)
      expect(costOf((i) => isOut[i] === true)).toBeLessThanOrEqual(before * (1 + 1e-6))
    }),
  )
})

test('a reader who is out whole stays so when entries would be cheaper and their chunk dearer', () => {
  const all = [
    { postsPerS: 1e-6, isOut: true },
    { postsPerS: 1e-6, isOut: true },
  ]
  const pulledUs = 2 * 1e-3 * costs.pullUs
  const taken = { chunkUs: 0.4 * pulledUs * GENERATION_S }
  expect(decide(all, 1e-3, {}, taken).changes).toEqual([TAKEN_IN, TAKEN_IN])
  const dear = { chunkUs: 0.6 * pulledUs * GENERATION_S }
  expect(decide(all, 1e-3, {}, dear).changes).toBeUndefined()
})

test('a reader of few is left out whole when reading the inbox costs as much as pulling them', () => {
  const of = (isOut: boolean) => [1, 2, 3].map(() => ({ postsPerS: 1e-6, isOut }))
  const inboxUs = 3 * costs.pullUs
  expect(decide(of(false), 1e-3, {}, { inboxUs: 2.1 * inboxUs }).isOut).toEqual([true, true, true])
  expect(decide(of(false), 1e-3, {}, { inboxUs: 0.9 * inboxUs }).changes).toBeUndefined()
  expect(decide(of(true), 1e-3, {}, { inboxUs: 0.9 * inboxUs }).changes).toBeUndefined()
  expect(decide(of(true), 1e-3, {}, { inboxUs: 0.4 * inboxUs }).isOut).toEqual([
    false,
    false,
    false,
  ])
})

test('who hardly posts is left out where asking them costs more than reading them now and then', () => {
  const all = [{ postsPerS: 1e-6, isOut: false }]
  const pulledUs = 1e-3 * costs.pullUs
  expect(decide(all, 1e-3, {}, { edgeUs: 2.1 * pulledUs * GENERATION_S }).isOut).toEqual([true])
  expect(decide(all, 1e-3, {}, { edgeUs: 0.9 * pulledUs * GENERATION_S }).isOut).toEqual([false])
})

test('who posts often is read by each page below the window, who does not by hardly any', () => {
  const often = { postsPerS: 0.01, isOut: false }
  const seldom = { postsPerS: 1e-6, isOut: false }
  // The page of 20 ends after some 2,000 s, in which one of 500 such has posted.
  const readUs = 1e-3 * costs.pullUs
  const askedAs = (share: number) => ({ edgeUs: share * readUs * GENERATION_S, windowS: 0 })
  expect(decide([often, seldom], 1e-3, {}, askedAs(0.01)).isOut).toEqual([false, true])
  expect(decide([often, seldom], 1e-3, {}, askedAs(0.0001)).isOut).toEqual([false, false])
  // A window of a day: all have posted since.
  const day = { ...askedAs(0.01), windowS: 86_400 }
  expect(decide([often, seldom], 1e-3, {}, day).isOut).toEqual([false, false])
})

test('authors who are pulled for everyone fill pages like others', () => {
  const all = [
    { postsPerS: 0.01, isOut: true },
    { postsPerS: 1e-6, isOut: false },
  ]
  const of = { edgeUs: 0.01 * 1e-3 * costs.pullUs * GENERATION_S, windowS: 0 }
  const isPulled = (author: number) => author === 1
  expect(decide(all, 1e-3, {}, { ...of, isPulled }).isOut).toEqual([true, true])
  expect(decide(all.slice(1), 1e-3, {}, of).isOut).toEqual([false])
})

test('of a reader who gets nothing nobody is asked, nor those who are pulled for everyone', () => {
  const all = [
    { postsPerS: 1, isOut: false },
    { postsPerS: 1e-3, isOut: true },
  ]
  const isPulled = (author: number) => author === 1
  expect(decide(all, 1e-9, {}, { isPulled, edgeUs: 1 }).changes).toEqual([LEFT_OUT, STAYS])
  const kept = all.map((edge) => ({ ...edge, isOut: false }))
  expect(decide(kept, 1e-1, {}, { isPulled, edgeUs: 1 }).changes).toBeUndefined()
})

test('what it tells is the sum of what it decided', () => {
  fc.assert(
    fc.property(edgesOf, rateOf, (all, readsPerS) => {
      const { classes, isOut } = decide(all, readsPerS)
      const kept = all.filter((_, i) => isOut[i] !== true)
      const entriesPerS = kept.reduce((sum, { postsPerS }) => sum + postsPerS, 0)
      expect(classes.entriesPerS).toBeCloseTo(entriesPerS, 6)
      expect(classes.leftOut).toBe(all.length - kept.length)
    }),
  )
})

test('authors who are pulled for everyone stay as they are', () => {
  const all = [
    { postsPerS: 100, isOut: false },
    { postsPerS: 1e-9, isOut: true },
  ]
  expect(decide(all, 1e-3, {}, { isPulled: () => true }).changes).toBeUndefined()
  expect(decide(all, 1e-3).changes).toEqual([LEFT_OUT, TAKEN_IN])
})

test('a chunk of hardly anything is not written', () => {
  const all = [{ postsPerS: 1e-6, isOut: false }]
  expect(decide(all, 1e-6).changes).toBeUndefined()
  expect(decide(all, 1e-6, {}, { chunkUs: 20 }).changes).toEqual([LEFT_OUT])
})

test('a row is not written for next to nothing', () => {
  const all = Array.from({ length: 1_000 }, (_, i) => ({
    postsPerS: i === 0 ? 1e-5 : 0,
    isOut: false,
  }))
  expect(decide(all, 1e-12).changes).toBeUndefined()
  const more = all.map((edge) => ({ ...edge, postsPerS: 1e-2 }))
  expect(decide(more, 1e-12).changes).toEqual(all.map(() => LEFT_OUT))
})

test('an operator who delivers everyone has every pair taken in, and who pulls everyone left out, at once', () => {
  const all = [
    { postsPerS: 1e-9, isOut: true },
    { postsPerS: 100, isOut: false },
  ]
  expect(decide(all, 0, { mode: 'delivered' }).changes).toEqual([TAKEN_IN, STAYS])
  expect(decide(all, 0, { mode: 'pulled' }).changes).toEqual([STAYS, LEFT_OUT])
})

test('coverage and hidden reblogs of an edge are apart', () => {
  expect(NOT_COVERED & HIDE_REBLOGS).toBe(0)
  expect(NOT_COVERED & COVERED_FROM).toBe(NOT_COVERED)
})
