// The window against a list that is filtered and sorted anew for each question.

import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { AuthorIndex } from '../../../cells/model/author-index.ts'
import { PostWindow, type WindowPin } from '../../../cells/model/window.ts'
import { WINDOW_BLOCK } from '../../../cells/model/window-pages.ts'

type Entry = { readonly author: number; readonly id: bigint; readonly reblog: boolean }

/** Ids whose halves both differ, few enough to meet again. */
const idOf = (n: number): bigint => (BigInt(n >>> 2) << 32n) | BigInt((n & 3) * 0x5555_5555)
const hiOf = (id: bigint): number => Number(id >> 32n)
const loOf = (id: bigint): number => Number(id & 0xffff_ffffn)

/** A window and what it should hold, entry by entry; undefined where a post was deleted. */
class Pair {
  readonly window = new PostWindow(new AuthorIndex())
  readonly entries: (Entry | undefined)[] = []
  readonly pins: { readonly pin: WindowPin; readonly tail: number }[] = []
  tail = 0
  droppedMax = 0n

  insert(author: number, id: bigint, reblog: boolean): void {
    const isNew = this.live(author).every((entry) => entry.id !== id)
    assert.equal(this.window.insert(author, hiOf(id), loOf(id), reblog), isNew)
    if (isNew) this.entries.push({ author, id, reblog })
  }

  remove(author: number, id: bigint): void {
    const at = this.entries.findIndex(
      (entry, seq) => seq >= this.tail && entry?.author === author && entry.id === id,
    )
    assert.equal(this.window.remove(author, hiOf(id), loOf(id)), at >= 0)
    if (at >= 0) this.entries[at] = undefined
  }

  drop(seq: number): void {
    const end = Math.max(
      this.tail,
      Math.min(seq, this.entries.length, ...this.pins.map(({ tail }) => tail)),
    )
    for (const entry of this.entries.slice(this.tail, end)) {
      if (entry !== undefined && entry.id > this.droppedMax) this.droppedMax = entry.id
    }
    assert.equal(this.window.drop(seq), end - this.tail)
    this.tail = end
  }

  pin(): void {
    this.pins.push({ pin: this.window.pin(), tail: this.tail })
  }

  unpin(index: number): void {
    const [gone] = this.pins.splice(index % Math.max(1, this.pins.length), 1)
    if (gone !== undefined) this.window.unpin(gone.pin)
  }

  live(author: number): Entry[] {
    return this.entries
      .slice(this.tail)
      .filter((entry): entry is Entry => entry?.author === author)
      .toSorted((a, b) => (a.id > b.id ? -1 : 1))
  }

  chain(author: number): Entry[] {
    const { window } = this
    const found: Entry[] = []
    for (let entry = window.newest(author); entry >= 0; entry = window.older(entry)) {
      const id = (BigInt(window.hiAt(entry)) << 32n) | BigInt(window.loAt(entry))
      found.push({ author: window.authorAt(entry), id, reblog: window.isReblogAt(entry) })
    }
    return found
  }

  check(authors: readonly number[]): void {
    const { window } = this
    assert.equal(window.tail, this.tail)
    assert.equal(window.head, this.entries.length)
    assert.equal(window.size, this.entries.length - this.tail)
    assert.equal(window.droppedHi, hiOf(this.droppedMax))
    assert.equal(window.droppedLo, loOf(this.droppedMax))
    for (const author of authors) assert.deepEqual(this.chain(author), this.live(author))
  }

  /** For each run of entries: nothing up to its end is greater than its bound, nothing in it smaller. */
  checkBlocks(): void {
    const { blocks } = this.window
    let greatest = 0n
    for (let seq = 0; seq < this.entries.length; seq++) {
      const id = this.entries[seq]?.id ?? 0n
      if (id > greatest) greatest = id
      if (seq < this.tail) continue
      const isLast = (seq + 1) % WINDOW_BLOCK === 0 || seq + 1 === this.entries.length
      const max = (BigInt(blocks.maxHi(seq)) << 32n) | BigInt(blocks.maxLo(seq))
      const min = (BigInt(blocks.minHi(seq)) << 32n) | BigInt(blocks.minLo(seq))
      if (isLast) assert(max >= greatest, `entry ${seq}`)
      if (id !== 0n) assert(min <= id, `entry ${seq}`)
    }
  }
}

const AUTHORS = [1, 2, 3]
const author = fc.constantFrom(...AUTHORS)
const id = fc.integer({ min: 1, max: 60 }).map(idOf)
const step = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constant('insert' as const), author, id, fc.boolean()) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('remove' as const), author, id) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('drop' as const), fc.nat(80)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('pin' as const)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('unpin' as const), fc.nat(3)) },
)

test('chains hold what was applied and is not gone, in id order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
      const pair = new Pair()
      for (const each of steps) {
        if (each[0] === 'insert') pair.insert(each[1], each[2], each[3])
        else if (each[0] === 'remove') pair.remove(each[1], each[2])
        else if (each[0] === 'drop') pair.drop(each[1])
        else if (each[0] === 'pin') pair.pin()
        else pair.unpin(each[1])
        pair.check(AUTHORS)
      }
    }),
    { numRuns: 150 },
  )
})

test('finds a post, and the next below any id', () => {
  const posts = fc.array(fc.tuple(author, id), { maxLength: 40 })
  fc.assert(
    fc.property(posts, fc.nat(40), author, id, (all, dropped, by, at) => {
      const pair = new Pair()
      for (const [of, postId] of all) pair.insert(of, postId, false)
      pair.drop(dropped)
      const { window } = pair
      const live = pair.live(by)
      for (const inclusive of [true, false]) {
        const entry = window.firstBelow(by, hiOf(at), loOf(at), inclusive)
        const expected = live.find((post) => (inclusive ? post.id <= at : post.id < at))
        const found = entry < 0 ? undefined : [window.hiAt(entry), window.loAt(entry)]
        expect(found).toEqual(expected && [hiOf(expected.id), loOf(expected.id)])
      }
      const isThere = window.find(by, hiOf(at), loOf(at)) >= 0
      expect(isThere).toBe(live.some((post) => post.id === at))
    }),
  )
})

test('takes new pages and lets old ones go without losing a link or a bound', () => {
  const pair = new Pair()
  let random = 7
  const next = (below: number): number => {
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0
    return (random >>> 8) % below
  }
  for (let i = 1; i <= 80_000; i++) {
    // Mostly ascending, some late: as several gateways' clocks make it.
    const at = i * 4 - next(4_000)
    const by = 1 + next(400)
    if (at > 0 && pair.window.insert(by, at, i, i % 7 === 0)) {
      pair.entries.push({ author: by, id: (BigInt(at) << 32n) | BigInt(i), reblog: i % 7 === 0 })
    }
    if (i % 5_000 === 0 && i >= 25_000) pair.drop(pair.tail + 6_000)
    if (i % 10_000 === 0) pair.checkBlocks()
  }
  expect(pair.window.capacity).toBe(32_768)
  // One page in use, one spare, with the bounds of 32 runs each.
  expect(pair.window.bytes).toBe(2 * (32_768 + 32) * 16)
  pair.check(Array.from({ length: 400 }, (_, i) => i + 1))
})

test('holds little more than its posts, however many there were', () => {
  const { window } = new Pair()
  const posts = 300_000
  for (let i = 1; i <= posts; i++) window.insert(1 + (i % 3), i, i, false)
  expect(window.bytes / posts).toBeLessThan(18)
  window.drop(200_000)
  expect(window.bytes / window.size).toBeLessThan(28)
  let left = 0
  for (let number = 1; number <= 3; number++) {
    for (let entry = window.newest(number); entry >= 0; entry = window.older(entry)) {
      expect(window.hiAt(entry)).toBe(entry + 1)
      left++
    }
  }
  expect(left).toBe(100_000)
  window.drop(posts)
  expect(window.insert(1, posts + 1, 0, false)).toBe(true)
  expect(window.hiAt(window.newest(1))).toBe(posts + 1)
})

test('a read that holds a pin goes on through what was deleted meanwhile', () => {
  const { window } = new Pair()
  for (const n of [1, 2, 3, 4]) window.insert(1, n, 0, false)
  const pin = window.pin()
  const four = window.newest(1)
  const three = window.older(four)
  window.remove(1, 3, 0)
  window.remove(1, 2, 0)
  expect(window.authorAt(three)).toBe(0)
  const two = window.older(three)
  expect(window.hiAt(window.older(two))).toBe(1)
  expect(window.drop(4)).toBe(0)
  window.unpin(pin)
  expect(window.drop(4)).toBe(4)
  expect(window.newest(1)).toBe(-1)
})

test('drops a prolific author of two gateways in time in proportion to their posts', () => {
  const { window } = new Pair()
  const posts = 100_000
  // Every second post lands a little late, with a smaller id than the one before.
  for (let i = 0; i < posts; i++) window.insert(1, (i ^ 1) + 1, 0, false)
  window.drop(posts / 2)
  let left = 0
  for (let entry = window.newest(1); entry >= 0; entry = window.older(entry)) left++
  expect(left).toBe(posts / 2)
})
