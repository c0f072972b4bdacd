// What readers ask of authors, tallied from their edges.

import { expect, test } from 'vitest'
import { AuthorDemand } from '../../../cells/model/author-demand.ts'
import { NumberMap } from '../../../cells/model/number-map.ts'

function edgesTo(...authors: number[]): NumberMap {
  return new NumberMap(Uint32Array.from(authors), new Uint32Array(authors.length))
}

/** All have posted since the window's end: each page reads all. */
const cost = { entryUs: 2, pullUs: 10, windowS: 1e18 }

test('followers are counted, their reads summed, and what each costs the cheaper way', () => {
  const demand = new AuthorDemand()
  demand.clear(10)
  demand.setPosts(1, 1)
  demand.setPosts(3, 4)
  demand.add(edgesTo(1, 3, 9), 0.5, cost)
  demand.add(edgesTo(3), 2, cost)
  expect([1, 2, 3, 9].map((author) => demand.followersOf(author))).toEqual([1, 0, 2, 1])
  expect([1, 2, 3, 9].map((author) => demand.pullsPerSOf(author))).toEqual([0.5, 0, 2.5, 0.5])
  expect([1, 2, 3, 9].map((author) => demand.leastUsOf(author))).toEqual([2, 0, 5 + 8, 0])
})

test('authors who came since the tally began are passed over, and a new tally begins with nothing', () => {
  const demand = new AuthorDemand()
  demand.clear(4)
  demand.add(edgesTo(3, 4, 5), 1, cost)
  expect([3, 4, 5].map((author) => demand.followersOf(author))).toEqual([1, 0, 0])
  demand.clear(6)
  expect(demand.followersOf(3)).toBe(0)
  demand.add(edgesTo(5), 1, cost)
  expect(demand.followersOf(5)).toBe(1)
})

test('pages read hardly ever who does not post', () => {
  const demand = new AuthorDemand()
  demand.clear(4)
  demand.setPosts(1, 1)
  demand.setPosts(2, 0.01)
  demand.add(edgesTo(1, 2, 3), 1, { ...cost, windowS: 0 })
  const [often = 0, seldom = 0, never = 0] = [1, 2, 3].map((author) => demand.pullsPerSOf(author))
  // A page of 20 ends after some 20 s.
  expect(often).toBeCloseTo(20 / 21, 2)
  expect(seldom).toBeCloseTo(0.2 / 1.2, 2)
  expect(never).toBeLessThan(1e-4)
  expect(never).toBeGreaterThan(0)
})
