// Builds a GenerationIndex in steps, so that the event loop goes on meanwhile: each step handles as many posts (or authors) of
// one pass as its budget says. There are up to eleven passes over the posts, of some 5-15 ns a post each.
//
//     count digits -> radix sort by id, a pass for each digit that differs -> order ties -> mark who posted
//     -> number the authors -> tally their posts -> sum -> spread the posts by author
//
// Posts may come in any order. Of equal ids the caller's order of authors decides. A pulled author is left out whole, as its
// class stands when the author is numbered; whichever moment that is, coverage makes the answer right.
// Memory while building: 16 bytes a post beside input and index.

import type { EntryColumns } from './chunk.ts'
import { countBits, GENERATION_POSTS_MAX, GenerationIndex } from './generation.ts'

export type GenerationInput = {
  /** The first `count` posts, at most GENERATION_POSTS_MAX, in any order, each (id, author) once. They must not change until the index is built. */
  readonly posts: EntryColumns
  readonly count: number
  /** Orders two authors of equal ids: negative when the first comes first. */
  readonly tieBreak: (authorA: number, authorB: number) => number
  /** By author number: not 0 where the author is pulled. Authors beyond its end are not. */
  readonly pulled: Uint8Array
}

const DIGIT_BITS = 11
const RADIX = 1 << DIGIT_BITS
const SHIFTS = [0, DIGIT_BITS, 2 * DIGIT_BITS] as const
const LEFT_OUT = 0xffff_ffff

export class GenerationBuilder {
  readonly #posts: EntryColumns
  readonly #count: number
  readonly #tieBreak: (authorA: number, authorB: number) => number
  readonly #pulled: Uint8Array
  readonly #passes: Generator<void, GenerationIndex, void>
  /** Posts by place; each radix pass moves them to `spare` and swaps. */
  #order: Uint32Array
  #spare: Uint32Array
  #authorMax = 0
  #budget = 1
  #built: GenerationIndex | undefined

  constructor(input: GenerationInput) {
    if (input.count > GENERATION_POSTS_MAX) throw new RangeError(`${input.count} posts`)
    this.#posts = input.posts
    this.#count = input.count
    this.#tieBreak = input.tieBreak
    this.#pulled = input.pulled
    this.#order = new Uint32Array(input.count)
    this.#spare = new Uint32Array(input.count)
    this.#passes = this.#build()
  }

  /** Goes on with at most `budget` posts of one pass; whether the index is built. 20,000 take some 0.2 ms. */
  step(budget: number): boolean {
    if (this.#built !== undefined) return true
    this.#budget = Math.max(1, budget)
    const result = this.#passes.next()
    if (result.done === true) this.#built = result.value
    return result.done === true
  }

  /** The index, once a step said that it is built. */
  get index(): GenerationIndex {
    if (this.#built === undefined) throw new Error('the generation is not built yet')
    return this.#built
  }

  *#build(): Generator<void, GenerationIndex, void> {
    yield* this.#sort()
    const count = this.#count
    yield* this.#sliced(count, (from, to) => this.#orderTies(from, to))
    const presence = yield* this.#allocate(2 * ((this.#authorMax >>> 5) + 1))
    yield* this.#sliced(count, (from, to) => this.#markPosting(presence, from, to))
    let posting = 0
    yield* this.#sliced(presence.length / 2, (from, to) => {
      posting = numberAuthors(presence, this.#pulled, { from, to, posting })
    })
    const starts = yield* this.#allocate(posting + 1)
    yield* this.#sliced(count, (from, to) => this.#tally(presence, starts, from, to))
    const ends = new Uint32Array(posting)
    let sum = 0
    yield* this.#sliced(posting, (from, to) => {
      sum = sumUp(starts, ends, { from, to, sum })
    })
    starts[posting] = sum
    const posts = yield* this.#allocate(3 * sum)
    yield* this.#sliced(count, (from, to) => this.#spread(ends, posts, from, to))
    return new GenerationIndex({ size: count, presence, starts, posts })
  }

  *#sliced(end: number, work: (from: number, to: number) => void): Generator<void, void, void> {
    for (let from = 0; from < end; ) {
      const to = Math.min(end, from + this.#budget)
      work(from, to)
      from = to
      yield
    }
  }

  /** Touches what it allocates bit by bit: otherwise the first step of a scattered pass pays for all new memory at once. */
  *#allocate(words: number): Generator<void, Uint32Array, void> {
    const allocated = new Uint32Array(words)
    yield* this.#sliced(words, (from, to) => allocated.fill(0, from, to))
    return allocated
  }

  *#sort(): Generator<void, void, void> {
    const digits = Array.from({ length: 2 * SHIFTS.length }, () => new Uint32Array(RADIX))
    const { hi, lo } = this.#posts
    yield* this.#sliced(this.#count, (from, to) => this.#countDigits(digits, from, to))
    for (const [i, tallies] of digits.entries()) {
      if (tallies.includes(this.#count)) continue
      const column = i < SHIFTS.length ? lo : hi
      const shift = SHIFTS[i % SHIFTS.length] ?? 0
      turnIntoPlaces(tallies)
      yield* this.#sliced(this.#count, (from, to) => {
        for (let place = from; place < to; place++) {
          const post = at(this.#order, place)
          const digit = (at(column, post) >>> shift) & (RADIX - 1)
          const target = at(tallies, digit)
          tallies[digit] = target + 1
          this.#spare[target] = post
        }
      })
      const sorted = this.#spare
      this.#spare = this.#order
      this.#order = sorted
    }
  }

  #countDigits(digits: readonly Uint32Array[], from: number, to: number): void {
    const { hi, lo, authorReblog } = this.#posts
    for (let post = from; post < to; post++) {
      this.#order[post] = post
      this.#spare[post] = 0
      this.#authorMax = Math.max(this.#authorMax, at(authorReblog, post) >>> 1)
    }
    for (const [i, tallies] of digits.entries()) {
      const column = i < SHIFTS.length ? lo : hi
      const shift = SHIFTS[i % SHIFTS.length] ?? 0
      for (let post = from; post < to; post++) {
        const digit = (at(column, post) >>> shift) & (RADIX - 1)
        tallies[digit] = at(tallies, digit) + 1
      }
    }
  }

  #orderTies(from: number, to: number): void {
    const { authorReblog } = this.#posts
    for (let place = from; place < to; place++) {
      if (!this.#isTied(place) || (place > 0 && this.#isTied(place - 1))) continue
      let end = place + 1
      while (this.#isTied(end - 1)) end++
      const group = Array.from(this.#order.subarray(place, end)).sort((a, b) =>
        this.#tieBreak(at(authorReblog, a) >>> 1, at(authorReblog, b) >>> 1),
      )
      this.#order.set(group, place)
    }
  }

  /** Whether the post at the place has the id of the one after it. */
  #isTied(place: number): boolean {
    if (place + 1 >= this.#count) return false
    const { hi, lo } = this.#posts
    const a = at(this.#order, place)
    const b = at(this.#order, place + 1)
    return at(lo, a) === at(lo, b) && at(hi, a) === at(hi, b)
  }

  #markPosting(presence: Uint32Array, from: number, to: number): void {
    const { authorReblog } = this.#posts
    for (let post = from; post < to; post++) {
      const author = at(authorReblog, post) >>> 1
      const word = (author >>> 5) * 2
      presence[word] = at(presence, word) | (1 << author)
    }
  }

  /** Counts the posts of each posting author, and notes for each rank which one it is. */
  #tally(presence: Uint32Array, starts: Uint32Array, from: number, to: number): void {
    const { authorReblog } = this.#posts
    const order = this.#order
    const nths = this.#spare
    for (let rank = from; rank < to; rank++) {
      const value = at(authorReblog, at(order, rank))
      const author = value >>> 1
      const word = (author >>> 5) * 2
      const bits = at(presence, word)
      if (((bits >>> author) & 1) === 0) {
        nths[rank] = LEFT_OUT
        continue
      }
      const nth = at(presence, word + 1) + countBits(bits & ((1 << author) - 1))
      nths[rank] = nth * 2 + (value & 1)
      starts[nth] = at(starts, nth) + 1
    }
  }

  #spread(ends: Uint32Array, posts: Uint32Array, from: number, to: number): void {
    const { hi, lo } = this.#posts
    const order = this.#order
    const nths = this.#spare
    for (let rank = from; rank < to; rank++) {
      const nthReblog = at(nths, rank)
      if (nthReblog === LEFT_OUT) continue
      const nth = nthReblog >>> 1
      const end = at(ends, nth)
      const post = at(order, rank)
      ends[nth] = end + 1
      posts[end * 3] = rank * 2 + (nthReblog & 1)
      posts[end * 3 + 1] = at(hi, post)
      posts[end * 3 + 2] = at(lo, post)
    }
  }
}

/** Turns the tallies of a digit into the place of each digit's first post, greatest digit first. */
function turnIntoPlaces(tallies: Uint32Array): void {
  let place = 0
  for (let digit = RADIX - 1; digit >= 0; digit--) {
    const held = at(tallies, digit)
    tallies[digit] = place
    place += held
  }
}

/** Takes pulled authors out of the words and notes how many authors stand before each; how many stand before the end. */
function numberAuthors(
  presence: Uint32Array,
  pulled: Uint8Array,
  words: { from: number; to: number; posting: number },
): number {
  let { posting } = words
  for (let word = words.from; word < words.to; word++) {
    let kept = at(presence, 2 * word)
    for (let left = kept; left !== 0; left &= left - 1) {
      const author = word * 32 + (31 - Math.clz32(left & -left))
      if ((pulled[author] ?? 0) !== 0) kept &= ~(1 << author)
    }
    presence[2 * word] = kept
    presence[2 * word + 1] = posting
    posting += countBits(kept)
  }
  return posting
}

/** Turns counts into starts; `ends` begin there too and move as ranks are spread. */
function sumUp(
  starts: Uint32Array,
  ends: Uint32Array,
  slice: { from: number; to: number; sum: number },
): number {
  let { sum } = slice
  for (let nth = slice.from; nth < slice.to; nth++) {
    const held = at(starts, nth)
    starts[nth] = sum
    ends[nth] = sum
    sum += held
  }
  return sum
}

/** A read whose index the passes keep in bounds. */
function at(numbers: Uint32Array, index: number): number {
  return numbers[index] as number
}
