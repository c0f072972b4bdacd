// The heart of the checkers: a listing (a page of a dashboard or of an author) shows a stretch of a sorted set while the set may
// change. What belonged all the time must be there, what never belonged must not, in order, nothing twice.

import {
  type Belonging,
  compareInDashboard,
  type Condition,
  type PostRef,
  type Span,
} from './belonging.ts'
import { known, Violation } from './violation.ts'

export type Listing = {
  readonly name: string
  readonly shown: readonly PostRef[]
  /** Whether the stretch that the page answers for holds this place. */
  readonly covers: (post: PostRef) => boolean
  readonly span: Span
  readonly conditions: (post: PostRef) => readonly Condition[]
}

export function checkListing(belonging: Belonging, listing: Listing): void {
  const { name, shown, span, conditions } = listing
  checkOrder(name, shown)
  const stray = shown.find((post) => !listing.covers(post))
  if (stray !== undefined) {
    throw new Violation(`${name}: a post outside of the page's stretch`, { got: nameOf(stray) })
  }
  const wrong = shown.find((post) => !belonging.ever(conditions(post), span))
  if (wrong !== undefined) {
    throw new Violation(`${name} shows what does not belong: ${nameOf(wrong)}`, {
      got: shown.map(nameOf),
      want: expected(belonging, listing).map(nameOf),
    })
  }
  const keys = new Set(shown.map(nameOf))
  const missing = expected(belonging, listing).filter((post) => !keys.has(nameOf(post)))
  if (missing.length > 0) {
    throw new Violation(`${name} leaves out what belongs: ${missing.map(nameOf).join()}`, {
      got: shown.map(nameOf),
      want: expected(belonging, listing).map(nameOf),
    })
  }
}

/** What must be in the stretch, in order. */
export function expected(belonging: Belonging, listing: Omit<Listing, 'shown'>): PostRef[] {
  const { span, conditions } = listing
  return belonging.model
    .posts(span.to)
    .filter((post) => listing.covers(post) && belonging.always(conditions(post), span))
    .sort(compareInDashboard)
}

export function nameOf(post: PostRef): string {
  const key = Array.from(post.author.slice(0, 2), (char) =>
    char.charCodeAt(0).toString(16).padStart(2, '0'),
  )
  return `${key.join('')}/${post.postId}`
}

function checkOrder(name: string, shown: readonly PostRef[]): void {
  for (let i = 1; i < shown.length; i++) {
    const before = known(shown[i - 1], 'a post')
    const after = known(shown[i], 'a post')
    if (compareInDashboard(before, after) < 0) continue
    throw new Violation(`${name} is not in order`, { got: shown.map(nameOf) })
  }
}
