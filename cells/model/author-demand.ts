// What a cell's readers ask of each author: how many follow, and how often they read below the window, all together. Tallied anew for
// each decision by going through all readers' edges. The two stand side by side: an edge costs one read at random, 8 bytes an author.

import type { NumberMap } from './number-map.ts'

export class AuthorDemand {
  /** By author: followers, then their reads a second. */
  #asked = new Float32Array(0)

  /** Begins anew, for authors with numbers below `end`. */
  clear(end: number): void {
    if (this.#asked.length < 2 * end) this.#asked = new Float32Array(2 * end)
    else this.#asked.fill(0)
  }

  /** A reader with these edges (compact), who reads below the window so often. */
  add({ keys, size }: NumberMap, readsPerS: number): void {
    const asked = this.#asked
    for (let i = 0; i < size; i++) {
      const at = 2 * (keys[i] as number)
      // Came since.
      if (at >= asked.length) return
      asked[at] = (asked[at] as number) + 1
      asked[at + 1] = (asked[at + 1] as number) + readsPerS
    }
  }

  followersOf(author: number): number {
    return this.#asked[2 * author] ?? 0
  }

  readsPerSOf(author: number): number {
    return this.#asked[2 * author + 1] ?? 0
  }

  get end(): number {
    return this.#asked.length / 2
  }
}
