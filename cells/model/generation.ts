// The posts of one generation of the window, laid out so that each reader's share is found, sorted and packed at a cost in
// proportion to that share (built by generation-builder.ts).
//
// A post's rank is its place newest first, so sorting ranks sorts posts. Authors are found through a bitmap with counts, small
// enough for the cache also when most users did not post; an author's posts lie together with their ids, because a read at
// random costs more than all else that is done with an entry:
//
//     author -> [bits of 32 authors | posting authors before them] -> n-th posting author -> start -> [rank, id] ...
//
// Pulled authors have no bit. Cost per entry, 100-400 of them for 200 followed authors: gather 30 ns, sort 15-20, encode 15;
// 12 bytes a post, 4 a posting author, a quarter of a byte a user.

import type { ChunkEncoder } from './chunk-encoder.ts'
import { type RankedColumns, RankSorter } from './rank-sort.ts'

/** 64 M: rank and place found fit one number, when they must be sorted as one (rank-sort.ts). */
export const GENERATION_POSTS_MAX = 2 ** 26
const ROOM_FIRST = 1024

export type GenerationArrays = {
  /** Number of posts, including those of pulled authors. */
  readonly size: number
  /** Authors by number >>> 5: bits of those who posted, then how many posted below. */
  readonly presence: Uint32Array
  /** Per posting author, ascending: the first of their posts; one more at the end. */
  readonly starts: Uint32Array
  /** By author, newest first, three words each: rank * 2 + (1 if it is a reblog), id's hi, id's lo. */
  readonly posts: Uint32Array
}

/** A reader's share; made once and filled again for each reader. */
export class GatheredPosts {
  /** How many posts there are, and by how many authors. */
  count = 0
  authorCount = 0
  /** Those of the authors asked for who posted, ascending. */
  authors = new Uint32Array(ROOM_FIRST)
  /** The posts, newest first; placeReblog is (place among `authors`) * 2 + (1 if it is a reblog). */
  sorted: RankedColumns = makeRoom(ROOM_FIRST)
  /** Scratch: the posts as found; which posting author each of `authors` is. */
  found: RankedColumns = makeRoom(ROOM_FIRST)
  nths = new Uint32Array(ROOM_FIRST)
  readonly sorter = new RankSorter()
}

export class GenerationIndex {
  readonly #arrays: GenerationArrays

  constructor(arrays: GenerationArrays) {
    this.#arrays = arrays
  }

  get size(): number {
    return this.#arrays.size
  }

  get bytes(): number {
    const { presence, starts, posts } = this.#arrays
    return presence.byteLength + starts.byteLength + posts.byteLength
  }

  /** Fills `into` with the posts of the first `count` authors, newest first; their number. Authors ascend, each once. */
  gather(authors: Uint32Array, count: number, into: GatheredPosts): number {
    this.collect(authors, count, into)
    into.sorter.sort(into.found, into.sorted, { count: into.count, size: this.#arrays.size })
    return into.count
  }

  /** The first half of `gather`: the posts as found, author by author, in `found`. */
  collect(authors: Uint32Array, count: number, into: GatheredPosts): void {
    if (into.authors.length < count) {
      into.authors = new Uint32Array(roomFor(count))
      into.nths = new Uint32Array(roomFor(count))
    }
    into.authorCount = findPosting(this.#arrays.presence, authors, count, into)
    into.count = countPosts(this.#arrays.starts, into)
    if (into.count > into.found.hi.length) {
      into.found = makeRoom(into.count)
      into.sorted = makeRoom(into.count)
    }
    copyPosts(this.#arrays, into)
  }

  /** Packs what was gathered into one chunk. */
  encodeChunk(gathered: GatheredPosts, encoder: ChunkEncoder): Uint8Array {
    const { authors, authorCount, count } = gathered
    const { hi, lo, placeReblog } = gathered.sorted
    return encoder.encodeIndexed({ hi, lo, placeReblog, authors, authorCount }, count)
  }

  /** Packs the gathered posts `from` .. `to`-1, for a reader with more than one row should hold. */
  encodePart(
    gathered: GatheredPosts,
    range: { readonly from: number; readonly to: number },
    encoder: ChunkEncoder,
  ): Uint8Array {
    const { from, to } = range
    const hi = gathered.sorted.hi.subarray(from, to)
    const lo = gathered.sorted.lo.subarray(from, to)
    const authorReblog = gathered.sorted.placeReblog.slice(from, to)
    for (let i = 0; i < authorReblog.length; i++) {
      const placeReblog = at(authorReblog, i)
      authorReblog[i] = at(gathered.authors, placeReblog >>> 1) * 2 + (placeReblog & 1)
    }
    return encoder.encode({ hi, lo, authorReblog }, to - from)
  }
}

/** Keeps the authors who posted; without a branch, because about half of them did. */
function findPosting(
  presence: Uint32Array,
  followed: Uint32Array,
  count: number,
  into: GatheredPosts,
): number {
  const { authors, nths } = into
  const authorEnd = presence.length * 16
  let asked = count
  while (asked > 0 && at(followed, asked - 1) >= authorEnd) asked--
  let kept = 0
  for (let i = 0; i < asked; i++) {
    const author = at(followed, i)
    const word = (author >>> 5) * 2
    const bits = at(presence, word)
    authors[kept] = author
    nths[kept] = at(presence, word + 1) + countBits(bits & ((1 << author) - 1))
    kept += (bits >>> author) & 1
  }
  return kept
}

function countPosts(starts: Uint32Array, gathered: GatheredPosts): number {
  const { authorCount, nths } = gathered
  let posts = 0
  for (let i = 0; i < authorCount; i++) {
    const nth = at(nths, i)
    posts += at(starts, nth + 1) - at(starts, nth)
  }
  return posts
}

function copyPosts(arrays: GenerationArrays, into: GatheredPosts): void {
  const { starts, posts } = arrays
  const { authorCount, nths } = into
  const { rank, hi, lo, placeReblog } = into.found
  let found = 0
  for (let place = 0; place < authorCount; place++) {
    const nth = at(nths, place)
    const end = at(starts, nth + 1) * 3
    for (let word = at(starts, nth) * 3; word < end; word += 3) {
      const rankReblog = at(posts, word)
      rank[found] = rankReblog >>> 1
      hi[found] = at(posts, word + 1)
      lo[found] = at(posts, word + 2)
      placeReblog[found] = (place << 1) | (rankReblog & 1)
      found++
    }
  }
}

export function countBits(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555)
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333)
  bits = (bits + (bits >>> 4)) & 0x0f0f_0f0f
  return Math.imul(bits, 0x0101_0101) >>> 24
}

/** A read whose index the arrays' own structure keeps in bounds. */
function at(numbers: Uint32Array, index: number): number {
  return numbers[index] as number
}

function makeRoom(count: number): RankedColumns {
  const room = roomFor(count)
  return {
    rank: new Uint32Array(room),
    hi: new Uint32Array(room),
    lo: new Uint32Array(room),
    placeReblog: new Uint32Array(room),
  }
}

function roomFor(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(ROOM_FIRST, count)))
}
