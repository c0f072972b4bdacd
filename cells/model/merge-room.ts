// The typed arrays of one merge, used again by the next one: a page would otherwise spend as long on making them as on merging.

import { AUTHOR_WORDS, GREATEST_HI, GREATEST_LO, RAISED } from './author-index.ts'
import { MergeHeap } from './merge-heap.ts'
import type { NamesTable } from './names-table.ts'

const ROOM_FIRST = 256
/** The top five levels of a heap: most of a first page of 20. */
const LOOK_AHEAD = 31

export class MergeRoom {
  readonly heap: MergeHeap
  readonly pulls = new WaitingPulls()
  readonly followed = new FollowedWords()
  readonly reaching = new ReachingChains()
  /** Authors whose chains are about to be opened. */
  readonly next = new Uint32Array(LOOK_AHEAD)
  readonly entries = new Float64Array(LOOK_AHEAD)
  /** What was read ahead, kept so that the reads are not left out. */
  touched = 0

  constructor(names: NamesTable) {
    this.heap = new MergeHeap(names)
  }

  clear(): void {
    this.heap.clear()
    this.pulls.clear()
    this.reaching.count = 0
  }
}

/**
 * What the author index knows of those followed, fetched in a loop of its own: its reads at random overlap, so that 200 of
 * them take 4 us, not the 35 us of one after the other.
 */
export class FollowedWords {
  hi = new Uint32Array(ROOM_FIRST)
  lo = new Uint32Array(ROOM_FIRST)
  raised = new Uint32Array(ROOM_FIRST)

  fetch(words: Uint32Array, authors: Uint32Array, count: number): void {
    if (this.hi.length < count) this.#widen(count)
    const { hi, lo, raised } = this
    for (let i = 0; i < count; i++) {
      const at = (authors[i] as number) * AUTHOR_WORDS
      hi[i] = words[at + GREATEST_HI] as number
      lo[i] = words[at + GREATEST_LO] as number
      raised[i] = words[at + RAISED] as number
    }
  }

  #widen(count: number): void {
    this.hi = new Uint32Array(count)
    this.lo = new Uint32Array(count)
    this.raised = new Uint32Array(count)
  }
}

/** Authors whose chains begin above the start of a page, and how far down each was followed. */
export class ReachingChains {
  authors = new Uint32Array(ROOM_FIRST)
  entries = new Uint32Array(ROOM_FIRST)
  hi = new Uint32Array(ROOM_FIRST)
  lo = new Uint32Array(ROOM_FIRST)
  prev = new Uint32Array(ROOM_FIRST)
  count = 0

  add(author: number): void {
    if (this.count === this.authors.length) this.#grow()
    this.authors[this.count++] = author
  }

  #grow(): void {
    const room = this.count * 2
    const { authors } = this
    this.authors = new Uint32Array(room)
    this.authors.set(authors)
    this.entries = new Uint32Array(room)
    this.hi = new Uint32Array(room)
    this.lo = new Uint32Array(room)
    this.prev = new Uint32Array(room)
  }
}

/** Authors whose stored posts a page may need further down, with their coverage as of the page's start. */
export class WaitingPulls {
  authors = new Uint32Array(ROOM_FIRST)
  coveredFrom = new Uint32Array(ROOM_FIRST)
  count = 0
  coveredFromMax = 0
  raisedMax = 0

  add(author: number, coveredFrom: number, raised: number): void {
    if (this.count === this.authors.length) this.#grow()
    this.authors[this.count] = author
    this.coveredFrom[this.count++] = coveredFrom
    if (coveredFrom > this.coveredFromMax) this.coveredFromMax = coveredFrom
    if (raised > this.raisedMax) this.raisedMax = raised
  }

  clear(): void {
    this.count = 0
    this.coveredFromMax = 0
    this.raisedMax = 0
  }

  #grow(): void {
    const { authors, coveredFrom } = this
    this.authors = new Uint32Array(this.count * 2)
    this.coveredFrom = new Uint32Array(this.count * 2)
    this.authors.set(authors)
    this.coveredFrom.set(coveredFrom)
  }
}
