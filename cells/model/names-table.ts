// Which dense number stands for which user in this cell: user key -> number, and number -> key for tie-breaks and the wire.
//
// Two parts, typed arrays only. Keys lie in pages indexed by number, so a gap between reserved ranges costs at most a page.
// The hash side holds only numbers, in 1024 open-addressing segments that double one by one: growing a table of a million
// names moves a thousand at a time (some 50 us), never all of them.
//
//     key -> segment (word 3) -> probe from word 2 -> number -> page[number] == key?
//
// Cost: 16 bytes of key plus 5.3-10.7 bytes of hash slot a name; a lookup misses the cache two or three times.
// Word 0 decides the slot a user lives in, so it is not used here: the names of one cell would crowd.

import assert from 'node:assert/strict'
import { keyWord, type UserKey } from './user-key.ts'

/** Numbers travel in 31 bits beside the reblog bit. */
export const NAME_NUMBER_MAX = 2 ** 31 - 1

const SEGMENTS = 1024
const SEGMENT_SLOTS_FIRST = 8
const PAGE_BITS = 12
const PAGE_MASK = (1 << PAGE_BITS) - 1
const NO_NUMBERS = new Uint32Array(0)

export class NamesTable {
  readonly #segments: Uint32Array[] = Array.from({ length: SEGMENTS }, () => NO_NUMBERS)
  readonly #used = new Uint32Array(SEGMENTS)
  readonly #pages: (Uint32Array | undefined)[] = []
  #size = 0

  /** How many keys have a number. */
  get size(): number {
    return this.#size
  }

  /** Memory of keys and hash slots. */
  get bytes(): number {
    const slots = this.#segments.reduce((sum, segment) => sum + segment.byteLength, 0)
    return this.#pages.reduce((sum, page) => sum + (page?.byteLength ?? 0), slots)
  }

  /** The number that stands for the key; 0 when it has none. */
  lookup(key: UserKey): number {
    const w2 = keyWord(key, 2)
    const w3 = keyWord(key, 3)
    const slots = at(this.#segments, w3 % SEGMENTS)
    if (slots.length === 0) return 0
    return word(slots, this.#probe(slots, keyWord(key, 0), keyWord(key, 1), w2, w3))
  }

  /**
   * Makes the number stand for the key. Of two numbers of one key the greater counts; the lesser still names the key in
   * `keyOf`, because rows may hold it. One number for two keys is a bug and throws.
   */
  add(key: UserKey, number: number): void {
    assert(number >= 1 && number <= NAME_NUMBER_MAX && Number.isInteger(number), 'name number')
    const w0 = keyWord(key, 0)
    const w1 = keyWord(key, 1)
    const w2 = keyWord(key, 2)
    const w3 = keyWord(key, 3)
    this.#writeKey(number, w0, w1, w2, w3)
    const segment = w3 % SEGMENTS
    const slots = this.#roomIn(segment)
    const slot = this.#probe(slots, w0, w1, w2, w3)
    const standing = word(slots, slot)
    if (standing === 0) {
      this.#used[segment] = word(this.#used, segment) + 1
      this.#size++
    }
    if (number > standing) slots[slot] = number
  }

  /** The key of a number that was added; undefined for others. */
  keyOf(number: number): UserKey | undefined {
    const page = this.#pages[number >>> PAGE_BITS]
    if (page === undefined) return undefined
    const from = (number & PAGE_MASK) * 4
    if (isFree(page, from)) return undefined
    return keyOfWords(
      word(page, from),
      word(page, from + 1),
      word(page, from + 2),
      word(page, from + 3),
    )
  }

  /** The first word of the key: for reading ahead, so that `keyOf` need not wait for memory. */
  firstWord(number: number): number {
    const page = this.#pages[number >>> PAGE_BITS]
    return page === undefined ? 0 : word(page, (number & PAGE_MASK) * 4)
  }

  /** Orders two numbers that were added by their keys, in byte order, as `<` orders UserKeys: -1, 0 or 1. */
  compareKeys(a: number, b: number): number {
    if (a === b) return 0
    const pageA = at(this.#pages, a >>> PAGE_BITS)
    const pageB = at(this.#pages, b >>> PAGE_BITS)
    const fromA = (a & PAGE_MASK) * 4
    const fromB = (b & PAGE_MASK) * 4
    for (let i = 0; i < 4; i++) {
      const wordA = word(pageA, fromA + i)
      const wordB = word(pageB, fromB + i)
      if (wordA !== wordB) return wordA < wordB ? -1 : 1
    }
    return 0
  }

  /** The slot that holds the key's number, or the free one where it belongs. */
  #probe(slots: Uint32Array, w0: number, w1: number, w2: number, w3: number): number {
    const mask = slots.length - 1
    for (let slot = w2 & mask; ; slot = (slot + 1) & mask) {
      const number = word(slots, slot)
      if (number === 0) return slot
      const page = at(this.#pages, number >>> PAGE_BITS)
      const from = (number & PAGE_MASK) * 4
      const isSame =
        word(page, from + 2) === w2 &&
        word(page, from) === w0 &&
        word(page, from + 1) === w1 &&
        word(page, from + 3) === w3
      if (isSame) return slot
    }
  }

  /** The segment, doubled first when it is three quarters full: probes stay short and always end at a free slot. */
  #roomIn(segment: number): Uint32Array {
    const slots = at(this.#segments, segment)
    if ((word(this.#used, segment) + 1) * 4 <= slots.length * 3) return slots
    const grown = new Uint32Array(Math.max(SEGMENT_SLOTS_FIRST, slots.length * 2))
    const mask = grown.length - 1
    for (const number of slots) {
      if (number === 0) continue
      const page = at(this.#pages, number >>> PAGE_BITS)
      let slot = word(page, (number & PAGE_MASK) * 4 + 2) & mask
      while (grown[slot] !== 0) slot = (slot + 1) & mask
      grown[slot] = number
    }
    this.#segments[segment] = grown
    return grown
  }

  #writeKey(number: number, w0: number, w1: number, w2: number, w3: number): void {
    assert((w0 | w1 | w2 | w3) !== 0, 'the key of 16 zero bytes stands for no name')
    const page = (this.#pages[number >>> PAGE_BITS] ??= new Uint32Array((PAGE_MASK + 1) * 4))
    const from = (number & PAGE_MASK) * 4
    const isSame =
      page[from] === w0 && page[from + 1] === w1 && page[from + 2] === w2 && page[from + 3] === w3
    assert(isSame || isFree(page, from), 'a name number stands for one key')
    page[from] = w0
    page[from + 1] = w1
    page[from + 2] = w2
    page[from + 3] = w3
  }
}

function isFree(page: Uint32Array, from: number): boolean {
  return (
    (word(page, from) | word(page, from + 1) | word(page, from + 2) | word(page, from + 3)) === 0
  )
}

/** In one call: a flat string, not one made of pieces. A page makes twenty. */
function keyOfWords(w0: number, w1: number, w2: number, w3: number): UserKey {
  // biome-ignore format: a row a word
  return String.fromCharCode(
    w0 >>> 24, (w0 >>> 16) & 255, (w0 >>> 8) & 255, w0 & 255,
    w1 >>> 24, (w1 >>> 16) & 255, (w1 >>> 8) & 255, w1 & 255,
    w2 >>> 24, (w2 >>> 16) & 255, (w2 >>> 8) & 255, w2 & 255,
    w3 >>> 24, (w3 >>> 16) & 255, (w3 >>> 8) & 255, w3 & 255,
  ) as UserKey
}

/** A read whose index the table's own arithmetic keeps in bounds. */
function word(words: Uint32Array, index: number): number {
  return words[index] as number
}

function at<T>(items: readonly (T | undefined)[], index: number): T {
  return items[index] as T
}
