// What is told to a watch that comes from another cell.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasReached, largerOf } from '../../../cells/model/position.ts'
import { type News, RecentNews } from '../../../cells/model/recent-news.ts'

const LIMITS = { most: 8, bytesMost: 20 }
const records = fc.array(fc.record({ partition: fc.nat(1), bytes: fc.nat(6) }), { maxLength: 40 })

test('whoever has heard everything before a place hears all that came after, or reads anew', () => {
  fc.assert(
    fc.property(records, fc.nat(40), fc.tuple(fc.nat(20), fc.nat(20)), (log, begin, since) => {
      const news = new RecentNews<News & { readonly at: number }>(LIMITS)
      const position = [0, 0]
      const all: { readonly partition: number; readonly offset: number; readonly at: number }[] = []
      for (const [at, { partition, bytes }] of log.entries()) {
        if (at === begin) news.begin(position)
        const offset = position[partition] ?? 0
        position[partition] = offset + 1
        all.push({ partition, offset, at })
        news.note({ position: [...position], at, bytes })
      }
      const told = news.since(since)
      // Only who may have missed something.
      const size = log.reduce((sum, { bytes }) => sum + bytes, 0)
      const isWhole = begin === 0 && log.length <= LIMITS.most && size <= LIMITS.bytesMost
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
  const news = new RecentNews(LIMITS)
  news.note({ position: [1], bytes: 1 })
  expect(news.since([9])).toBeUndefined()
  news.begin([1])
  news.note({ position: [2], bytes: 1 })
  expect(news.since([1])).toEqual([{ position: [2], bytes: 1 }])
  expect(news.since(largerOf([2], [1]))).toEqual([])
  news.begin([2])
  expect(news.since([1])).toHaveLength(1)
  news.end()
  expect(news.since([9])).toBeUndefined()
})

test('large ones leave room for fewer, and one that is too large is kept by nobody', () => {
  const news = new RecentNews(LIMITS)
  news.begin([0])
  for (let at = 1; at <= 3; at++) news.note({ position: [at], bytes: 8 })
  expect(news.since([0])).toBeUndefined()
  expect(news.since([1])).toHaveLength(2)
  news.note({ position: [4], bytes: 21 })
  expect(news.since([3])).toBeUndefined()
  expect(news.since([4])).toEqual([])
})
