// The window: the newest posts of all authors, as numbers: 16 bytes a post (window-pages.ts). Entries stand in the order they were
// applied (`seq` counts them for ever); the posts of one author are chained in id order, greatest id first:
//
//   AuthorIndex head --> entry --prev--> entry --prev--> ... until a link leaves the window
//
// A publish costs the same for every author: one entry and one link. Links are seq modulo 2^32 and valid while they lie in the
// window. A late post with a smaller id is linked beneath newer ones; when the entry above it is dropped first, it is relinked.
// Long chains get marks where walks went past (chain-marks.ts).

import { AUTHOR_WORDS, type AuthorIndex, HEAD } from './author-index.ts'
import { ChainMarks, Footsteps } from './chain-marks.ts'
import { type FetchedEntries, WINDOW_BLOCK, WindowPages } from './window-pages.ts'

const REBLOG = 0x8000_0000
const AUTHOR = 0x7fff_ffff
/** Steps of a walk before it asks for marks. */
const STEPS_UNMARKED = 32

export type WindowPin = { readonly tail: number }
export type BlockBounds = Pick<WindowPages, 'maxHi' | 'maxLo' | 'minHi' | 'minLo'>

export class PostWindow {
  readonly #authors: AuthorIndex
  readonly #pages = new WindowPages()
  #head = 0
  #tail = 0
  #droppedHi = 0
  #droppedLo = 0
  readonly #pins = new Set<WindowPin>()
  readonly #marks = new ChainMarks({
    isOf: (entry, author) => this.isInside(entry) && this.authorAt(entry) === author,
    isAbove: (entry, hi, lo) => this.#isBelow(hi, lo, entry),
  })

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
    return this.#pages.capacity
  }

  get bytes(): number {
    return this.#pages.bytes
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
    const pages = this.#pages
    pages.reach(this.#head)
    const seq = this.#head >>> 0
    const top = this.#headOf(author)
    if (top < 0) {
      pages.setPrev(seq, (this.#tail - 1) >>> 0)
      this.#setHead(author, seq)
    } else if (this.#isAbove(hi, lo, top)) {
      pages.setPrev(seq, top)
      this.#setHead(author, seq)
    } else {
      const above = this.#lastAbove(author, hi, lo)
      const below = above < 0 ? top : this.older(above)
      if (below >= 0 && pages.hi(below) === hi && pages.lo(below) === lo) return false
      pages.setPrev(seq, pages.prev(above))
      pages.setPrev(above, seq)
    }
    pages.append(this.#head, hi, lo, reblog ? (author | REBLOG) >>> 0 : author)
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
    this.#pages.setAuthor(entry, 0)
    return true
  }

  /** The author's newest entry, or -1. Entries are seq modulo 2^32. */
  newest(author: number): number {
    return this.#headOf(author)
  }

  /** The next older entry of the same author, or -1. */
  older(entry: number): number {
    const prev = this.#pages.prev(entry)
    return this.isInside(prev) ? prev : -1
  }

  /** The author's greatest entry with an id below (or at, when `inclusive`) the given one, or -1. */
  firstBelow(author: number, hi: number, lo: number, inclusive: boolean): number {
    const above = this.#lastAbove(author, hi, lo)
    let entry = above < 0 ? this.#headOf(author) : this.older(above)
    if (inclusive || entry < 0) return entry
    const isSame = this.hiAt(entry) === hi && this.loAt(entry) === lo
    return isSame ? this.older(entry) : entry
  }

  /** Ids and next older entries of many entries at once; those that are not inside end their chains. */
  fetch(entries: Uint32Array, count: number, into: FetchedEntries): void {
    this.#pages.fetch(entries, count, into)
  }

  isInside(seq: number): boolean {
    return (seq - this.#tail) >>> 0 < this.size
  }

  hiAt(entry: number): number {
    return this.#pages.hi(entry)
  }

  loAt(entry: number): number {
    return this.#pages.lo(entry)
  }

  /** 0 where the post was deleted. */
  authorAt(entry: number): number {
    return this.#pages.author(entry) & AUTHOR
  }

  isReblogAt(entry: number): boolean {
    return this.#pages.author(entry) >= REBLOG
  }

  /** Upper bound of all ids at or below this run of 1,024 entries, and lower bound of those in it. */
  get blocks(): BlockBounds {
    return this.#pages
  }

  /** At most so many entries are newer than those with such an id. O(log n): by runs of 1,024. */
  entriesAbove(hi: number): number {
    const [tail, head] = [this.#tail, this.#head]
    let low = Math.floor(tail / WINDOW_BLOCK)
    let high = Math.ceil(head / WINDOW_BLOCK)
    while (low < high) {
      const middle = (low + high) >>> 1
      const seq = Math.max(tail, middle * WINDOW_BLOCK)
      if (this.#pages.maxHi(seq) >= hi) high = middle
      else low = middle + 1
    }
    return Math.max(0, head - Math.max(tail, low * WINDOW_BLOCK))
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
      const prev = this.#pages.prev(at)
      const ahead = (prev - at) >>> 0
      if (ahead === 0 || ahead >= this.#head - at || cut.has(author)) continue
      this.#cutBefore(end, author)
      cut.add(author)
    }
    this.#tail = Math.max(from, end)
    this.#marks.sweep()
    this.#pages.release(this.#tail)
    return this.#tail - from
  }

  /** Links what stays of the author's chain past everything before `end`. */
  #cutBefore(end: number, author: number): void {
    const going = end - this.#tail
    let above = -1
    const link = (entry: number): void => {
      if (above < 0) this.#setHead(author, entry)
      else this.#pages.setPrev(above, entry)
    }
    for (let entry = this.#headOf(author); entry >= 0; entry = this.older(entry)) {
      if ((entry - this.#tail) >>> 0 < going) continue
      link(entry)
      above = entry
    }
    link((this.#tail - 1) >>> 0)
  }

  /** Where the chain leads above the given entry is linked past it. */
  #unlink(author: number, entry: number): void {
    const next = this.#pages.prev(entry)
    const above = this.#lastAbove(author, this.hiAt(entry), this.loAt(entry))
    if (above < 0) this.#setHead(author, next)
    else this.#pages.setPrev(above, next)
  }

  #headOf(author: number): number {
    const head = this.#authors.words[author * AUTHOR_WORDS + HEAD] as number
    return this.isInside(head) && this.authorAt(head) === author ? head : -1
  }

  #setHead(author: number, seq: number): void {
    this.#authors.words[author * AUTHOR_WORDS + HEAD] = seq
  }

  #isAbove(hi: number, lo: number, entry: number): boolean {
    const entryHi = this.hiAt(entry)
    return hi > entryHi || (hi === entryHi && lo > this.loAt(entry))
  }

  #isBelow(hi: number, lo: number, entry: number): boolean {
    const entryHi = this.hiAt(entry)
    return hi < entryHi || (hi === entryHi && lo < this.loAt(entry))
  }

  /** The last entry of the author's chain whose id is above, or -1. */
  #lastAbove(author: number, hi: number, lo: number): number {
    let above = -1
    let entry = this.#headOf(author)
    for (let steps = 0; entry >= 0 && this.#isBelow(hi, lo, entry); steps++) {
      if (steps === STEPS_UNMARKED) return this.#lastAboveFar(author, hi, lo)
      above = entry
      entry = this.older(entry)
    }
    return above
  }

  #lastAboveFar(author: number, hi: number, lo: number): number {
    const start = this.#marks.above(author, hi, lo)
    const way = new Footsteps()
    let above = start < 0 ? this.#headOf(author) : start
    for (;;) {
      const entry = this.older(above)
      if (entry < 0 || !this.#isBelow(hi, lo, entry)) break
      way.pass(entry)
      above = entry
    }
    if (way.entries.length > 0) this.#marks.add(author, start, way.entries)
    return above
  }
}
