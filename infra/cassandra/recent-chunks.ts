// Which chunks were written lately, so that one that is written again is not counted again. A fixed table of hashes: a newer
// chunk takes an older one's place, and of two million chunks about one is taken for another. 512 KiB.

import type { SlotTerm } from '../../cells/model/placement.ts'
import type { Chunk } from '../../cells/ports/cell-store.ts'

const PLACES = 1 << 17

export class RecentChunks {
  readonly #tags = new Uint32Array(PLACES)

  /** Whether the chunk was seen lately; from now on it was. */
  seen(at: SlotTerm, { reader, generation, part }: Chunk): boolean {
    const low = generation % 2 ** 32
    const high = Math.floor(generation / 2 ** 32)
    const words = [at.slot, at.term, reader, low, high, part]
    const place = hashOf(words, 0x9e37_79b1) % PLACES
    const tag = hashOf(words, 0x85eb_ca6b) || 1
    if (this.#tags[place] === tag) return true
    this.#tags[place] = tag
    return false
  }
}

function hashOf(words: readonly number[], seed: number): number {
  let hash = seed
  for (const word of words) {
    hash = Math.imul(hash ^ word, 0xcc9e_2d51)
    hash = Math.imul(hash ^ (hash >>> 15), 0x1b87_3593)
  }
  return (hash ^ (hash >>> 13)) >>> 0
}
