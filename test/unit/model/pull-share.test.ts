// How often pages below the window read an author's own posts.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { horizonOf, pullShare } from '../../../cells/model/pull-share.ts'

const rate = fc.double({ min: 0, max: 100, noNaN: true })
const span = fc.double({ min: 0, max: 1e9, noNaN: true })

test('a share is between none and all, and grows with posts and with how far back a page reaches', () => {
  fc.assert(
    fc.property(rate, rate, span, span, (posts, more, horizonS, further) => {
      const share = pullShare(posts, horizonS)
      expect(share).toBeGreaterThanOrEqual(0)
      expect(share).toBeLessThanOrEqual(1)
      expect(pullShare(posts + more, horizonS)).toBeGreaterThanOrEqual(share)
      expect(pullShare(posts, horizonS + further)).toBeGreaterThanOrEqual(share)
    }),
  )
})

test('a page of somebody who follows many alike reads some twenty of them', () => {
  for (const follows of [100, 1_000, 10_000]) {
    const share = pullShare(1e-3, horizonOf(follows * 1e-3, follows, 0))
    expect(follows * share).toBeGreaterThan(15)
    expect(follows * share).toBeLessThan(20.1)
  }
})

test('of somebody who follows nobody, every page would', () => {
  expect(pullShare(1e-3, horizonOf(0, 0, 0))).toBeGreaterThan(0.9)
})

test('of few, nearly all; also where nobody was seen to post', () => {
  expect(pullShare(1e-3, horizonOf(1e-3, 1, 0))).toBeGreaterThan(0.9)
  expect(pullShare(0, horizonOf(0, 2, 0))).toBeGreaterThan(0.9)
  expect(pullShare(0, horizonOf(0, 1_000, 0))).toBeCloseTo(0.02, 2)
})
