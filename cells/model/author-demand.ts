// What a cell's readers ask of each author: how many follow, and how often they read below the window, all together. Tallied anew for
// each decision by going through all readers' edges: 8 bytes an author, some 5 ns an edge.

import type { NumberMap } from './number-map.ts'

export class AuthorDemand {
  #followers = new Uint32Array(0)
  #readsPerS = new Float32Array(0)

  /** Begins anew, for authors with numbers below `end`. */
  clear(end: number): void {
    if (this.#followers.length < end) {
      this.#followers = new Uint32Array(end)
      this.#readsPerS = new Float32Array(end)
      return
    }
    this.#followers.fill(0)
    this.#readsPerS.fill(0)
  }

  /** A reader with these edges (compact), who reads below the window so often. */
  add({ keys, size }: NumberMap, readsPerS: number): void {
    const followers = this.#followers
    const reads = this.#readsPerS
    for (let i = 0; i < size; i++) {
      const author = keys[i] as number
      if (author >= followers.length) return
      followers[author] = (followers[author] as number) + 1
      reads[author] = (reads[author] as number) + readsPerS
    }
  }

  followersOf(author: number): number {
    return this.#followers[author] ?? 0
  }

  readsPerSOf(author: number): number {
    return this.#readsPerS[author] ?? 0
  }

  get end(): number {
    return this.#followers.length
  }
}
