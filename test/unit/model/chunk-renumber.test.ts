// A chunk whose authors get other numbers shows the same posts of the same users, as if it had been decoded and packed again.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ChunkCursor, CorruptChunk, decodeChunk } from '../../../cells/model/chunk.ts'
import { ChunkEncoder } from '../../../cells/model/chunk-encoder.ts'
import { ChunkRenumbering } from '../../../cells/model/chunk-renumber.ts'

const entry = fc.record({
  ms: fc.oneof(
    fc.integer({ min: 0, max: 2 ** 42 - 1 }),
    fc.integer({ min: 8e11, max: 8e11 + 9_000 }),
  ),
  low: fc.integer({ min: 0, max: 2 ** 22 - 1 }),
  author: fc.oneof(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 2 ** 31 - 1 })),
  isReblog: fc.boolean(),
})
type Entry = typeof entry extends fc.Arbitrary<infer T> ? T : never
const entries = fc
  .array(entry, { maxLength: 600, size: 'max' })
  .map((all) => all.toSorted((a, b) => b.ms - a.ms || b.low - a.low))

function chunkOf(all: readonly Entry[]): Uint8Array {
  const columns = {
    hi: Uint32Array.from(all, ({ ms }) => Math.floor(ms / 1024)),
    lo: Uint32Array.from(all, ({ ms, low }) => (ms % 1024) * 2 ** 22 + low),
    authorReblog: Uint32Array.from(all, ({ author, isReblog }) => author * 2 + Number(isReblog)),
  }
  return new ChunkEncoder().encode(columns, all.length)
}

/** Numbers by dice of theirs; `spread`: how many of ours there are. */
const numbering = (seed: number, spread: number) => (theirs: number) =>
  1 + ((Math.imul(theirs ^ seed, 0x9e3779b1) >>> 1) % spread)

function renumber(bytes: Uint8Array, ours: (theirs: number) => number): Uint8Array {
  return new ChunkRenumbering().renumber(bytes, new ChunkCursor(bytes), ours)
}

function failureOf(run: () => unknown): unknown {
  try {
    run()
    return undefined
  } catch (error) {
    return error
  }
}

// With few of ours, two of theirs are often one.
test.each([2 ** 31 - 2, 1_000, 3])('it is the chunk of the same entries, of %i users', (spread) => {
  fc.assert(
    fc.property(entries, fc.nat(), (all, seed) => {
      const ours = numbering(seed, spread)
      const wanted = all.map((each) => ({ ...each, author: ours(each.author) }))
      expect(renumber(chunkOf(all), ours)).toEqual(chunkOf(wanted).slice())
    }),
  )
})

test('whatever the bytes are, it is a chunk or refused', () => {
  const flip = fc.record({ at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) })
  fc.assert(
    fc.property(entries, flip, fc.nat(20), (all, { at, value }, cut) => {
      const bytes = chunkOf(all).slice()
      bytes[at % bytes.length] = value
      const broken = bytes.subarray(0, Math.max(1, bytes.length - cut))
      const [renumbered, decoded] = [
        failureOf(() => renumber(broken, (theirs) => theirs)),
        failureOf(() => decodeChunk(broken)),
      ]
      // Only who decodes it looks at the order of its entries.
      expect(renumbered === undefined || decoded instanceof CorruptChunk).toBe(true)
      expect(renumbered === undefined || renumbered instanceof CorruptChunk).toBe(true)
    }),
  )
})
