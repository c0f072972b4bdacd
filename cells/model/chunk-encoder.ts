// Packs entries into an inbox chunk (format and guarantee: chunk.ts). Made for writing a generation: a prefix number is one
// 4-byte store without a branch, and many chunks share one block, so a chunk costs no allocation but a view of it.
//
// Cost: 6.9 bytes an entry at 100 entries of 200 followed out of 1 M authors; no more memory than the block.

import { CHUNK_VERSION, type EntryColumns, PREFIX_ESCAPE, placeWidth } from './chunk.ts'

/** Entries whose authors are already places in a dictionary: author numbers, ascending, each once. */
export type IndexedColumns = {
  readonly hi: Uint32Array
  readonly lo: Uint32Array
  /** (place in the dictionary) * 2 + (1 if it is a reblog). */
  readonly placeReblog: Uint32Array
  readonly authors: Uint32Array
  readonly authorCount: number
}

const HEADER_BYTES_MAX = 16
const AUTHOR_BYTES_MAX = 10
const ENTRY_BYTES_MAX = 18
const BLOCK_BYTES = 256 * 1024

export class ChunkEncoder {
  #block = new DataView(new ArrayBuffer(BLOCK_BYTES))
  #used = 0
  #authors = new Uint32Array(0)
  #places = new Uint32Array(0)

  /**
   * Packs the first `count` entries. The bytes are never written again; they are a view of a block of 256 KiB that many
   * chunks share, so copy what is kept for long.
   */
  encode(entries: EntryColumns, count: number): Uint8Array {
    if (this.#authors.length < count) {
      this.#authors = new Uint32Array(count * 2)
      this.#places = new Uint32Array(count * 2)
    }
    const authors = this.#authors
    const places = this.#places
    for (let i = 0; i < count; i++) authors[i] = at(entries.authorReblog, i) >>> 1
    const authorCount = dedupe(authors.subarray(0, count).sort())
    for (let i = 0; i < count; i++) {
      const authorReblog = at(entries.authorReblog, i)
      places[i] = placeOf(authors, authorCount, authorReblog >>> 1) * 2 + (authorReblog & 1)
    }
    const { hi, lo } = entries
    return this.encodeIndexed({ hi, lo, placeReblog: places, authors, authorCount }, count)
  }

  /** The same for entries whose dictionary is known: the fast way of writing a generation. */
  encodeIndexed(entries: IndexedColumns, count: number): Uint8Array {
    const bytesMax =
      HEADER_BYTES_MAX + AUTHOR_BYTES_MAX * entries.authorCount + ENTRY_BYTES_MAX * count
    if (bytesMax > BLOCK_BYTES / 8) {
      const view = new DataView(new ArrayBuffer(bytesMax))
      return new Uint8Array(view.buffer, 0, pack(view, 0, entries, count)).slice()
    }
    if (this.#used + bytesMax > BLOCK_BYTES) {
      this.#block = new DataView(new ArrayBuffer(BLOCK_BYTES))
      this.#used = 0
    }
    const from = this.#used
    this.#used = pack(this.#block, from, entries, count)
    return new Uint8Array(this.#block.buffer, from, this.#used - from)
  }
}

/** Writes the chunk at `from` and returns its end. The caller has made room for the longest there can be. */
function pack(view: DataView, from: number, entries: IndexedColumns, count: number): number {
  view.setUint8(from, CHUNK_VERSION)
  let end = putPrefix(view, from + 1, count)
  end = putPrefix(view, end, entries.authorCount)
  const newestMs = count === 0 ? 0 : at(entries.hi, 0) * 1024 + (at(entries.lo, 0) >>> 22)
  end = putSixBytes(view, end, newestMs)
  end = packAuthors(view, end, entries)
  return packEntries(view, end, entries, count)
}

function packAuthors(view: DataView, from: number, entries: IndexedColumns): number {
  const { authors, authorCount } = entries
  let end = from
  let author = 0
  for (let i = 0; i < authorCount; i++) {
    const next = at(authors, i)
    if (i > 0 && next <= author) throw new RangeError('dictionary: authors ascend, each once')
    end = putPrefix(view, end, next - author)
    author = next
  }
  return end
}

function packEntries(view: DataView, from: number, entries: IndexedColumns, count: number): number {
  const { hi, lo, placeReblog } = entries
  const width = placeWidth(entries.authorCount)
  let end = from
  let hiAbove = count === 0 ? 0 : at(hi, 0)
  let loAbove = count === 0 ? 0 : at(lo, 0)
  for (let i = 0; i < count; i++) {
    const hiHere = at(hi, i)
    const loHere = at(lo, i)
    const hiDrop = (hiAbove - hiHere) | 0
    if (hiDrop === 0 && loHere > loAbove) throw new RangeError('entries are not newest first')
    if (hiDrop >>> 0 < 1 << 19) {
      // All in 32-bit arithmetic: below 2^30 ms, so never escaped.
      const msDrop = ((hiDrop << 10) + (loAbove >>> 22) - (loHere >>> 22)) | 0
      end = putSmall(view, end, msDrop)
    } else {
      if (hiHere > hiAbove) throw new RangeError('entries are not newest first')
      end = putPrefix(view, end, (hiAbove - hiHere) * 1024 + (loAbove >>> 22) - (loHere >>> 22))
    }
    hiAbove = hiHere
    loAbove = loHere
    const place = at(placeReblog, i)
    const worker = (loHere >>> 12) & 1023
    const workerBits = ((worker & 31) << 1) | ((worker >>> 5) << 18)
    end = putSmall(view, end, (place & 1) | ((loHere & 4095) << 6) | workerBits)
    view.setUint32(end, place >>> 1, true)
    end += width
  }
  return end
}

/** A prefix number that is known to be below the escape. */
function putSmall(view: DataView, end: number, value: number): number {
  const extra = bytesAfterFirst(value)
  view.setUint32(end, (value << 2) | extra, true)
  return end + extra + 1
}

/** Bytes of a prefix number after the first; without a branch, because sizes of neighbours are hard to predict. */
function bytesAfterFirst(value: number): number {
  return ((0x3f - value) >>> 31) + ((0x3fff - value) >>> 31) + ((0x3f_ffff - value) >>> 31)
}

/** Writes a prefix number and returns its end; up to three bytes after that are overwritten. */
export function putPrefix(view: DataView, end: number, value: number): number {
  if (value >= PREFIX_ESCAPE) {
    view.setUint32(end, (PREFIX_ESCAPE << 2) | 3, true)
    return putSixBytes(view, end + 4, value)
  }
  return putSmall(view, end, value)
}

function putSixBytes(view: DataView, end: number, value: number): number {
  view.setUint16(end, Math.floor(value / 2 ** 32), true)
  view.setUint32(end + 2, value % 2 ** 32, true)
  return end + 6
}

/** Moves the different numbers of a sorted array to its front; their count. */
function dedupe(sorted: Uint32Array): number {
  let kept = 0
  for (const number of sorted) {
    if (kept === 0 || number !== at(sorted, kept - 1)) sorted[kept++] = number
  }
  return kept
}

function placeOf(authors: Uint32Array, authorCount: number, author: number): number {
  let from = 0
  let to = authorCount - 1
  while (from < to) {
    const middle = (from + to) >>> 1
    if (at(authors, middle) < author) from = middle + 1
    else to = middle
  }
  return from
}

/** A read whose index the loop keeps in bounds. */
function at(numbers: Uint32Array, index: number): number {
  return numbers[index] as number
}
