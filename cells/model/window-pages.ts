// Where the window keeps its numbers: pages of 32,768 entries, made when entries reach them and let go when all of theirs left.
// So the window grows without copying and holds no more than a page of room it does not use.
//
//     entry (seq modulo 2^32) -> page (entry >>> 15) -> [hi, lo, author and reblog bit, prev] side by side: one cache line
//
// After its entries a page holds bounds for each run of 1,024 of them: the greatest id in the run and everything older (so that
// a walk newest first knows when nothing greater can follow), and the smallest id in it.
//
// Cost: 16 bytes an entry, and 16 a run.

export const WINDOW_BLOCK = 1024
const PAGE_BITS = 15
const PAGE_ENTRIES = 1 << PAGE_BITS
const PAGE_MASK = PAGE_ENTRIES - 1
const ENTRY_WORDS = 4
const LO = 1
const AUTHOR = 2
const PREV = 3
const BOUNDS_AT = PAGE_ENTRIES * ENTRY_WORDS
const BOUNDS_WORDS = 4
const PAGE_WORDS = BOUNDS_AT + (PAGE_ENTRIES / WINDOW_BLOCK) * BOUNDS_WORDS
const NO_PAGE = new Uint32Array(0)
const PLACES_FIRST = 4

/** Room for what is fetched, in the order of the entries. */
export type FetchedEntries = {
  readonly hi: Uint32Array
  readonly lo: Uint32Array
  /** The next older entry of the same author, if `isInside`. */
  readonly prev: Uint32Array
}

export class WindowPages {
  /** Page p is at place p modulo their number, a power of two. */
  #places: Uint32Array<ArrayBuffer>[] = Array.from({ length: PLACES_FIRST }, () => NO_PAGE)
  #mask = PLACES_FIRST - 1
  /** Pages [#first, #end) are there. */
  #first = 0
  #end = 0
  /** The page let go last, for the next one. */
  #spare: Uint32Array<ArrayBuffer> | undefined
  #greatestHi = 0
  #greatestLo = 0

  /** Entries that there is room for. */
  get capacity(): number {
    return (this.#end - this.#first) * PAGE_ENTRIES
  }

  get bytes(): number {
    const pages = this.#end - this.#first + (this.#spare === undefined ? 0 : 1)
    return pages * PAGE_WORDS * Uint32Array.BYTES_PER_ELEMENT
  }

  hi(entry: number): number {
    return this.#page(entry)[(entry & PAGE_MASK) * ENTRY_WORDS] as number
  }

  lo(entry: number): number {
    return this.#page(entry)[(entry & PAGE_MASK) * ENTRY_WORDS + LO] as number
  }

  author(entry: number): number {
    return this.#page(entry)[(entry & PAGE_MASK) * ENTRY_WORDS + AUTHOR] as number
  }

  setAuthor(entry: number, author: number): void {
    this.#page(entry)[(entry & PAGE_MASK) * ENTRY_WORDS + AUTHOR] = author
  }

  prev(entry: number): number {
    return this.#page(entry)[(entry & PAGE_MASK) * ENTRY_WORDS + PREV] as number
  }

  setPrev(entry: number, prev: number): void {
    this.#page(entry)[(entry & PAGE_MASK) * ENTRY_WORDS + PREV] = prev
  }

  /** Ids and links of some entries, fetched in a loop of its own: its reads at random overlap. */
  fetch(entries: Uint32Array, count: number, into: FetchedEntries): void {
    const { hi, lo, prev } = into
    for (let i = 0; i < count; i++) {
      const entry = entries[i] as number
      const page = this.#page(entry)
      const at = (entry & PAGE_MASK) * ENTRY_WORDS
      hi[i] = page[at] as number
      lo[i] = page[at + LO] as number
      prev[i] = page[at + PREV] as number
    }
  }

  /** Writes the entry at the sequence number; those before it are there. Its `prev` is set by itself. */
  append(seq: number, hi: number, lo: number, author: number): void {
    const page = this.#page(seq)
    const at = (seq & PAGE_MASK) * ENTRY_WORDS
    page[at] = hi
    page[at + LO] = lo
    page[at + AUTHOR] = author
    this.#noteBounds(page, seq, hi, lo)
  }

  /** Makes room for the entry at the sequence number. */
  reach(seq: number): void {
    if (seq < this.#end * PAGE_ENTRIES) return
    if (this.#end - this.#first > this.#mask) this.#widen()
    this.#places[this.#end & this.#mask] = this.#spare ?? new Uint32Array(PAGE_WORDS)
    this.#spare = undefined
    this.#end++
  }

  /** Lets go of pages with nothing at or after the sequence number. */
  release(seq: number): void {
    while ((this.#first + 1) * PAGE_ENTRIES <= seq && this.#first < this.#end) {
      const place = this.#first++ & this.#mask
      this.#spare = this.#places[place]
      this.#places[place] = NO_PAGE
    }
  }

  maxHi(seq: number): number {
    return this.#page(seq)[boundsAt(seq)] as number
  }

  maxLo(seq: number): number {
    return this.#page(seq)[boundsAt(seq) + 1] as number
  }

  minHi(seq: number): number {
    return this.#page(seq)[boundsAt(seq) + 2] as number
  }

  minLo(seq: number): number {
    return this.#page(seq)[boundsAt(seq) + 3] as number
  }

  #noteBounds(page: Uint32Array, seq: number, hi: number, lo: number): void {
    if (hi > this.#greatestHi || (hi === this.#greatestHi && lo > this.#greatestLo)) {
      this.#greatestHi = hi
      this.#greatestLo = lo
    }
    const at = boundsAt(seq)
    page[at] = this.#greatestHi
    page[at + 1] = this.#greatestLo
    const minHi = page[at + 2] as number
    const isFirst = seq % WINDOW_BLOCK === 0
    if (isFirst || hi < minHi || (hi === minHi && lo < (page[at + 3] as number))) {
      page[at + 2] = hi
      page[at + 3] = lo
    }
  }

  #page(entry: number): Uint32Array<ArrayBuffer> {
    return this.#places[(entry >>> PAGE_BITS) & this.#mask] as Uint32Array<ArrayBuffer>
  }

  #widen(): void {
    const mask = this.#places.length * 2 - 1
    const places = Array.from({ length: mask + 1 }, () => NO_PAGE)
    for (let page = this.#first; page < this.#end; page++) {
      places[page & mask] = this.#places[page & this.#mask] as Uint32Array<ArrayBuffer>
    }
    this.#places = places
    this.#mask = mask
  }
}

function boundsAt(seq: number): number {
  return BOUNDS_AT + ((seq & PAGE_MASK) >>> 10) * BOUNDS_WORDS
}
