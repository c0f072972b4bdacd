// What a cell knows of every author, in typed arrays indexed by the author's number: 17 bytes an author. One author's hot words
// share a cache line, because a page touches 200 authors at random:
//
//   word 0, 1   greatest id applied (hi, lo), marks and imports included: an upper bound of every id the cell knows of the author
//   word 2      raised: coverage of every edge to this author starts at this second at the earliest; UNCOVERED while pulled
//   word 3      head of the author's chain in the window (see window.ts)
//
// Coverage is in whole seconds since 2000: "from this second on, inbox and window hold all of the author's posts". Rounding up
// covers less, which is always safe.

import { secondOfHalves } from './post-id.ts'

/** Covers nothing. Larger than every second an id can have until 2068. */
export const UNCOVERED = 0x7fff_ffff

export const GREATEST_HI = 0
export const GREATEST_LO = 1
export const RAISED = 2
export const HEAD = 3
export const AUTHOR_WORDS = 4

/** Authors whose greatest ids are stored together in one row. */
export const AUTHORS_PER_BLOCK = 1024

const DELETED = 1
const LEFT_OUT = 2

export class AuthorIndex {
  words = new Uint32Array(AUTHOR_WORDS * AUTHORS_PER_BLOCK)
  #flags = new Uint8Array(AUTHORS_PER_BLOCK)
  /** The raise that counts once a pulled author is delivered again. */
  readonly #raisedBeneath = new Map<number, number>()
  /** Of authors delivered again: their raise but for what that added, as it kept no post out of the window. */
  readonly #raisedByPosts = new Map<number, number>()
  readonly #dirtyBlocks = new Set<number>()

  /** Makes room for numbers below `end`. */
  reserve(end: number): void {
    const capacity = this.#flags.length
    if (end <= capacity) return
    const grown = Math.max(capacity * 2, Math.ceil(end / AUTHORS_PER_BLOCK) * AUTHORS_PER_BLOCK)
    const words = new Uint32Array(grown * AUTHOR_WORDS)
    words.set(this.words)
    this.words = words
    const flags = new Uint8Array(grown)
    flags.set(this.#flags)
    this.#flags = flags
  }

  /** Whether the id lies above everything applied of the author: then it is surely new. */
  isAboveGreatest(author: number, hi: number, lo: number): boolean {
    const at = author * AUTHOR_WORDS
    const greatestHi = this.words[at + GREATEST_HI] as number
    return hi > greatestHi || (hi === greatestHi && lo > (this.words[at + GREATEST_LO] as number))
  }

  noteId(author: number, hi: number, lo: number): void {
    if (!this.isAboveGreatest(author, hi, lo)) return
    const at = author * AUTHOR_WORDS
    this.words[at + GREATEST_HI] = hi
    this.words[at + GREATEST_LO] = lo
    this.#dirtyBlocks.add(Math.floor(author / AUTHORS_PER_BLOCK))
  }

  /** Where the coverage of an edge linked now starts: just above the greatest id applied. 0 covers everything. */
  coverageAtLink(author: number): number {
    const at = author * AUTHOR_WORDS
    const hi = this.words[at + GREATEST_HI] as number
    const lo = this.words[at + GREATEST_LO] as number
    return hi === 0 && lo === 0 ? 0 : secondOfHalves(hi, lo) + 1
  }

  raisedOf(author: number): number {
    return this.words[author * AUTHOR_WORDS + RAISED] as number
  }

  /** The raise to store, also of an author who is pulled now. */
  raisedToStore(author: number): number {
    return this.isPulled(author) ? (this.#raisedBeneath.get(author) ?? 0) : this.raisedOf(author)
  }

  /** Up to this second posts may never have entered the window. */
  raisedByPosts(author: number): number {
    const known = this.#raisedByPosts.size === 0 ? undefined : this.#raisedByPosts.get(author)
    return known ?? this.raisedToStore(author)
  }

  /** Forgets what no longer matters: the window has dropped everything before this second. */
  forgetRaisesBefore(second: number): void {
    for (const author of this.#raisedByPosts.keys()) {
      if (this.raisedToStore(author) <= second) this.#raisedByPosts.delete(author)
    }
  }

  raise(author: number, second: number): void {
    const byPosts = this.#raisedByPosts.get(author)
    if (byPosts !== undefined) this.#raisedByPosts.set(author, Math.max(byPosts, second))
    if (this.isPulled(author)) {
      this.#raisedBeneath.set(author, Math.max(this.#raisedBeneath.get(author) ?? 0, second))
    } else {
      this.words[author * AUTHOR_WORDS + RAISED] = Math.max(this.raisedOf(author), second)
    }
  }

  isPulled(author: number): boolean {
    return this.raisedOf(author) === UNCOVERED
  }

  get pulled(): Iterable<number> {
    return this.#raisedBeneath.keys()
  }

  get pulledCount(): number {
    return this.#raisedBeneath.size
  }

  /** From now on reads take nothing of the author from coverage. */
  pull(author: number): void {
    if (this.isPulled(author)) return
    this.#raisedBeneath.set(author, this.raisedOf(author))
    this.words[author * AUTHOR_WORDS + RAISED] = UNCOVERED
  }

  /** From now on coverage counts again, above the raise. */
  unpull(author: number, raised: number): void {
    const beneath = this.#raisedBeneath.get(author) ?? 0
    this.#raisedBeneath.delete(author)
    if (!this.#raisedByPosts.has(author)) this.#raisedByPosts.set(author, beneath)
    this.words[author * AUTHOR_WORDS + RAISED] = Math.max(raised, beneath)
  }

  /** By author number: not 0 where generations leave the author's posts out, pulled or deleted. */
  get leftOut(): Uint8Array {
    return this.#flags
  }

  setLeftOut(author: number, leftOut: boolean): void {
    this.#setFlag(author, LEFT_OUT, leftOut)
  }

  isDeleted(author: number): boolean {
    return ((this.#flags[author] as number) & DELETED) !== 0
  }

  setDeleted(author: number): void {
    this.#setFlag(author, DELETED, true)
  }

  /** Copies of the greatest ids of all blocks changed since the last call, for a checkpoint. 8 bytes an author. */
  takeDirtyBlocks(): { block: number; bytes: Uint8Array }[] {
    const blocks = [...this.#dirtyBlocks].map((block) => ({ block, bytes: this.#packBlock(block) }))
    this.#dirtyBlocks.clear()
    return blocks
  }

  /** Blocks whose write failed are dirty again. */
  markDirty(blocks: readonly number[]): void {
    for (const block of blocks) this.#dirtyBlocks.add(block)
  }

  loadBlock(block: number, bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const first = block * AUTHORS_PER_BLOCK
    this.reserve(first + AUTHORS_PER_BLOCK)
    for (let i = 0; i * 8 < bytes.length; i++) {
      this.words[(first + i) * AUTHOR_WORDS + GREATEST_HI] = view.getUint32(i * 8)
      this.words[(first + i) * AUTHOR_WORDS + GREATEST_LO] = view.getUint32(i * 8 + 4)
    }
  }

  get bytes(): number {
    return this.words.byteLength + this.#flags.byteLength
  }

  #packBlock(block: number): Uint8Array {
    const bytes = new Uint8Array(AUTHORS_PER_BLOCK * 8)
    const view = new DataView(bytes.buffer)
    for (let i = 0; i < AUTHORS_PER_BLOCK; i++) {
      const at = (block * AUTHORS_PER_BLOCK + i) * AUTHOR_WORDS
      view.setUint32(i * 8, this.words[at + GREATEST_HI] ?? 0)
      view.setUint32(i * 8 + 4, this.words[at + GREATEST_LO] ?? 0)
    }
    return bytes
  }

  #setFlag(author: number, flag: number, on: boolean): void {
    const flags = this.#flags[author] as number
    this.#flags[author] = on ? flags | flag : flags & ~flag
  }
}
