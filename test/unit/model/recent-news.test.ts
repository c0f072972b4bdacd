// What is told to a watch that comes from another cell.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasReached, largerOf, type Position } from '../../../cells/model/position.ts'
import { RecentNews } from '../../../cells/model/recent-news.ts'

const MOST = 8
const records = fc.array(fc.nat(1), { maxLength: 40 })

test('whoever has heard everything before a place hears all that came after, or reads anew', () => {
  fc.assert(
    fc.property(records, fc.nat(40), fc.tuple(fc.nat(20), fc.nat(20)), (log, begin, since) => {
      const news = new RecentNews<{ readonly position: Position; readonly at: number }>(MOST)
      const position = [0, 0]
      const all: { readonly partition: number; readonly offset: number; readonly at: number }[] = []
      for (const [at, partition] of log.entries()) {
        if (at === begin) news.begin(position)
        const offset = position[partition] ?? 0
        position[partition] = offset + 1
        all.push({ partition, offset, at })
        news.note({ position: [...position], at })
      }
      const told = news.since(since)
      // Only who may have missed something.
      const isWhole = begin === 0 && log.length <= MOST
      expect(told === undefined && isWhole && log.length > 0).toBe(false)
      if (told === undefined) return
      const heard = new Set(told.map(({ at }) => at))
      const missed = all.filter(
        ({ partition, offset, at }) => offset >= (since[partition] ?? 0) && !heard.has(at),
      )
      expect(missed).toEqual([])
      const order = told.map(({ at }) => at)
      expect(order).toEqual(order.toSorted((a, b) => a - b))
      for (const each of told) expect(hasReached(since, each.position)).toBe(false)
    }),
  )
})

test('nothing is kept before it begins, and nothing after it ends', () => {
  const news = new RecentNews<{ readonly position: Position }>(MOST)
  news.note({ position: [1] })
  expect(news.since([9])).toBeUndefined()
  news.begin([1])
  news.note({ position: [2] })
  expect(news.since([1])).toEqual([{ position: [2] }])
  expect(news.since(largerOf([2], [1]))).toEqual([])
  news.begin([2])
  expect(news.since([1])).toHaveLength(1)
  news.end()
  expect(news.since([9])).toBeUndefined()
})
