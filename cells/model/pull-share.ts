// How many of a reader's pages below the window read an author's own posts, when no inbox has them. Such a page reads all who have posted
// between now and where it ends: those who post often are read by nearly each, those who do not by hardly any.
//
// How far down a page ends follows from how often all those post whom the reader follows. Posts come in bursts, so that of authors who
// post x times meanwhile on average x / (1 + x) have posted at all, fewer than 1 - e^-x.

import type { NumberMap } from './number-map.ts'

/** Nobody is taken to post more seldom: who was not seen to post may have older posts. */
const SELDOM_PER_S = 1 / (30 * 86_400)
/** What a page holds of what lies below the window. */
const PAGE_POSTS = 20

/** How far back such a page reaches, in seconds, for who follows so many who post so often together; `windowS`: how far back the window does. */
export function horizonOf(postsPerS: number, follows: number, windowS: number): number {
  return windowS + PAGE_POSTS / (postsPerS + Math.max(1, follows) * SELDOM_PER_S)
}

/** Of such pages, from 0 to 1. */
export function pullShare(postsPerS: number, horizonS: number): number {
  const posts = (postsPerS + SELDOM_PER_S) * horizonS
  return posts / (1 + posts)
}

/** For a reader with these edges (compact). */
export function horizonOfEdges(
  { keys, size }: NumberMap,
  postsPerSOf: (author: number) => number,
  windowS: number,
): number {
  let postsPerS = 0
  for (let i = 0; i < size; i++) postsPerS += postsPerSOf(keys[i] as number)
  return horizonOf(postsPerS, size, windowS)
}
