// An inbox chunk: many entries (post id, author, reblog bit) of one user packed in one row, newest first.
//
//     version 1 | count | authors | newest ms (6 bytes) | author dictionary | entries
//     dictionary: author numbers ascending, each as a prefix number: the first as it is, then the distance
//     entry: prefix number of ms below the entry before (the first: below newest ms)
//            prefix number of reblog + 2 * (worker & 31) + 64 * sequence + 2^18 * (worker >> 5)
//            place in the dictionary: 1, 2 or 4 bytes, by the number of authors
//
// A prefix number has its length in its two lowest bits: 1-4 bytes hold 6, 14, 22, 30 bits, low byte first; the greatest 30-bit
// value says that 6 bytes with the true value follow. It is written without a branch, which a 7-bit varint is not.
// Typical entry: 3 + 1 + 1 bytes and its share of the dictionary.
//
// Guarantee: what chunk-encoder.ts packed comes back, any ids, any authors below 2^31, equal ids in the order given. Whatever
// the bytes are, the cursor never reads outside them, takes no more memory than they justify, and yields only entries in order
// with authors of the dictionary; anything else throws CorruptChunk.
// Cost: the dictionary once (4 bytes an author), then no allocation; some 10 ns an entry.

export const CHUNK_VERSION = 1
export const AUTHOR_MAX = 2 ** 31 - 1
/** A prefix number of this value is followed by 6 bytes that hold the true one. */
export const PREFIX_ESCAPE = 2 ** 30 - 1

/** Entries as columns, newest first: by id descending, equal ids in the cell's order of authors. */
export type EntryColumns = {
  readonly hi: Uint32Array
  readonly lo: Uint32Array
  /** author * 2 + (1 if it is a reblog). */
  readonly authorReblog: Uint32Array
}

/** These bytes are no chunk, or one of a version that is not known. */
export class CorruptChunk extends Error {
  readonly code = 'CORRUPT_CHUNK'
  override readonly name = 'CorruptChunk'
}

const ENTRY_BYTES_MIN = 3
const MS_END = 2 ** 42
const LOW_END = 2 ** 23

export class ChunkCursor {
  readonly #bytes: Uint8Array
  readonly #authors: Uint32Array
  readonly #width: number
  #at = 0
  #left: number
  #ms: number
  /** Worker and sequence of the entry before; what follows in its millisecond may not be above. */
  #low = 2 ** 22

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    if (this.#take(1) !== CHUNK_VERSION) throw new CorruptChunk(`chunk version ${bytes[0]}`)
    this.#left = this.#prefix()
    const authorCount = this.#prefix()
    this.#ms = this.#take(2) * 2 ** 32 + this.#take(4)
    if (this.#ms >= MS_END) throw new CorruptChunk('id beyond 64 bits')
    this.#width = placeWidth(authorCount)
    this.#authors = this.#takeAuthors(authorCount)
    const entryBytesMin = ENTRY_BYTES_MIN - 1 + this.#width
    if (this.#left * entryBytesMin > bytes.length - this.#at) throw new CorruptChunk('too short')
    if (this.#left === 0 && this.#at !== bytes.length) throw new CorruptChunk('bytes left over')
  }

  /** Entries not yet read. */
  get left(): number {
    return this.#left
  }

  /** The chunk's authors, ascending. */
  get authors(): Uint32Array {
    return this.#authors
  }

  /** Where the next entry begins. */
  get at(): number {
    return this.#at
  }

  /** Bytes of a place in the dictionary. */
  get placeBytes(): number {
    return this.#width
  }

  /** Reads up to `limit` entries into the columns from index `from` on; how many. 0 at the end. */
  read(into: EntryColumns, from: number, limit: number): number {
    const count = Math.min(limit, this.#left)
    for (let i = from; i < from + count; i++) {
      const msDrop = this.#prefix()
      const low = this.#prefix()
      const place = this.#take(this.#width)
      const author = this.#authors[place]
      if (author === undefined || low >= LOW_END || msDrop > this.#ms) {
        throw new CorruptChunk('entry out of range')
      }
      this.#descend(
        msDrop,
        ((low >>> 18) << 17) | (((low >>> 1) & 31) << 12) | ((low >>> 6) & 4095),
      )
      into.hi[i] = Math.floor(this.#ms / 1024)
      into.lo[i] = ((this.#ms % 1024) << 22) | this.#low
      into.authorReblog[i] = author * 2 + (low & 1)
    }
    this.#left -= count
    if (this.#left === 0 && this.#at !== this.#bytes.length)
      throw new CorruptChunk('bytes left over')
    return count
  }

  #descend(msDrop: number, low: number): void {
    if (msDrop === 0 && low > this.#low) throw new CorruptChunk('entries are not newest first')
    this.#ms -= msDrop
    this.#low = low
  }

  #takeAuthors(count: number): Uint32Array {
    if (count > this.#bytes.length - this.#at) throw new CorruptChunk('too short')
    const authors = new Uint32Array(count)
    let author = 0
    for (let i = 0; i < count; i++) {
      const step = this.#prefix()
      author += step
      if ((step === 0 && i > 0) || author > AUTHOR_MAX) throw new CorruptChunk('dictionary')
      authors[i] = author
    }
    return authors
  }

  #prefix(): number {
    const first = this.#bytes[this.#at]
    if (first === undefined) throw new CorruptChunk('too short')
    const value = this.#take((first & 3) + 1) >>> 2
    return value === PREFIX_ESCAPE ? this.#take(2) * 2 ** 32 + this.#take(4) : value
  }

  /** The next 1-4 bytes as a number, low byte first. */
  #take(width: number): number {
    const bytes = this.#bytes
    const from = this.#at
    this.#at = from + width
    if (this.#at > bytes.length) throw new CorruptChunk('too short')
    let value = bytes[from] as number
    if (width > 1) value |= (bytes[from + 1] as number) << 8
    if (width > 2) value |= (bytes[from + 2] as number) << 16
    if (width > 3) value |= (bytes[from + 3] as number) << 24
    return value >>> 0
  }
}

/** All entries of a chunk. */
export function decodeChunk(bytes: Uint8Array): EntryColumns & { readonly length: number } {
  const cursor = new ChunkCursor(bytes)
  const length = cursor.left
  const entries = {
    hi: new Uint32Array(length),
    lo: new Uint32Array(length),
    authorReblog: new Uint32Array(length),
    length,
  }
  cursor.read(entries, 0, length)
  return entries
}

/** Bytes that a chunk's places take, by the number of its authors. */
export function placeWidth(authorCount: number): number {
  if (authorCount <= 0x100) return 1
  return authorCount <= 0x1_0000 ? 2 : 4
}
