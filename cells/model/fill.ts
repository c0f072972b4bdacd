// Filling an inbox: which authors' posts of before the coverage it takes in, and from when on it covers them then.

import type { AuthorIndex } from './author-index.ts'
import { type PostId, hiOf, loOf, secondOfHalves } from './post-id.ts'
import { COVERED_FROM, NOT_COVERED, type Reader } from './reader.ts'

/** Chunks of filled inboxes lie apart from those of generations: in a month that never comes. */
export const FILL_MONTH = 0x7fff_ffff

/** An author of whom the inbox has everything from the second on, and what was found before it. */
export type FilledAuthor = {
  readonly author: number
  readonly coveredFrom: number
  readonly postIds: readonly PostId[]
  readonly reblogs: readonly boolean[]
  /** There is nothing older. */
  readonly isWhole: boolean
}

/** Followed authors whose posts between the second and their coverage pages pull; from `floor` on at the earliest they are covered. */
export function fillableAuthors(
  { edges }: Reader,
  of: { readonly authors: AuthorIndex; readonly floor: number; readonly second: number },
): { readonly author: number; readonly coveredFrom: number }[] {
  edges.compact()
  const { keys, words, size } = edges
  const fillable: { author: number; coveredFrom: number }[] = []
  for (let i = 0; i < size; i++) {
    const author = keys[i] as number
    const coveredFrom = (words[i] as number) & COVERED_FROM
    // What else keeps the inbox from being asked stays as it is.
    const least = Math.max(of.authors.raisedOf(author), of.floor, of.second)
    if (coveredFrom === NOT_COVERED || coveredFrom <= least) continue
    if (!of.authors.isDeleted(author)) fillable.push({ author, coveredFrom })
  }
  return fillable
}

/** From which second on the inbox has everything once these posts are in it. */
export function coveredFromThen({ coveredFrom, postIds, isWhole }: FilledAuthor): number {
  if (isWhole) return 0
  const last = postIds.at(-1)
  // Of the last one's second there may be more.
  return last === undefined ? coveredFrom : secondOfHalves(hiOf(last), loOf(last)) + 1
}

/** Says in the reader's edges what the filled inbox covers, of those that are as they were; false when there are none. */
export function coverFilled(reader: Reader, filled: readonly FilledAuthor[]): boolean {
  let isAnyFilled = false
  for (const each of filled) {
    const word = reader.edges.get(each.author)
    const after = coveredFromThen(each)
    if (word === undefined || (word & COVERED_FROM) !== each.coveredFrom) continue
    if (after >= each.coveredFrom) continue
    reader.edges.set(each.author, ((word & ~COVERED_FROM) | after) >>> 0)
    reader.filledBelow = Math.max(reader.filledBelow, each.coveredFrom)
    isAnyFilled = true
  }
  return isAnyFilled
}
