// The heap of a merge: one item a source, greatest id on top, in parallel typed arrays that are kept from page to page. Items
// added before the first look are put in order at once, in O(n): of 200 followed authors a first page reaches some twenty.
//
// Of equal ids bounds come before posts (by kind), posts in the order of their authors' keys.

import type { NamesTable } from './names-table.ts'

/** Kinds up to this one are bounds: nothing above their id comes from the source. */
export const LAST_BOUND = 4

const ROOM_FIRST = 512

export class MergeHeap {
  #hi = new Uint32Array(ROOM_FIRST)
  #lo = new Uint32Array(ROOM_FIRST)
  #ref = new Uint32Array(ROOM_FIRST)
  /** Author of the post; 0 of bounds and of deleted posts, which are shown nowhere. */
  #author = new Uint32Array(ROOM_FIRST)
  #kind = new Uint8Array(ROOM_FIRST)
  #size = 0
  #isOrdered = false
  #names: NamesTable

  constructor(names: NamesTable) {
    this.#names = names
  }

  get size(): number {
    return this.#size
  }

  // What is on top; only while `size` is not 0.

  get hi(): number {
    return this.#hi[0] as number
  }

  get lo(): number {
    return this.#lo[0] as number
  }

  get kind(): number {
    return this.#kind[0] as number
  }

  get ref(): number {
    return this.#ref[0] as number
  }

  /** The author of the post on top. */
  get author(): number {
    return this.#author[0] as number
  }

  clear(): void {
    this.#size = 0
    this.#isOrdered = false
  }

  /** To be called before looking at the top. */
  order(): void {
    if (this.#isOrdered) return
    this.#isOrdered = true
    for (let at = (this.#size >>> 1) - 1; at >= 0; at--) this.#sink(at)
  }

  /** Refs of this kind among the first items, into `refs`: about those that come to the top next. Answers how many. */
  peek(kind: number, refs: Uint32Array): number {
    const end = Math.min(this.#size, refs.length)
    let count = 0
    for (let at = 0; at < end; at++) {
      if (this.#kind[at] === kind) refs[count++] = this.#ref[at] as number
    }
    return count
  }

  push(hi: number, lo: number, kind: number, ref: number, author: number): void {
    if (this.#size === this.#hi.length) this.#grow()
    let at = this.#size++
    while (this.#isOrdered && at > 0) {
      const parent = (at - 1) >>> 1
      if (!this.#isBefore(hi, lo, kind, author, parent)) break
      this.#move(parent, at)
      at = parent
    }
    this.#set(at, hi, lo, kind, ref, author)
  }

  pop(): void {
    const last = --this.#size
    if (last <= 0) return
    this.#move(last, 0)
    this.#sink(0)
  }

  replaceTop(hi: number, lo: number, kind: number, ref: number, author: number): void {
    this.#set(0, hi, lo, kind, ref, author)
    this.#sink(0)
  }

  #sink(from: number): void {
    const hi = this.#hi[from] as number
    const lo = this.#lo[from] as number
    const kind = this.#kind[from] as number
    const ref = this.#ref[from] as number
    const author = this.#author[from] as number
    let at = from
    for (;;) {
      let child = at * 2 + 1
      if (child >= this.#size) break
      if (child + 1 < this.#size && this.#isItemBefore(child + 1, child)) child++
      if (this.#isBefore(hi, lo, kind, author, child)) break
      this.#move(child, at)
      at = child
    }
    this.#set(at, hi, lo, kind, ref, author)
  }

  #isItemBefore(item: number, other: number): boolean {
    const hi = this.#hi[item] as number
    const otherHi = this.#hi[other] as number
    if (hi !== otherHi) return hi > otherHi
    const lo = this.#lo[item] as number
    return this.#isBefore(hi, lo, this.#kind[item] as number, this.#author[item] as number, other)
  }

  #isBefore(hi: number, lo: number, kind: number, author: number, other: number): boolean {
    const otherHi = this.#hi[other] as number
    if (hi !== otherHi) return hi > otherHi
    const otherLo = this.#lo[other] as number
    if (lo !== otherLo) return lo > otherLo
    const otherKind = this.#kind[other] as number
    if (kind <= LAST_BOUND || otherKind <= LAST_BOUND) return kind < otherKind
    const otherAuthor = this.#author[other] as number
    if (author === otherAuthor) return kind < otherKind
    if (author === 0 || otherAuthor === 0) return author === 0
    return this.#names.compareKeys(author, otherAuthor) < 0
  }

  #move(from: number, to: number): void {
    this.#hi[to] = this.#hi[from] as number
    this.#lo[to] = this.#lo[from] as number
    this.#kind[to] = this.#kind[from] as number
    this.#ref[to] = this.#ref[from] as number
    this.#author[to] = this.#author[from] as number
  }

  #set(at: number, hi: number, lo: number, kind: number, ref: number, author: number): void {
    this.#hi[at] = hi
    this.#lo[at] = lo
    this.#kind[at] = kind
    this.#ref[at] = ref
    this.#author[at] = author
  }

  #grow(): void {
    const room = this.#hi.length * 2
    this.#hi = widened(this.#hi, room)
    this.#lo = widened(this.#lo, room)
    this.#ref = widened(this.#ref, room)
    this.#author = widened(this.#author, room)
    const kinds = new Uint8Array(room)
    kinds.set(this.#kind)
    this.#kind = kinds
  }
}

function widened(from: Uint32Array<ArrayBuffer>, room: number): Uint32Array<ArrayBuffer> {
  const to = new Uint32Array(room)
  to.set(from)
  return to
}
