// Where the stored posts begin that a page must pull, because neither inbox nor window is known to hold them.

import { AUTHOR_WORDS, type AuthorIndex, GREATEST_HI, GREATEST_LO, RAISED } from './author-index.ts'
import type { PostWindow } from './window.ts'

/** An id in halves; [0, 0] for none. */
export type IdHalves = readonly [number, number]

/** Where an author's stored posts may begin that the window does not hold, as the greatest possible id. */
export function pullBound(options: {
  readonly window: PostWindow
  readonly authors: AuthorIndex
  readonly author: number
  /** Everything from this second on is in inbox or window. */
  readonly coveredFrom: number
}): IdHalves {
  const { window, authors, author, coveredFrom } = options
  if (coveredFrom === 0) return [0, 0]
  const at = author * AUTHOR_WORDS
  const greatest: IdHalves = [
    authors.words[at + GREATEST_HI] as number,
    authors.words[at + GREATEST_LO] as number,
  ]
  const raised = authors.words[at + RAISED] as number
  const beyond = raised === 0 ? 0 : authors.raisedByPosts(author)
  const gone = goneBound(window, beyond)
  return lesser(lesser(greatest, gone), halvesBelowSecond(coveredFrom))
}

/** What is not in the window left it, or never entered and raised its author to this second. */
export function goneBound(window: PostWindow, raised: number): IdHalves {
  const dropped: IdHalves = [window.droppedHi, window.droppedLo]
  if (raised === 0) return dropped
  const below = halvesBelowSecond(raised)
  return isLess(dropped, below) ? below : dropped
}

/** The greatest id before this second; [0, 0] before the first. */
export function halvesBelowSecond(second: number): IdHalves {
  const ms = second * 1000
  if (ms === 0) return [0, 0]
  const hi = Math.floor((ms - 1) / 1024)
  if (hi > 0xffff_ffff) return [0xffff_ffff, 0xffff_ffff]
  return [hi, ((((ms - 1) % 1024) << 22) | 0x3f_ffff) >>> 0]
}

export function lesser(a: IdHalves, b: IdHalves): IdHalves {
  return isLess(b, a) ? b : a
}

function isLess([hiA, loA]: IdHalves, [hiB, loB]: IdHalves): boolean {
  return hiA < hiB || (hiA === hiB && loA < loB)
}
