// Generation index: each reader gets the posts of the followed authors, newest first, in whatever steps it was built.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeChunk } from '../../../cells/model/chunk.ts'
import { ChunkEncoder } from '../../../cells/model/chunk-encoder.ts'
import { GatheredPosts, type GenerationIndex } from '../../../cells/model/generation.ts'
import { GenerationBuilder } from '../../../cells/model/generation-builder.ts'

type Post = { readonly id: bigint; readonly author: number; readonly isReblog: boolean }

/** An order of authors that is not that of their numbers. */
const tieBreak = (a: number, b: number) =>
  a === b ? 0 : (a * 7_919) % 65_537 < (b * 7_919) % 65_537 ? -1 : 1
const inOrder = (a: Post, b: Post) =>
  a.id === b.id ? tieBreak(a.author, b.author) : a.id < b.id ? 1 : -1

function columnsOf(posts: readonly Post[]) {
  return {
    hi: Uint32Array.from(posts, (post) => Number(post.id >> 32n)),
    lo: Uint32Array.from(posts, (post) => Number(post.id & 0xffff_ffffn)),
    authorReblog: Uint32Array.from(posts, (post) => post.author * 2 + (post.isReblog ? 1 : 0)),
  }
}

function build(posts: readonly Post[], options: { pulled: Uint8Array; budget: number }) {
  const { pulled, budget } = options
  const builder = new GenerationBuilder({
    posts: columnsOf(posts),
    count: posts.length,
    tieBreak,
    pulled,
  })
  while (!builder.step(budget));
  return builder.index
}

function decode(bytes: Uint8Array): Post[] {
  const { hi, lo, authorReblog, length } = decodeChunk(bytes)
  return Array.from({ length }, (_, i) => ({
    id: (BigInt(hi[i] ?? 0) << 32n) | BigInt(lo[i] ?? 0),
    author: (authorReblog[i] ?? 0) >>> 1,
    isReblog: (authorReblog[i] ?? 0) % 2 === 1,
  }))
}

const gathered = new GatheredPosts()
const encoder = new ChunkEncoder()

function shareOf(index: GenerationIndex, follows: readonly number[]): Post[] {
  const authors = Uint32Array.from(follows).sort()
  index.gather(authors, authors.length, gathered)
  return decode(index.encodeChunk(gathered, encoder))
}

const crowdedMs = fc.oneof(
  { weight: 6, arbitrary: fc.bigInt(800_000_000_000n, 800_000_000_400n) },
  { weight: 2, arbitrary: fc.bigInt(790_000_000_000n, 800_000_000_000n) },
  { weight: 1, arbitrary: fc.bigInt(0n, 2n ** 42n - 1n) },
)
const author = fc.oneof(
  fc.integer({ min: 1, max: 40 }),
  fc.integer({ min: 1, max: 3_000 }),
  fc.constantFrom(31, 32, 33, 63, 64, 100_000),
)
const post = fc
  .record({ ms: crowdedMs, low: fc.bigInt(0n, 3n), author, isReblog: fc.boolean() })
  .map((p): Post => ({ id: (p.ms << 22n) | p.low, author: p.author, isReblog: p.isReblog }))
const posts = fc.uniqueArray(post, {
  maxLength: 600,
  size: 'max',
  selector: ({ id, author: by }) => `${id}/${by}`,
})
const follows = fc.uniqueArray(fc.oneof(author, fc.integer({ min: 1, max: 200_000 })), {
  maxLength: 200,
  size: 'max',
})

test('gathers what a filter and a sort would', () => {
  const cases = [posts, fc.array(follows, { minLength: 1, maxLength: 4 }), fc.nat(400)] as const
  fc.assert(
    fc.property(...cases, (all, readers, budget) => {
      const index = build(all, { pulled: new Uint8Array(0), budget })
      for (const followed of readers) {
        const set = new Set(followed)
        const expected = all.filter((p) => set.has(p.author)).toSorted(inOrder)
        expect(shareOf(index, followed)).toEqual(expected)
      }
    }),
    { numRuns: 300 },
  )
})

test('leaves out pulled authors', () => {
  fc.assert(
    fc.property(
      posts,
      follows,
      fc.uint8Array({ maxLength: 64, max: 1 }),
      (all, followed, pulled) => {
        const index = build(all, { pulled, budget: 100 })
        const set = new Set(followed.filter((number) => pulled[number] !== 1))
        const expected = all.filter((p) => set.has(p.author)).toSorted(inOrder)
        expect(shareOf(index, followed)).toEqual(expected)
      },
    ),
  )
})

test('packs the same posts in parts', () => {
  fc.assert(
    fc.property(posts, fc.integer({ min: 1, max: 300 }), (all, size) => {
      const index = build(all, { pulled: new Uint8Array(0), budget: 1_000 })
      const authors = Uint32Array.from(new Set(all.map((p) => p.author))).sort()
      const count = index.gather(authors, authors.length, gathered)
      const parts: Post[] = []
      for (let from = 0; from < count; from += size) {
        const range = { from, to: Math.min(count, from + size) }
        parts.push(...decode(index.encodePart(gathered, range, encoder)))
      }
      expect(parts).toEqual(all.toSorted(inOrder))
    }),
  )
})

test('sorts a reader whose posts lie in one burst of a long generation', () => {
  const burst = Array.from({ length: 3_000 }, (_, i) => ({
    id: (BigInt(800_000_000_000 + ((i * 7_919) % 3_000)) << 22n) | 1n,
    author: 1 + (i % 50),
    isReblog: false,
  }))
  const others = Array.from({ length: 60_000 }, (_, i) => ({
    id: BigInt(799_000_000_000 + i * 31_337) << 22n,
    author: 1_000 + (i % 500),
    isReblog: false,
  }))
  const index = build([...burst, ...others], { pulled: new Uint8Array(0), budget: 5_000 })
  const followed = Array.from({ length: 50 }, (_, i) => i + 1)
  expect(shareOf(index, followed)).toEqual(burst.toSorted(inOrder))
})

test('looks at no more than its budget in a step', () => {
  const all = Array.from({ length: 1_000 }, (_, i) => ({
    id: BigInt(i * 977) << 20n,
    author: 1 + (i % 90),
    isReblog: false,
  }))
  const builder = new GenerationBuilder({
    posts: columnsOf(all),
    count: all.length,
    tieBreak,
    pulled: new Uint8Array(0),
  })
  expect(() => builder.index).toThrow('not built')
  let steps = 1
  while (!builder.step(100)) steps++
  expect(steps).toBeGreaterThan(90)
  expect(steps).toBeLessThan(180)
  expect(builder.step(100)).toBe(true)
})

test('is empty when nothing was posted', () => {
  const index = build([], { pulled: new Uint8Array(0), budget: 10 })
  expect(shareOf(index, [1, 2, 3])).toEqual([])
})
