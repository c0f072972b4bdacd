// What a cell's readers ask of each author: how many follow, how often their pages would read the author's own posts, all together, and what
// serving each of them the cheaper way costs. Tallied anew for each decision by going through all readers' edges. The four stand side by
// side: an edge costs one read at random, 16 bytes an author.

import type { NumberMap } from './number-map.ts'
import { horizonOf, pullShare } from './pull-share.ts'

const FIELDS = 4
const PULLS = 1
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

  /**
   * A reader with these edges (compact), who reads below the window so often; microseconds of an entry, and of a read of one author;
   * `windowS`: how far back the window reaches.
   */
  add(
    { keys, size }: NumberMap,
    readsPerS: number,
    { entryUs, pullUs, windowS }: { entryUs: number; pullUs: number; windowS: number },
  ): void {
    const asked = this.#asked
    let postsPerS = 0
    for (let i = 0; i < size; i++) postsPerS += asked[FIELDS * (keys[i] as number) + POSTS] ?? 0
    const horizonS = horizonOf(postsPerS, size, windowS)
    for (let i = 0; i < size; i++) {
      const at = FIELDS * (keys[i] as number)
      // Came since.
      if (at >= asked.length) return
      const posts = asked[at + POSTS] as number
      const pullsPerS = readsPerS * pullShare(posts, horizonS)
      asked[at] = (asked[at] as number) + 1
      asked[at + PULLS] = (asked[at + PULLS] as number) + pullsPerS
      asked[at + LEAST] =
        (asked[at + LEAST] as number) + Math.min(posts * entryUs, pullsPerS * pullUs)
    }
  }

  followersOf(author: number): number {
    return this.#asked[FIELDS * author] ?? 0
  }

  pullsPerSOf(author: number): number {
    return this.#asked[FIELDS * author + PULLS] ?? 0
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
