// What a cell's readers ask of each author: how many follow, how often they read below the window, all together, and what serving each of
// them the cheaper way costs. Tallied anew for each decision by going through all readers' edges. The four stand side by side: an edge
// costs one read at random, 16 bytes an author.

import type { NumberMap } from './number-map.ts'

const FIELDS = 4
const READS = 1
const LEAST = 2
const POSTS = 3

export class AuthorDemand {
  #asked = new Float32Array(0)

  /** Begins anew, for authors with numbers below `end`. */
  clear(end: number): void {
    if (this.#asked.length < FIELDS * end) this.#asked = new Float32Array(FIELDS * end)
    else this.#asked.fill(0)
  }

  /** To be said of all before any reader. */
  setPosts(author: number, postsPerS: number): void {
    this.#asked[FIELDS * author + POSTS] = postsPerS
  }

  /** A reader with these edges (compact), who reads below the window so often; microseconds of an entry, and of a read of one author. */
  add(
    { keys, size }: NumberMap,
    readsPerS: number,
    cost: { entryUs: number; pullUs: number },
  ): void {
    const asked = this.#asked
    const { entryUs } = cost
    const pulledUs = readsPerS * cost.pullUs
    for (let i = 0; i < size; i++) {
      const at = FIELDS * (keys[i] as number)
      // Came since.
      if (at >= asked.length) return
      const deliveredUs = (asked[at + POSTS] as number) * entryUs
      asked[at] = (asked[at] as number) + 1
      asked[at + READS] = (asked[at + READS] as number) + readsPerS
      asked[at + LEAST] = (asked[at + LEAST] as number) + Math.min(deliveredUs, pulledUs)
    }
  }

  followersOf(author: number): number {
    return this.#asked[FIELDS * author] ?? 0
  }

  readsPerSOf(author: number): number {
    return this.#asked[FIELDS * author + READS] ?? 0
  }

  /** Microseconds a second, when each follower is served the cheaper way. */
  leastUsOf(author: number): number {
    return this.#asked[FIELDS * author + LEAST] ?? 0
  }

  postsPerSOf(author: number): number {
    return this.#asked[FIELDS * author + POSTS] ?? 0
  }

  get end(): number {
    return this.#asked.length / FIELDS
  }
}
