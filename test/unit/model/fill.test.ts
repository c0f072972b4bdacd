// What filling an inbox covers, and when it pays.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AuthorIndex } from '../../../cells/model/author-index.ts'
import { COSTS_EXPECTED } from '../../../cells/model/costs.ts'
import { DELIVERY_POLICY } from '../../../cells/model/delivery-policy.ts'
import { coverFilled, coveredFromThen, fillableAuthors } from '../../../cells/model/fill.ts'
import { firstIdAt, ID_EPOCH_MS, msOf, type PostId } from '../../../cells/model/post-id.ts'
import { PulledPages, paysToFill } from '../../../cells/model/pulled-pages.ts'
import { halvesBelowSecond } from '../../../cells/model/pull-bound.ts'
import { HIDE_REBLOGS, NOT_COVERED, Reader } from '../../../cells/model/reader.ts'

const READER = 1
const idAt = (ms: number): PostId => firstIdAt(ID_EPOCH_MS + ms)
const secondOf = (id: PostId): number => Math.floor((msOf(id) - ID_EPOCH_MS) / 1_000)

function readerWith(edges: Readonly<Record<number, number>>): Reader {
  const reader = new Reader({ number: READER, slot: 0 })
  for (const [author, word] of Object.entries(edges)) reader.edges.set(Number(author), word)
  return reader
}

function authorIndex(): AuthorIndex {
  const authors = new AuthorIndex()
  authors.reserve(64)
  return authors
}

describe('what is covered then', () => {
  test('every post of a covered second is in the inbox, whichever part of them was read', () => {
    const posts = fc.uniqueArray(fc.nat(9_999), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(posts, fc.nat(20), (times, read) => {
        const all = times.toSorted((a, b) => b - a).map(idAt)
        const postIds = all.slice(0, read)
        const reblogs = postIds.map(() => false)
        const isWhole = postIds.length === all.length
        const from = coveredFromThen({ author: 2, coveredFrom: 10, postIds, reblogs, isWhole })
        const covered = all.filter((id) => secondOf(id) >= from && secondOf(id) < 10)
        expect(postIds).toEqual(expect.arrayContaining(covered))
        expect(from).toBeLessThanOrEqual(10)
      }),
    )
  })

  test('only edges that are as they were change, keep what else they say, and bound what the inbox is read for', () => {
    const reader = readerWith({ 2: 50, 3: (70 | HIDE_REBLOGS) >>> 0, 4: 90, 5: NOT_COVERED })
    const whole = { postIds: [], reblogs: [], isWhole: true }
    const filled = [
      { author: 3, coveredFrom: 70, ...whole },
      { author: 2, coveredFrom: 50, ...whole },
      { author: 4, coveredFrom: 80, ...whole },
      { author: 5, coveredFrom: 80, ...whole },
      { author: 6, coveredFrom: 80, ...whole },
    ]
    expect(coverFilled(reader, filled)).toBe(true)
    const words = [2, 3, 4, 5, 6].map((author) => reader.edges.get(author))
    expect(words).toEqual([0, HIDE_REBLOGS, 90, NOT_COVERED, undefined])
    expect(reader.filledBelow).toBe(70)
    expect(coverFilled(reader, filled)).toBe(false)
    expect(reader.filledBelow).toBe(70)
  })
})

describe('whom it is filled with', () => {
  test('authors whose newer posts it has, where nothing else keeps it from being asked', () => {
    const authors = authorIndex()
    for (let author = 2; author < 7; author++) authors.noteId(author, ...halvesBelowSecond(40))
    authors.noteId(7, ...halvesBelowSecond(20))
    authors.raise(3, 60)
    authors.pull(4)
    const reader = readerWith({ 2: 50, 3: 55, 4: 50, 5: NOT_COVERED, 6: 0, 7: 20 })
    const of = { authors, floor: 0, second: 20 }
    expect(fillableAuthors(reader, of)).toEqual([{ author: 2, coveredFrom: 50 }])
    expect(fillableAuthors(reader, { ...of, floor: 50 })).toEqual([])
    // No page that got down there pulled the other one.
    expect(fillableAuthors(reader, { ...of, second: 39 })).toEqual([{ author: 2, coveredFrom: 50 }])
    expect(fillableAuthors(reader, { ...of, second: 40 })).toEqual([])
    expect(fillableAuthors(reader, { ...of, second: 19 })).toEqual([
      { author: 2, coveredFrom: 50 },
      { author: 7, coveredFrom: 20 },
    ])
  })
})

describe('when it pays', () => {
  const page = { authors: 10, entries: 40, second: 7 }
  const costs = { ...COSTS_EXPECTED, pullUs: 60, chunkUs: 8 }

  test('as soon as pulling has cost as much, and not again before it has anew', () => {
    const pages = new PulledPages()
    pages.note(READER, page, costs, DELIVERY_POLICY)
    expect(pages.next()).toBe(undefined)
    pages.note(READER, { ...page, second: 5 }, costs, DELIVERY_POLICY)
    expect(pages.hasFillable).toBe(true)
    expect(pages.next()).toEqual({ reader: READER, second: 5 })
    expect(pages.hasFillable).toBe(false)
    pages.note(READER, page, costs, DELIVERY_POLICY)
    expect(pages.hasFillable).toBe(false)
  })

  test('the more pages pulled, the sooner; the dearer an entry, the later', () => {
    const amount = fc.integer({ min: 0, max: 1_000 })
    fc.assert(
      fc.property(amount, amount, amount, amount, (authors, authorsMost, entriesMost, more) => {
        const pulled = { authors, authorsMost, entriesMost }
        const pays = paysToFill(pulled, costs, DELIVERY_POLICY)
        const later = { ...pulled, authors: authors + more }
        expect(!pays || paysToFill(later, costs, DELIVERY_POLICY)).toBe(true)
        const dearer = { ...costs, entryUs: costs.entryUs + more }
        expect(pays || !paysToFill(pulled, dearer, DELIVERY_POLICY)).toBe(true)
      }),
    )
  })

  test('remembers the readers of the newest pages only', () => {
    const pages = new PulledPages()
    for (let reader = 1; reader <= 20_000; reader++) {
      pages.note(reader, page, costs, DELIVERY_POLICY)
    }
    pages.note(1, page, costs, DELIVERY_POLICY)
    pages.note(20_000, page, costs, DELIVERY_POLICY)
    expect(pages.next()?.reader).toBe(20_000)
    expect(pages.hasFillable).toBe(false)
  })
})
