// The window: the newest posts of all authors, as numbers in a ring: 16 bytes a post. Entries stand in the order they were
// applied (`seq` counts them for ever); the posts of one author are chained in id order, greatest id first:
//
//   AuthorIndex head --> entry --prev--> entry --prev--> ... until a link leaves the window
//
// A publish costs the same for every author: one entry and one link. Links are seq modulo 2^32 and valid while they lie in the
// window. A late post with a smaller id is linked beneath newer ones; when the entry above it is dropped first, it is relinked.
//
// Beside the ring, for each run of 1,024 entries: the greatest id among it and everything older (so that a walk newest first
// knows when nothing greater can follow) and its smallest id.

import { AUTHOR_WORDS, type AuthorIndex, HEAD } from './author-index.ts'

export const WINDOW_BLOCK = 1024
const REBLOG = 0x8000_0000
const AUTHOR = 0x7fff_ffff
const CAPACITY_MIN = 1 << 14

export type WindowPin = { readonly tail: number }

export class PostWindow {
  readonly #authors: AuthorIndex
  #capacity = CAPACITY_MIN
  #mask = CAPACITY_MIN - 1
  #hi = new Uint32Array(CAPACITY_MIN)
  #lo = new Uint32Array(CAPACITY_MIN)
  #author = new Uint32Array(CAPACITY_MIN)
  #prev = new Uint32Array(CAPACITY_MIN)
  #blocks = new BlockBounds(CAPACITY_MIN / WINDOW_BLOCK)
  #head = 0
  #tail = 0
  #droppedHi = 0
  #droppedLo = 0
  readonly #pins = new Set<WindowPin>()

  constructor(authors: AuthorIndex) {
    this.#authors = authors
  }

  /** Sequence number of the next entry. */
  get head(): number {
    return this.#head
  }

  /** Sequence number of the oldest entry. */
  get tail(): number {
    return this.#tail
  }

  get size(): number {
    return this.#head - this.#tail
  }

  get capacity(): number {
    return this.#capacity
  }

  get bytes(): number {
    return this.#capacity * 16
  }

  /** Greatest id that ever left the window. */
  get droppedHi(): number {
    return this.#droppedHi
  }

  get droppedLo(): number {
    return this.#droppedLo
  }

  /** What is not in the window may have ids up to this one. */
  noteDropped(hi: number, lo: number): void {
    if (hi > this.#droppedHi || (hi === this.#droppedHi && lo > this.#droppedLo)) {
      this.#droppedHi = hi
      this.#droppedLo = lo
    }
  }

  /** Adds a post; false when the author's chain holds the id already. O(1) unless the id is smaller than the author's newest. */
  insert(author: number, hi: number, lo: number, reblog: boolean): boolean {
    // One run short of full: the oldest and the newest run never share their bounds.
    if (this.size + WINDOW_BLOCK > this.#capacity) this.#grow()
    const slot = this.#head & this.#mask
    const seq = this.#head >>> 0
    const top = this.#headOf(author)
    if (top < 0) {
      this.#prev[slot] = (this.#tail - 1) >>> 0
      this.#setHead(author, seq)
    } else if (this.#isAbove(hi, lo, top)) {
      this.#prev[slot] = top
      this.#setHead(author, seq)
    } else {
      const above = this.#lastAtOrAbove(top, hi, lo)
      if (this.#hi[above & this.#mask] === hi && this.#lo[above & this.#mask] === lo) return false
      this.#prev[slot] = this.#prev[above & this.#mask] as number
      this.#prev[above & this.#mask] = seq
    }
    this.#hi[slot] = hi
    this.#lo[slot] = lo
    this.#author[slot] = reblog ? (author | REBLOG) >>> 0 : author
    this.#blocks.note(this.#head, hi, lo)
    this.#head++
    return true
  }

  /** The entry of a post, or -1. Costs a walk along the author's chain down to the id. */
  find(author: number, hi: number, lo: number): number {
    const entry = this.firstBelow(author, hi, lo, true)
    return entry >= 0 && this.hiAt(entry) === hi && this.loAt(entry) === lo ? entry : -1
  }

  /** Takes a deleted post out of its chain; false when it is not there. */
  remove(author: number, hi: number, lo: number): boolean {
    const entry = this.find(author, hi, lo)
    if (entry < 0) return false
    this.#unlink(author, entry)
    this.#author[entry & this.#mask] = 0
    return true
  }

  /** The author's newest entry, or -1. Entries are seq modulo 2^32. */
  newest(author: number): number {
    return this.#headOf(author)
  }

  /** The next older entry of the same author, or -1. */
  older(entry: number): number {
    const prev = this.#prev[entry & this.#mask] as number
    return this.#isInside(prev) ? prev : -1
  }

  /** The author's greatest entry with an id below (or at, when `inclusive`) the given one, or -1. */
  firstBelow(author: number, hi: number, lo: number, inclusive: boolean): number {
    for (let entry = this.#headOf(author); entry >= 0; entry = this.older(entry)) {
      const entryHi = this.hiAt(entry)
      if (entryHi < hi) return entry
      if (entryHi > hi) continue
      const entryLo = this.loAt(entry)
      if (entryLo < lo || (inclusive && entryLo === lo)) return entry
    }
    return -1
  }

  hiAt(entry: number): number {
    return this.#hi[entry & this.#mask] as number
  }

  loAt(entry: number): number {
    return this.#lo[entry & this.#mask] as number
  }

  /** 0 where the post was deleted. */
  authorAt(entry: number): number {
    return (this.#author[entry & this.#mask] as number) & AUTHOR
  }

  isReblogAt(entry: number): boolean {
    return (this.#author[entry & this.#mask] as number) >= REBLOG
  }

  /** Upper bound of all ids at or below this run of 1,024 entries, and lower bound of those in it. */
  get blocks(): BlockBounds {
    return this.#blocks
  }

  /** Keeps entries from being dropped while a read holds on to them. */
  pin(): WindowPin {
    const pin = { tail: this.#tail }
    this.#pins.add(pin)
    return pin
  }

  unpin(pin: WindowPin): void {
    this.#pins.delete(pin)
  }

  /** Drops entries before `seq`, at most down to the oldest pin. Answers how many went. Each chain is walked once at most. */
  drop(seq: number): number {
    const [oldest] = this.#pins
    const end = Math.min(seq, this.#head, oldest?.tail ?? Number.POSITIVE_INFINITY)
    const from = this.#tail
    const cut = new Set<number>()
    for (let at = from; at < end; at++) {
      const author = this.authorAt(at >>> 0)
      if (author === 0) continue
      this.noteDropped(this.hiAt(at >>> 0), this.loAt(at >>> 0))
      // A link to a newer entry would be lost with this one.
      const prev = this.#prev[at & this.#mask] as number
      const ahead = (prev - at) >>> 0
      if (ahead === 0 || ahead >= this.#head - at || cut.has(author)) continue
      this.#cutBefore(end, author)
      cut.add(author)
    }
    this.#tail = Math.max(from, end)
    return this.#tail - from
  }

  /** Links what stays of the author's chain past everything before `end`. */
  #cutBefore(end: number, author: number): void {
    const going = end - this.#tail
    let above = -1
    const link = (entry: number): void => {
      if (above < 0) this.#setHead(author, entry)
      else this.#prev[above & this.#mask] = entry
    }
    for (let entry = this.#headOf(author); entry >= 0; entry = this.older(entry)) {
      if ((entry - this.#tail) >>> 0 < going) continue
      link(entry)
      above = entry
    }
    link((this.#tail - 1) >>> 0)
  }

  /** Where a chain leads above the given entry is linked past it. */
  #unlink(author: number, entry: number): void {
    const next = this.#prev[entry & this.#mask] as number
    let above = this.#headOf(author)
    if (above === entry) {
      this.#setHead(author, next)
      return
    }
    while (above >= 0) {
      const below = this.older(above)
      if (below === entry) {
        this.#prev[above & this.#mask] = next
        return
      }
      above = below
    }
  }

  #headOf(author: number): number {
    const head = this.#authors.words[author * AUTHOR_WORDS + HEAD] as number
    return this.#isInside(head) && this.authorAt(head) === author ? head : -1
  }

  #setHead(author: number, seq: number): void {
    this.#authors.words[author * AUTHOR_WORDS + HEAD] = seq
  }

  #isInside(seq: number): boolean {
    return (seq - this.#tail) >>> 0 < this.size
  }

  #isAbove(hi: number, lo: number, entry: number): boolean {
    const entryHi = this.hiAt(entry)
    return hi > entryHi || (hi === entryHi && lo > this.loAt(entry))
  }

  /** From `top`, whose id is not below: the last entry of the chain whose id is at or above. */
  #lastAtOrAbove(top: number, hi: number, lo: number): number {
    let above = top
    for (;;) {
      const below = this.older(above)
      if (below < 0 || this.#isAbove(hi, lo, below)) return above
      above = below
    }
  }

  #grow(): void {
    const capacity = this.#capacity * 2
    const mask = capacity - 1
    const relay = (from: Uint32Array): Uint32Array<ArrayBuffer> => {
      const to = new Uint32Array(capacity)
      for (let at = this.#tail; at < this.#head; at++)
        to[at & mask] = from[at & this.#mask] as number
      return to
    }
    this.#hi = relay(this.#hi)
    this.#lo = relay(this.#lo)
    this.#author = relay(this.#author)
    this.#prev = relay(this.#prev)
    this.#blocks = this.#blocks.grown(capacity / WINDOW_BLOCK, this.#tail, this.#head)
    this.#capacity = capacity
    this.#mask = mask
  }
}

/** For each run of WINDOW_BLOCK entries: the greatest id at or before it, and the smallest id in it. */
export class BlockBounds {
  readonly #mask: number
  readonly #words: Uint32Array
  #greatestHi = 0
  #greatestLo = 0

  constructor(blocks: number) {
    this.#mask = blocks - 1
    this.#words = new Uint32Array(blocks * 4)
  }

  note(seq: number, hi: number, lo: number): void {
    const at = this.#at(seq)
    if (hi > this.#greatestHi || (hi === this.#greatestHi && lo > this.#greatestLo)) {
      this.#greatestHi = hi
      this.#greatestLo = lo
    }
    this.#words[at] = this.#greatestHi
    this.#words[at + 1] = this.#greatestLo
    const smallestHi = this.#words[at + 2] as number
    const isFirst = seq % WINDOW_BLOCK === 0
    if (isFirst || hi < smallestHi || (hi === smallestHi && lo < (this.#words[at + 3] as number))) {
      this.#words[at + 2] = hi
      this.#words[at + 3] = lo
    }
  }

  maxHi(seq: number): number {
    return this.#words[this.#at(seq)] as number
  }

  maxLo(seq: number): number {
    return this.#words[this.#at(seq) + 1] as number
  }

  minHi(seq: number): number {
    return this.#words[this.#at(seq) + 2] as number
  }

  minLo(seq: number): number {
    return this.#words[this.#at(seq) + 3] as number
  }

  grown(blocks: number, tail: number, head: number): BlockBounds {
    const copy = new BlockBounds(blocks)
    for (let seq = tail - (tail % WINDOW_BLOCK); seq < head; seq += WINDOW_BLOCK) {
      const from = this.#at(seq)
      copy.#words.set(this.#words.subarray(from, from + 4), copy.#at(seq))
    }
    copy.#greatestHi = this.#greatestHi
    copy.#greatestLo = this.#greatestLo
    return copy
  }

  #at(seq: number): number {
    return (Math.floor(seq / WINDOW_BLOCK) & this.#mask) * 4
  }
}
