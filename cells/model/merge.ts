// The merge behind every page: window chains, inbox chunks and authors' stored posts, as one sequence in dashboard order (post id
// descending, then author key ascending), each post once. Pure: where a source must be read from the store, the merge stops and
// says which; the caller reads it and hands it in.
//
// A heap holds one item a source. Sources that were not looked at yet are in it as bounds ("nothing above this id comes from
// here"), so a page touches only what lies above its end: an author's chain is opened when the page gets to the author's
// greatest id, an author's stored posts and the inbox's next chunks likewise. A bound sorts before a post of the same id.
//
// What authors may have in the store is one bound together, opened when the page gets to the greatest of their bounds; coverage
// counts as of the merge's start.
//
// Cost of a first page of 20 for 200 followed authors: 200 random reads of 16 bytes, a heap of 200, about 20 chain steps.

import { type AuthorIndex, UNCOVERED } from './author-index.ts'
import type { MergeHeap } from './merge-heap.ts'
import type { FollowedWords, MergeRoom } from './merge-room.ts'
import type { MergeWay } from './merge-way.ts'
import type { NumberMap } from './number-map.ts'
import { goneBound, halvesBelowSecond, type IdHalves, lesser, pullBound } from './pull-bound.ts'
import { COVERED_FROM, NOT_COVERED } from './reader.ts'
import type { PostWindow } from './window.ts'
import { WINDOW_BLOCK } from './window-pages.ts'

/** Posts in dashboard order; `authorReblog` is author * 2 + (1 if it is a reblog). */
export type PostRun = {
  readonly hi: Uint32Array
  readonly lo: Uint32Array
  readonly authorReblog: Uint32Array
  readonly length: number
}

/** Strictly below this place; author as its 128-bit key's order is decided by `isAfter`. */
export type MergeStart = {
  readonly hi: number
  readonly lo: number
  /** Whether a post of this author with exactly the start's id lies below the start. */
  isAfter(author: number): boolean
}

export type FollowedOptions = {
  readonly floor: number
  /** Decides by what the author index knows of those followed. */
  readonly way: (followed: FollowedWords, count: number) => MergeWay
}

export type MergeStep = 'post' | 'open-inbox' | 'open-author' | 'end'

// Bounds, up to LAST_BOUND of the heap, then posts.
const INBOX_BOUND = 0
const PULLS_BOUND = 1
const PULL_BOUND = 2
const CHAIN_BOUND = 3
const WALK_BOUND = 4
const CHAIN = 5
const SINGLE = 6
const RUN = 7
/** Chains that go on above the start are longer than most: each is looked for by itself. */
const STEPS_TOGETHER = 24

export class DashboardMerge {
  readonly #window: PostWindow
  readonly #authors: AuthorIndex
  readonly #start: MergeStart
  readonly #room: MergeRoom
  readonly #heap: MergeHeap
  /** Greatest id that any of the waiting pulls may have. */
  #pullsBound: IdHalves = [0, 0]
  readonly #runs: { readonly run: PostRun; at: number }[] = []
  #walk: { seq: number; follows: (author: number) => boolean } | undefined
  /** How the posts of the window are found, and the entries that were walked past. */
  way: MergeWay = 'chains'
  walked = 0

  /** The post `next` stopped at. `entry` is its window entry, or -1. */
  hi = 0
  lo = 0
  author = 0
  isReblog = false
  entry = -1
  #isBegun = false
  #lastHi = -1
  #lastLo = -1
  #lastAuthor = -1

  /** Followed authors who have posts of which an inbox may have some. */
  covered = 0

  /** The room must be cleared, and is the merge's until its last step. */
  constructor(options: {
    window: PostWindow
    authors: AuthorIndex
    start: MergeStart
    room: MergeRoom
  }) {
    this.#window = options.window
    this.#authors = options.authors
    this.#start = options.start
    this.#room = options.room
    this.#heap = options.room.heap
  }

  /**
   * Adds the sources of everyone followed: their posts in the window, by their chains or by walking it, and what of theirs only
   * the store may have. `edges` are compact; from the second `floor` on at the earliest they are covered.
   */
  addFollowed(edges: NumberMap, options: FollowedOptions): void {
    const { floor } = options
    const { keys, words: edgeWords, size } = edges
    const { pulls, followed } = this.#room
    followed.fetch(this.#authors.words, keys, size)
    this.way = options.way(followed, size)
    const isWalked = this.way === 'walk'
    if (isWalked) this.#addWalk((author) => edges.has(author))
    for (let i = 0; i < size; i++) {
      const author = keys[i] as number
      const hi = followed.hi[i] as number
      const lo = followed.lo[i] as number
      if (hi === 0 && lo === 0) continue
      if (!isWalked) this.#addChain(author, hi, lo)
      const raised = followed.raised[i] as number
      const coveredFrom = Math.max((edgeWords[i] as number) & COVERED_FROM, raised, floor)
      if (raised !== UNCOVERED && coveredFrom !== NOT_COVERED) this.covered++
      if (raised === UNCOVERED) this.addPull(author, ...this.#pullBound(author, coveredFrom))
      else if (coveredFrom !== 0) {
        pulls.add(author, coveredFrom, raised === 0 ? 0 : this.#authors.raisedByPosts(author))
      }
    }
    this.#openReaching()
    if (pulls.count === 0) return
    const gone = goneBound(this.#window, pulls.raisedMax)
    this.#pullsBound = lesser(gone, halvesBelowSecond(pulls.coveredFromMax))
    this.#addBound(PULLS_BOUND, 0, ...this.#pullsBound)
  }

  #addChain(author: number, hi: number, lo: number): void {
    const { hi: startHi, lo: startLo } = this.#start
    const isReaching = hi > startHi || (hi === startHi && lo >= startLo)
    if (isReaching) this.#room.reaching.add(author)
    else this.#addBound(CHAIN_BOUND, author, hi, lo)
  }

  /** Opens the chains that begin above the start, step by step all together: so their reads at random overlap. */
  #openReaching(): void {
    const { authors, entries, count } = this.#room.reaching
    const window = this.#window
    let left = 0
    for (let i = 0; i < count; i++) {
      const author = authors[i] as number
      const entry = window.newest(author)
      if (entry < 0) continue
      authors[left] = author
      entries[left++] = entry
    }
    for (let steps = 0; left > 0 && steps < STEPS_TOGETHER; steps++) left = this.#stepDown(left)
    const { hi, lo } = this.#start
    for (let i = 0; i < left; i++) {
      const author = authors[i] as number
      const entry = window.firstBelow(author, hi, lo, this.#start.isAfter(author))
      if (entry >= 0) {
        this.#heap.push(window.hiAt(entry), window.loAt(entry), CHAIN, entry, author)
      }
    }
  }

  /** One step down the first `count` reaching chains; adds those that came below the start, and answers how many did not. */
  #stepDown(count: number): number {
    const { reaching } = this.#room
    const { authors, entries, hi, lo, prev } = reaching
    const window = this.#window
    window.fetch(entries, count, reaching)
    let left = 0
    for (let i = 0; i < count; i++) {
      const author = authors[i] as number
      if (this.#isIdBelowStart(hi[i] as number, lo[i] as number, author)) {
        this.#heap.push(hi[i] as number, lo[i] as number, CHAIN, entries[i] as number, author)
        continue
      }
      const older = prev[i] as number
      if (!window.isInside(older)) continue
      authors[left] = author
      entries[left++] = older
    }
    return left
  }

  /** All posts of the window whose author passes, found by walking it newest first. */
  #addWalk(follows: (author: number) => boolean): void {
    if (this.#window.size === 0) return
    this.#walk = { seq: this.#window.head - 1, follows }
    this.#addWalkBound()
  }

  /** The author's stored posts at or below the id. */
  addPull(author: number, boundHi: number, boundLo: number): void {
    if (boundHi !== 0 || boundLo !== 0) this.#addBound(PULL_BOUND, author, boundHi, boundLo)
  }

  /** The inbox from here on: no entry above the id. */
  addInbox(boundHi: number, boundLo: number): void {
    this.#addBound(INBOX_BOUND, 0, boundHi, boundLo)
  }

  /** Posts read from the store; what lies above the start is passed over. */
  addRun(run: PostRun): void {
    let at = 0
    while (at < run.length && !this.#isBelowStart(run, at)) at++
    if (at === run.length) return
    this.#runs.push({ run, at })
    this.#pushRun(run, at, this.#runs.length - 1)
  }

  /** Moves to the next post, or to the source that must be opened before it is known. */
  next(): MergeStep {
    const heap = this.#heap
    if (!this.#isBegun) this.#begin()
    while (heap.size > 0) {
      const { kind } = heap
      if (kind === INBOX_BOUND) return this.#stopAtBound('open-inbox')
      if (kind === PULL_BOUND) return this.#stopAtBound('open-author')
      if (kind === CHAIN_BOUND) this.#openChain()
      else if (kind === PULLS_BOUND) this.#openPulls()
      else if (kind === WALK_BOUND) this.#openWalk()
      else if (this.#takePost(kind)) return 'post'
    }
    return 'end'
  }

  #begin(): void {
    this.#isBegun = true
    this.#heap.order()
    this.#lookAhead()
  }

  /** Reads at random in loops of their own overlap: a first page takes 5 us less when its chains were looked at before. */
  #lookAhead(): void {
    const { next, entries } = this.#room
    const window = this.#window
    const count = this.#heap.peek(CHAIN_BOUND, next)
    for (let i = 0; i < count; i++) entries[i] = window.newest(next[i] as number)
    let touched = 0
    for (let i = 0; i < count; i++) {
      const older = entries[i] === -1 ? -1 : window.older(entries[i] as number)
      if (older >= 0) touched += window.hiAt(older)
    }
    this.#room.touched = touched
  }

  /** Where the opened source starts: the bound's id, inclusive. */
  #stopAtBound(step: MergeStep): MergeStep {
    this.hi = this.#heap.hi
    this.lo = this.#heap.lo
    this.author = this.#heap.ref
    this.#heap.pop()
    return step
  }

  /** Each author's stored posts from now on for themselves. None may come above the place that was reached. */
  #openPulls(): void {
    this.#heap.pop()
    const { authors, coveredFrom, count } = this.#room.pulls
    for (let i = 0; i < count; i++) {
      const author = authors[i] as number
      const bound = this.#pullBound(author, coveredFrom[i] as number)
      this.addPull(author, ...lesser(bound, this.#pullsBound))
    }
  }

  #pullBound(author: number, coveredFrom: number): IdHalves {
    return pullBound({ window: this.#window, authors: this.#authors, author, coveredFrom })
  }

  /** At the bound, not at the chain's head: a post that came during the read may lie above what was shown already. */
  #openChain(): void {
    const { ref: author, hi, lo } = this.#heap
    const isAtStart = hi === this.#start.hi && lo === this.#start.lo
    const entry = this.#window.firstBelow(author, hi, lo, !isAtStart || this.#start.isAfter(author))
    this.#goOn(entry, author)
  }

  /** The chain on top goes on with this entry; -1 ends it. */
  #goOn(entry: number, author: number): void {
    const window = this.#window
    if (entry < 0) this.#heap.pop()
    else this.#heap.replaceTop(window.hiAt(entry), window.loAt(entry), CHAIN, entry, author)
  }

  #openWalk(): void {
    this.#heap.pop()
    const walk = this.#walk
    if (walk === undefined) return
    const window = this.#window
    // Runs that lie above the start altogether are passed over.
    while (walk.seq >= window.tail && window.blocks.minHi(walk.seq) > this.#start.hi) {
      walk.seq -= (walk.seq % WINDOW_BLOCK) + 1
    }
    const first = Math.max(window.tail, walk.seq - (walk.seq % WINDOW_BLOCK))
    this.walked += Math.max(0, walk.seq - first + 1)
    for (let seq = walk.seq; seq >= first; seq--) {
      const entry = seq >>> 0
      const author = window.authorAt(entry)
      if (author === 0 || !this.#isEntryBelowStart(entry, author) || !walk.follows(author)) continue
      this.#heap.push(window.hiAt(entry), window.loAt(entry), SINGLE, entry, author)
    }
    walk.seq = first - 1
    if (walk.seq >= window.tail) this.#addWalkBound()
    else this.#walk = undefined
  }

  #addWalkBound(): void {
    const seq = this.#walk?.seq ?? 0
    const blocks = this.#window.blocks
    this.#addBound(WALK_BOUND, 0, blocks.maxHi(seq), blocks.maxLo(seq))
  }

  /** Takes the post on top and lets its source go on; false when it was shown already. */
  #takePost(kind: number): boolean {
    const { ref } = this.#heap
    this.hi = this.#heap.hi
    this.lo = this.#heap.lo
    if (kind === RUN) this.#takeFromRun(ref)
    else {
      this.entry = ref
      this.author = this.#window.authorAt(ref)
      this.isReblog = this.#window.isReblogAt(ref)
      this.#goOn(kind === CHAIN ? this.#window.older(ref) : -1, this.#heap.author)
    }
    if (this.author === 0) return false
    if (this.hi === this.#lastHi && this.lo === this.#lastLo && this.author === this.#lastAuthor)
      return false
    this.#lastHi = this.hi
    this.#lastLo = this.lo
    this.#lastAuthor = this.author
    return true
  }

  #takeFromRun(index: number): void {
    const source = this.#runs[index]
    if (source === undefined) throw new Error(`run ${index} was never added`)
    const { run, at } = source
    this.entry = -1
    this.author = (run.authorReblog[at] as number) >>> 1
    this.isReblog = ((run.authorReblog[at] as number) & 1) === 1
    this.#heap.pop()
    source.at++
    if (source.at < run.length) this.#pushRun(run, source.at, index)
  }

  #isBelowStart(run: PostRun, at: number): boolean {
    const hi = run.hi[at] as number
    const lo = run.lo[at] as number
    if (hi !== this.#start.hi) return hi < this.#start.hi
    if (lo !== this.#start.lo) return lo < this.#start.lo
    return this.#start.isAfter((run.authorReblog[at] as number) >>> 1)
  }

  #isEntryBelowStart(entry: number, author: number): boolean {
    return this.#isIdBelowStart(this.#window.hiAt(entry), this.#window.loAt(entry), author)
  }

  #isIdBelowStart(hi: number, lo: number, author: number): boolean {
    if (hi !== this.#start.hi) return hi < this.#start.hi
    return lo === this.#start.lo ? this.#start.isAfter(author) : lo < this.#start.lo
  }

  #pushRun(run: PostRun, at: number, index: number): void {
    const author = (run.authorReblog[at] as number) >>> 1
    this.#heap.push(run.hi[at] as number, run.lo[at] as number, RUN, index, author)
  }

  /** Adds a bound, at most at the start: nothing above the start is wanted. */
  #addBound(kind: number, ref: number, hi: number, lo: number): void {
    if (hi === 0 && lo === 0) return
    const { hi: startHi, lo: startLo } = this.#start
    const isAbove = hi > startHi || (hi === startHi && lo > startLo)
    this.#heap.push(isAbove ? startHi : hi, isAbove ? startLo : lo, kind, ref, 0)
  }
}
