// Filling an inbox: which authors' posts of before the coverage it takes in, and from when on it covers them then.

import { AUTHOR_WORDS, type AuthorIndex, GREATEST_HI, GREATEST_LO } from './author-index.ts'
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
    if (coveredFrom <= of.second || !isCoverage(coveredFrom, author, of)) continue
    if (newestOf(author, of.authors) < of.second || of.authors.isDeleted(author)) continue
    fillable.push({ author, coveredFrom })
  }
  return fillable
}

/** Whether it is the edge that says where coverage begins, and nothing else that stays as it is. */
export function isCoverage(
  coveredFrom: number,
  author: number,
  { authors, floor }: { readonly authors: AuthorIndex; readonly floor: number },
): boolean {
  return coveredFrom !== NOT_COVERED && coveredFrom > Math.max(authors.raisedOf(author), floor)
}

/** The second of the author's newest post. */
function newestOf(author: number, { words }: AuthorIndex): number {
  const at = author * AUTHOR_WORDS
  return secondOfHalves(words[at + GREATEST_HI] as number, words[at + GREATEST_LO] as number)
}

/** From which second on the inbox has everything once these posts are in it. */
export function coveredFromThen({ coveredFrom, postIds, isWhole }: FilledAuthor): number {
  if (isWhole) return 0
  const last = postIds.at(-1)
  // Of the last one's second there may be more.
  return last === undefined ? coveredFrom : secondOfHalves(hiOf(last), loOf(last)) + 1
}

/** Whether there is anything in it. */
export function coversMore(filled: FilledAuthor): boolean {
  return coveredFromThen(filled) < filled.coveredFrom
}

/** Says in the reader's edges what the filled inbox covers, of those that are as they were; false when there are none. */
export function coverFilled(reader: Reader, filled: readonly FilledAuthor[]): boolean {
  let isAnyFilled = false
  for (const each of filled) {
    const word = reader.edges.get(each.author)
    const after = coveredFromThen(each)
    if (word === undefined || (word & COVERED_FROM) !== each.coveredFrom) continue
    reader.edges.set(each.author, ((word & ~COVERED_FROM) | after) >>> 0)
    reader.filledBelow = Math.max(reader.filledBelow, each.coveredFrom)
    isAnyFilled = true
  }
  return isAnyFilled
}
