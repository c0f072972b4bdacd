// Chunk codec: every list of entries comes back, within the bytes promised; no bytes at all make the cursor do harm.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  AUTHOR_MAX,
  ChunkCursor,
  CorruptChunk,
  decodeChunk,
  type EntryColumns,
} from '../../../cells/model/chunk.ts'
import { ChunkEncoder } from '../../../cells/model/chunk-encoder.ts'

type Entry = { readonly id: bigint; readonly author: number; readonly isReblog: boolean }

const columns = (count: number) => ({
  hi: new Uint32Array(count),
  lo: new Uint32Array(count),
  authorReblog: new Uint32Array(count),
})

function columnsOf(entries: readonly Entry[]): EntryColumns {
  const made = columns(entries.length)
  for (const [i, { id, author, isReblog }] of entries.entries()) {
    made.hi[i] = Number(id >> 32n)
    made.lo[i] = Number(id & 0xffff_ffffn)
    made.authorReblog[i] = author * 2 + (isReblog ? 1 : 0)
  }
  return made
}

function decode(bytes: Uint8Array, atATime: number): EntryColumns {
  const cursor = new ChunkCursor(bytes)
  const read = columns(cursor.left)
  let from = 0
  while (cursor.left > 0) from += cursor.read(read, from, atATime)
  return read
}

const encode = (entries: readonly Entry[]) =>
  new ChunkEncoder().encode(columnsOf(entries), entries.length)

const ms = fc.oneof(
  fc.bigInt(0n, 2n ** 42n - 1n),
  fc.bigInt(800_000_000_000n, 800_000_100_000n),
  fc.constantFrom(0n, 2n ** 30n - 2n, 2n ** 30n - 1n, 2n ** 29n, 2n ** 42n - 1n),
)
const low = fc.oneof(
  fc.constantFrom(0n, 1n << 12n, 31n << 12n, 2n ** 22n - 1n),
  fc.bigInt(0n, 2n ** 22n - 1n),
)
const author = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: AUTHOR_MAX }))
const entry = fc
  .record({ ms, low, author, isReblog: fc.boolean() })
  .map((e): Entry => ({ id: (e.ms << 22n) | e.low, author: e.author, isReblog: e.isReblog }))
const newestFirst = (entries: readonly Entry[]) =>
  entries.toSorted((a, b) => (a.id === b.id ? a.author - b.author : a.id < b.id ? 1 : -1))
const entryLists = fc.array(entry, { maxLength: 400, size: 'max' }).map(newestFirst)

describe('a chunk', () => {
  test('decodes to what was encoded, read in any steps', () => {
    fc.assert(
      fc.property(entryLists, fc.integer({ min: 1, max: 50 }), (entries, atATime) => {
        const bytes = encode(entries)
        expect(decode(bytes, atATime)).toEqual(columnsOf(entries))
        expect(decodeChunk(bytes)).toEqual({ ...columnsOf(entries), length: entries.length })
      }),
      { numRuns: 300 },
    )
  })

  test('keeps the order given of equal ids', () => {
    const entries = [9, 3, 7].map((number) => ({ id: 5n << 40n, author: number, isReblog: false }))
    expect(decode(encode(entries), 2)).toEqual(columnsOf(entries))
  })

  test('names its authors once, ascending', () => {
    const entries = [9, 3, 9, 7].map((number, i) => ({
      id: BigInt(9 - i) << 40n,
      author: number,
      isReblog: false,
    }))
    expect([...new ChunkCursor(encode(entries)).authors]).toEqual([3, 7, 9])
  })

  test('holds more authors than two bytes can number', () => {
    const entries = Array.from({ length: 66_000 }, (_, i) => ({
      id: BigInt(70_000 - i) << 30n,
      author: (i * 7_919) % 66_000,
      isReblog: i % 2 === 0,
    }))
    expect(decode(encode(entries), 1000)).toEqual(columnsOf(entries))
  })

  test('stays as it was when the encoder goes on', () => {
    const encoder = new ChunkEncoder()
    const entries = columnsOf([{ id: 5n << 40n, author: 3, isReblog: true }])
    const first = encoder.encode(entries, 1)
    const copy = first.slice()
    for (let i = 0; i < 30_000; i++) encoder.encode(entries, 1)
    expect(first).toEqual(copy)
  })

  test('takes at most 7.5 bytes an entry at 100 entries of 200 authors out of a million', () => {
    const stepMs = 6 * 3_600_000 * 0.01
    const entries = Array.from({ length: 100 }, (_, i) => ({
      id: (BigInt(800_000_000_000 - Math.floor(i * stepMs)) << 22n) | (BigInt(i % 8) << 12n),
      author: (((i * 7_919) % 200) * 4_999) % 1_000_000,
      isReblog: i % 4 === 0,
    }))
    expect(encode(entries).length / 100).toBeLessThan(7.5)
  })

  test('is refused when entries are not newest first', () => {
    const rising = [1n, 2n].map((id) => ({ id: id << 40n, author: 1, isReblog: false }))
    expect(() => encode(rising)).toThrow(RangeError)
    const sameMs = [1n, 2n].map((id) => ({ id, author: 1, isReblog: false }))
    expect(() => encode(sameMs)).toThrow(RangeError)
  })
})

describe('corrupt bytes', () => {
  /** What came of the bytes: how many entries are not below the one above, or the error's code. */
  function outcome(bytes: Uint8Array): unknown {
    try {
      const { hi, lo, length } = decodeChunk(bytes)
      const ids = Array.from({ length }, (_, i) => (BigInt(hi[i] ?? 0) << 32n) | BigInt(lo[i] ?? 0))
      return ids.filter((id, i) => i > 0 && id > (ids[i - 1] ?? 0n)).length
    } catch (error) {
      return error instanceof CorruptChunk ? error.code : error
    }
  }
  const harmless = [0, 'CORRUPT_CHUNK']

  test('cut short are an error, never a shorter list', () => {
    fc.assert(
      fc.property(entryLists, fc.nat(), (entries, cut) => {
        const bytes = encode(entries)
        expect(() => decode(bytes.subarray(0, cut % bytes.length), 5)).toThrow(CorruptChunk)
      }),
    )
  })

  test('with more at the end are an error', () => {
    const bytes = encode([{ id: 5n << 40n, author: 3, isReblog: true }])
    expect(() => decode(Uint8Array.of(...bytes, 0), 5)).toThrow(CorruptChunk)
    expect(() => new ChunkCursor(Uint8Array.of(...encode([]), 0))).toThrow(CorruptChunk)
  })

  test('of another version are an error', () => {
    const bytes = encode([]).slice()
    bytes[0] = 2
    expect(() => new ChunkCursor(bytes)).toThrow('version 2')
  })

  test('changed anywhere, or drawn at random, do no harm', () => {
    const change = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(entryLists, change, fc.uint8Array({ maxLength: 60 }), (entries, changes, any) => {
        const bytes = encode(entries).slice()
        for (const [where, byte] of changes) bytes[where % bytes.length] = byte
        expect(harmless).toContain(outcome(bytes))
        expect(harmless).toContain(outcome(any))
        expect(harmless).toContain(outcome(Uint8Array.of(1, ...any)))
      }),
      { numRuns: 500 },
    )
  })

  test('that promise a billion entries take no memory', () => {
    const bytes = Uint8Array.of(1, 0xff, 0xff, 0xff, 0x3f, 0xff, 0xff, 0xff, 0x3f, 0, 0, 0, 0, 0, 0)
    expect(() => new ChunkCursor(bytes)).toThrow(CorruptChunk)
  })
})
