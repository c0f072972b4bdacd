// The posts of one generation of the window, laid out so that each reader's share is found, sorted and packed at a cost in
// proportion to that share (built by generation-builder.ts).
//
// A post's rank is its place newest first, so sorting ranks sorts posts. Authors are found through a bitmap with counts, small
// enough for the cache also when most users did not post:
//
//     author -> [bits of 32 authors | posting authors before them] -> n-th posting author -> starts -> ranks, ascending
//
// Pulled authors have no bit. Ranks of one reader lie about evenly over the generation, so they are sorted by one pass into as
// many buckets as there are ranks, and an insertion sort over the nearly sorted whole; where they are crowded, by the standard
// sort. Cost per entry on one core: gather 15 ns (two random reads an author followed, two an entry), sort 9, encode 20.

import type { ChunkEncoder } from './chunk-encoder.ts'

export type GenerationArrays = {
  /** Halves of the ids by rank: hi at 2 * rank, lo after it. */
  readonly ids: Uint32Array
  /** Authors by number >>> 5: bits of those who posted, then how many posted below. */
  readonly presence: Uint32Array
  /** Per posting author, ascending: where its ranks start; one more at the end. */
  readonly starts: Uint32Array
  /** rank * 2 + (1 if it is a reblog), by author, ascending. */
  readonly ranks: Uint32Array
}

/** A reader's share; made once and filled again for each reader. */
export class GatheredPosts {
  /** How many posts there are, and by how many authors. */
  count = 0
  authorCount = 0
  /** Ascending: (rank * 2 + reblog) * 2^20 + place of the author. */
  keys = new Float64Array(1024)
  /** Those of the authors asked for who posted, ascending. */
  authors = new Uint32Array(1024)
  /** Scratch: which posting author each is; bucket sort. */
  nths = new Uint32Array(1024)
  spare = new Float64Array(1024)
  buckets = new Uint32Array(1024)
  /** Scratch: the columns handed to the encoder. */
  hi = new Uint32Array(1024)
  lo = new Uint32Array(1024)
  placeReblog = new Uint32Array(1024)
}

/** The place of an author among a reader's fits below this; so a reader may follow a million. */
const PLACES = 2 ** 20
const PLACE_SCALE = 1 / PLACES
const CROWD_MAX = 24

export class GenerationIndex {
  readonly #arrays: GenerationArrays
  /** Number of posts, including those of pulled authors. */
  readonly size: number

  constructor(arrays: GenerationArrays) {
    this.#arrays = arrays
    this.size = arrays.ids.length / 2
  }

  get bytes(): number {
    const { ids, presence, starts, ranks } = this.#arrays
    return ids.byteLength + presence.byteLength + starts.byteLength + ranks.byteLength
  }

  /** Fills `into` with the posts of the first `count` authors, newest first; their number. Authors ascend, each once. */
  gather(authors: Uint32Array, count: number, into: GatheredPosts): number {
    if (count > PLACES) throw new RangeError(`${count} authors: at most ${PLACES}`)
    collect(this.#arrays, authors, count, into)
    sortKeys(into, this.size)
    return into.count
  }

  /** Packs what was gathered into one chunk. */
  encodeChunk(gathered: GatheredPosts, encoder: ChunkEncoder): Uint8Array {
    this.#fillColumns(gathered, 0, gathered.count)
    return encoder.encodeIndexed(gathered, gathered.count)
  }

  /** Packs the gathered posts `from` .. `to`-1: for a reader with more than one row should hold. */
  encodePart(gathered: GatheredPosts, range: { from: number; to: number }, encoder: ChunkEncoder) {
    this.#fillColumns(gathered, range.from, range.to)
    const { hi, lo, placeReblog, authors } = gathered
    const count = range.to - range.from
    const authorReblog = new Uint32Array(count)
    for (let i = 0; i < count; i++) {
      const place = at(placeReblog, i)
      authorReblog[i] = at(authors, place >>> 1) * 2 + (place & 1)
    }
    return encoder.encode({ hi, lo, authorReblog }, count)
  }

  /** A loop of its own, so that the random reads of the ids overlap. */
  #fillColumns(gathered: GatheredPosts, from: number, to: number): void {
    if (gathered.hi.length < to - from) {
      gathered.hi = new Uint32Array(roomFor(to - from))
      gathered.lo = new Uint32Array(roomFor(to - from))
      gathered.placeReblog = new Uint32Array(roomFor(to - from))
    }
    const { keys, hi, lo, placeReblog } = gathered
    const ids = this.#arrays.ids
    for (let i = from, j = 0; i < to; i++, j++) {
      const key = keys[i] as number
      const rankReblog = (key * PLACE_SCALE) | 0
      const id = rankReblog & ~1
      hi[j] = at(ids, id)
      lo[j] = at(ids, id + 1)
      placeReblog[j] = (((key - rankReblog * PLACES) | 0) << 1) | (rankReblog & 1)
    }
  }
}

function collect(
  arrays: GenerationArrays,
  followed: Uint32Array,
  count: number,
  into: GatheredPosts,
): void {
  if (into.authors.length < count) {
    into.authors = new Uint32Array(roomFor(count))
    into.nths = new Uint32Array(roomFor(count))
  }
  const authorCount = findPosting(arrays.presence, followed, count, into)
  const { starts, ranks } = arrays
  const { nths } = into
  let keys = into.keys
  let found = 0
  for (let place = 0; place < authorCount; place++) {
    const nth = at(nths, place)
    const end = at(starts, nth + 1)
    let i = at(starts, nth)
    if (found + end - i > keys.length) {
      keys = new Float64Array(roomFor(found + end - i))
      keys.set(into.keys.subarray(0, found))
      into.keys = keys
    }
    for (; i < end; i++) keys[found++] = at(ranks, i) * PLACES + place
  }
  into.count = found
  into.authorCount = authorCount
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
    const bit = 1 << author
    authors[kept] = author
    nths[kept] = at(presence, word + 1) + countBits(bits & (bit - 1))
    kept += (bits >>> author) & 1
  }
  return kept
}

function sortKeys(gathered: GatheredPosts, size: number): void {
  const { count } = gathered
  if (count < 2) return
  const buckets = 2 ** Math.max(4, 32 - Math.clz32(count - 1))
  if (gathered.spare.length < count) gathered.spare = new Float64Array(gathered.keys.length)
  if (gathered.buckets.length < buckets) gathered.buckets = new Uint32Array(roomFor(buckets))
  const { keys, spare, buckets: ends } = gathered
  const scale = buckets / (size * 2 * PLACES)
  if (countInto(ends, buckets, keys, count, scale) > CROWD_MAX) {
    keys.subarray(0, count).sort()
    return
  }
  for (let i = count - 1; i >= 0; i--) {
    const key = keys[i] as number
    const bucket = (key * scale) | 0
    const place = at(ends, bucket) - 1
    ends[bucket] = place
    spare[place] = key
  }
  insertionSort(spare, count)
  gathered.keys = spare
  gathered.spare = keys
}

/** Leaves in `ends` where each bucket ends; the size of the largest. */
function countInto(
  ends: Uint32Array,
  buckets: number,
  keys: Float64Array,
  count: number,
  scale: number,
): number {
  for (let i = 0; i < buckets; i++) ends[i] = 0
  for (let i = 0; i < count; i++) {
    const bucket = ((keys[i] as number) * scale) | 0
    ends[bucket] = at(ends, bucket) + 1
  }
  let end = 0
  let largest = 0
  for (let i = 0; i < buckets; i++) {
    const held = at(ends, i)
    largest = Math.max(largest, held)
    end += held
    ends[i] = end
  }
  return largest
}

function insertionSort(keys: Float64Array, count: number): void {
  for (let i = 1; i < count; i++) {
    const key = keys[i] as number
    let place = i
    while (place > 0 && (keys[place - 1] as number) > key) {
      keys[place] = keys[place - 1] as number
      place--
    }
    keys[place] = key
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

function roomFor(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1024, count)))
}
