// A chunk with other numbers of its authors, as a cell writes it that copies from another one. Ids stay as they are, byte for byte: only the
// dictionary is written anew, ascending, and the entries' places in it.
//
// Cost: some 5 ns an entry, and a sort of the dictionary. Throws CorruptChunk rather than read outside the bytes.

import { type ChunkCursor, CorruptChunk, decodeChunk } from './chunk.ts'
import { ChunkEncoder, putPrefix } from './chunk-encoder.ts'

/** Prefix numbers of authors are of 4 bytes at most, and their last write touches no more. */
const AUTHOR_BYTES = 10
/** Author numbers, of less than 2^31, times this are exact. */
const PLACES = 2 ** 21

export class ChunkRenumbering {
  readonly #encoder = new ChunkEncoder()
  #dictionary = new DataView(new ArrayBuffer(1024))
  /** Our numbers and their places in the old dictionary; then of each of those places, the one in the new. */
  #order = new Float64Array(0)
  #places = new Uint32Array(0)

  /** `chunk`: none of its entries was read yet. */
  renumber(bytes: Uint8Array, chunk: ChunkCursor, ours: (theirs: number) => number): Uint8Array {
    const { authors, at } = chunk
    const end = this.#putDictionary(authors, ours)
    // Two of their numbers are one user here.
    if (end === undefined) return this.#encodeAnew(bytes, ours)
    const head = headOf(bytes)
    const renumbered = new Uint8Array(head + end + bytes.length - at)
    renumbered.set(bytes.subarray(0, head))
    renumbered.set(new Uint8Array(this.#dictionary.buffer, 0, end), head)
    renumbered.set(bytes.subarray(at), head + end)
    this.#putPlaces(renumbered, head + end, chunk)
    return renumbered
  }

  /** Its end; undefined when two of the numbers become one. */
  #putDictionary(theirs: Uint32Array, ours: (theirs: number) => number): number | undefined {
    const count = theirs.length
    if (count > PLACES) return undefined
    if (this.#places.length < count) {
      this.#order = new Float64Array(count * 2)
      this.#places = new Uint32Array(count * 2)
      this.#dictionary = new DataView(new ArrayBuffer(count * 2 * AUTHOR_BYTES))
    }
    // Both in one number each.
    const order = this.#order.subarray(0, count)
    for (let i = 0; i < count; i++) order[i] = ours(theirs[i] as number) * PLACES + i
    order.sort()
    let end = 0
    let before = -1
    for (let i = 0; i < count; i++) {
      const both = order[i] as number
      const author = Math.floor(both / PLACES)
      if (author === before) return undefined
      end = putPrefix(this.#dictionary, end, i === 0 ? author : author - before)
      this.#places[both % PLACES] = i
      before = author
    }
    return end
  }

  #putPlaces(bytes: Uint8Array, from: number, { left, placeBytes, authors }: ChunkCursor): void {
    const places = this.#places
    const count = authors.length
    let at = from
    for (let i = 0; i < left; i++) {
      at = afterPrefix(bytes, afterPrefix(bytes, at))
      if (at + placeBytes > bytes.length) throw new CorruptChunk('too short')
      let place = bytes[at] as number
      if (placeBytes > 1) place |= (bytes[at + 1] as number) << 8
      if (placeBytes > 2) place |= (bytes[at + 2] as number) << 16
      const isBeyond = placeBytes > 3 && bytes[at + 3] !== 0
      if (isBeyond || place >= count) throw new CorruptChunk('entry out of range')
      const ours = places[place] as number
      bytes[at] = ours
      if (placeBytes > 1) bytes[at + 1] = ours >>> 8
      if (placeBytes > 2) bytes[at + 2] = ours >>> 16
      at += placeBytes
    }
    if (at !== bytes.length) throw new CorruptChunk('bytes left over')
  }

  #encodeAnew(bytes: Uint8Array, ours: (theirs: number) => number): Uint8Array {
    const { hi, lo, authorReblog, length } = decodeChunk(bytes)
    for (let i = 0; i < length; i++) {
      const word = authorReblog[i] as number
      authorReblog[i] = ours(word >>> 1) * 2 + (word & 1)
    }
    return this.#encoder.encode({ hi, lo, authorReblog }, length).slice()
  }
}

/** Where the dictionary begins. */
function headOf(bytes: Uint8Array): number {
  return afterPrefix(bytes, afterPrefix(bytes, 1)) + 6
}

function afterPrefix(bytes: Uint8Array, at: number): number {
  const first = bytes[at]
  if (first === undefined) throw new CorruptChunk('too short')
  const end = at + (first & 3) + 1
  const isEscape =
    first === 0xff && bytes[at + 1] === 0xff && bytes[at + 2] === 0xff && bytes[at + 3] === 0xff
  return isEscape ? end + 6 : end
}
