// Which way a page takes through the window, and that its estimate stands on true bounds.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { AuthorIndex } from '../../../cells/model/author-index.ts'
import { CostMeter } from '../../../cells/model/costs.ts'
import { FollowedWords } from '../../../cells/model/merge-room.ts'
import { kthGreatest, wayCosts, wayOf } from '../../../cells/model/merge-way.ts'
import { PostWindow } from '../../../cells/model/window.ts'

const TOP = 0xffff_ffff
const POSTS = 100_000
const USERS = 50_000

/** A window in which author n % USERS wrote post n, of which the first two thirds also lie on. */
function windowOf(): { window: PostWindow; authors: AuthorIndex } {
  const authors = new AuthorIndex()
  authors.reserve(USERS + 1)
  const window = new PostWindow(authors)
  for (let n = 0; n < POSTS; n++) {
    const author = 1 + ((n * 7_919) % USERS)
    authors.noteId(author, n, 0)
    window.insert(author, n, 0, false)
  }
  return { window, authors }
}

function waysFor(count: number, startHi = TOP, tries = false): 'chains' | 'walk' {
  const { window, authors } = windowOf()
  const followed = new FollowedWords()
  const keys = Uint32Array.from({ length: count }, (_, i) => i + 1)
  followed.fetch(authors.words, keys, count)
  const costs = new CostMeter({ chainUs: 0.1, walkedUs: 0.04 })
  return wayOf(wayCosts({ window, followed, count, startHi, wanted: 21, costs }), tries)
}

test('who follows few is served by chains, who follows very many by the walk', () => {
  expect([1, 200, 20_000, 50_000].map((count) => waysFor(count))).toEqual([
    'chains',
    'chains',
    'walk',
    'walk',
  ])
})

test('no page is walked, not even to try it, of which only the least that a walk takes is known', () => {
  expect([1, 100, 200, 400].map((count) => waysFor(count, TOP, true))).toEqual(
    Array<string>(4).fill('chains'),
  )
})

test('deep in the window a walk may go to its end: it is chosen if even that is cheaper', () => {
  expect(waysFor(20_000, POSTS * 0.9)).toBe('chains')
  expect(waysFor(20_000, POSTS / 10)).toBe('walk')
})

test('a way is tried against the estimate only where it is not much dearer', () => {
  expect(wayOf({ chainsUs: 10, walkUs: 30 }, false)).toBe('chains')
  expect(wayOf({ chainsUs: 10, walkUs: 30 }, true)).toBe('walk')
  expect(wayOf({ chainsUs: 10, walkUs: 50 }, true)).toBe('chains')
  expect(wayOf({ chainsUs: 30, walkUs: 10 }, false)).toBe('walk')
  expect(wayOf({ chainsUs: 30, walkUs: 10 }, true)).toBe('chains')
})

test('the k-th greatest is that of the sorted numbers', () => {
  const numbers = fc.array(fc.nat(50), { minLength: 0, maxLength: 60 })
  fc.assert(
    fc.property(numbers, fc.integer({ min: 1, max: 30 }), (all, k) => {
      const sorted = [...all].sort((a, b) => b - a)
      expect(kthGreatest(Uint32Array.from(all), all.length, k)).toBe(sorted[k - 1] ?? 0)
    }),
  )
})

test('no more entries lie above an id than the window says, and hardly fewer', () => {
  const { window } = windowOf()
  window.drop(33_333)
  for (const hi of [0, 20_000, 33_333, 50_000, 99_000, POSTS - 1]) {
    const above = POSTS - Math.max(33_333, hi)
    expect(window.entriesAbove(hi)).toBeGreaterThanOrEqual(above)
    expect(window.entriesAbove(hi)).toBeLessThan(above + 1_024)
  }
  expect(window.entriesAbove(POSTS)).toBe(0)
})
