// Checks one page of a dashboard, or of an author's posts: the posts of its stretch, their bodies and origins, the places it
// leads on to, the read mark and the unread count.

import { hasReached } from '../../cells/model/position.ts'
import { type PostId, msOf } from '../../cells/model/post-id.ts'
import type { UserKey } from '../../cells/model/user-key.ts'
import type {
  DashboardQuery,
  OriginView,
  Page,
  PostView,
  Unread,
} from '../../cells/ports/cell-client.ts'
import { type Belonging, compareInDashboard, type PostRef, type Span } from './belonging.ts'
import { checkListing, nameOf } from './check-listing.ts'
import type { ModelPost } from './reference-model.ts'
import { known, Violation } from './violation.ts'

export type Seen<T> = { readonly value: T; readonly span: Span }

/** Nothing was applied during the call. */
export function isStill(span: Span): boolean {
  return hasReached(span.from, span.to)
}

export function checkPage(
  belonging: Belonging,
  asked: {
    readonly viewer: UserKey
    readonly query: DashboardQuery
    readonly clockSkewMs: number
  },
  { value: page, span }: Seen<Page>,
): void {
  const { viewer, query } = asked
  const { posts, older, newer } = page
  const name = 'page'
  if (posts.length > query.limit)
    throw new Violation('page is longer than asked', { got: posts.length })
  checkListing(belonging, {
    name,
    shown: posts,
    covers: stretchOf(query, page),
    span,
    conditions: (post) => belonging.onDashboard(viewer, post),
  })
  for (const post of posts) checkView(belonging, viewer, post, span)
  const isFull = posts.length === query.limit
  const isOlder = query.from?.direction !== 'newer'
  if (isOlder && older !== undefined && !isFull && isStill(span)) {
    throw new Violation('page is not full but says that there is more', { got: posts.length })
  }
  checkNewer(asked.clockSkewMs, query, { posts, newer })
  checkMark(belonging, viewer, page.readMark, span)
  if (query.countUnreadTo !== undefined) {
    const cap = query.countUnreadTo
    checkUnread(belonging, { viewer, cap }, { value: known(page.unread, 'the unread count'), span })
  }
}

/** A page of older posts ends where the next one goes on; one of newer posts at its newest, or at the top if it says so. */
function stretchOf(query: DashboardQuery, page: Page): (post: PostRef) => boolean {
  const place = query.from?.place
  if (query.from?.direction !== 'newer') {
    const { older } = page
    return (post) =>
      (place === undefined || compareInDashboard(place, post) < 0) &&
      (older === undefined || compareInDashboard(post, older) <= 0)
  }
  const newest = page.posts[0]
  const isAtTop = reachesTop(page)
  return (post) =>
    (place === undefined || compareInDashboard(post, place) < 0) &&
    (isAtTop || newest === undefined || compareInDashboard(newest, post) <= 0)
}

/** A page that leads back below its newest post says that there is nothing above it. */
export function reachesTop({ posts, newer }: Page): boolean {
  const newest = posts[0]
  return newest === undefined || newer === undefined || compareInDashboard(newest, newer) < 0
}

/** Newer pages lead to the top, and from there reach back by what gateways' clocks may differ. */
function checkNewer(
  clockSkewMs: number,
  query: DashboardQuery,
  { posts, newer }: Pick<Page, 'posts' | 'newer'>,
): void {
  const newest = posts[0]
  if (newer === undefined) throw new Violation('a page leads to no newer one')
  if (newest === undefined || query.from?.direction === 'older') return
  if (query.from?.direction === 'newer' && compareInDashboard(newest, newer) === 0) return
  if (msOf(newer.postId) > msOf(newest.postId) - clockSkewMs) {
    throw new Violation('the place of newer posts does not reach back', { got: newer.postId })
  }
}

/** A body as it was somewhere in the span; an origin only if the viewer may have seen it. */
export function checkView(
  belonging: Belonging,
  viewer: UserKey | undefined,
  view: PostView,
  span: Span,
): void {
  const versions = belonging.versions(view, span)
  const fits = versions.some(
    (post) => isSame(post.head, view.head) && isSame(post.content, view.content),
  )
  if (!fits) {
    throw new Violation(`${nameOf(view)} has a body it never had`, {
      got: textOf(view),
      want: versions.map(textOf),
    })
  }
  const post = known(versions[0], 'a version')
  if (post.audience !== view.audience)
    throw new Violation(`${nameOf(view)}: audience`, { got: view.audience })
  checkOrigin(belonging, { viewer, post, origin: view.origin, span })
}

function checkOrigin(
  belonging: Belonging,
  {
    viewer,
    post,
    origin,
    span,
  }: { viewer: UserKey | undefined; post: ModelPost; origin: OriginView | undefined; span: Span },
): void {
  if ((post.origin === undefined) !== (origin === undefined)) {
    throw new Violation(`${nameOf(post)}: origin`, {
      got: origin?.kind,
      want: post.origin && nameOf(post.origin),
    })
  }
  if (post.origin === undefined || origin === undefined) return
  const conditions =
    viewer === undefined ? belonging.isPublic(post.origin) : belonging.visible(viewer, post.origin)
  const of = `origin ${nameOf(post.origin)} of ${nameOf(post)}`
  if (origin.kind === 'unavailable') {
    if (belonging.always(conditions, span)) throw new Violation(`${of} is there but not shown`)
    return
  }
  if (!belonging.ever(conditions, span)) throw new Violation(`${of} is shown but must not be`)
  const versions = belonging.versions(post.origin, span)
  if (
    !versions.some(
      ({ head, content }) => isSame(head, origin.head) && isSame(content, origin.content),
    )
  ) {
    throw new Violation(`${of} has a body it never had`, {
      got: textOf(origin),
      want: versions.map(textOf),
    })
  }
}

export function checkMark(
  belonging: Belonging,
  viewer: UserKey,
  mark: PostId | undefined,
  span: Span,
): void {
  const marks = belonging.readMarks(viewer, span)
  if (marks.includes(mark) || !belonging.always([belonging.alive(viewer)], span)) return
  throw new Violation('a read mark that never was', { got: mark, want: marks })
}

/** How many posts are above the mark, counted to a cap: between what surely is there and what may be. */
export function checkUnread(
  belonging: Belonging,
  { viewer, cap }: { readonly viewer: UserKey; readonly cap: number },
  { value: unread, span }: Seen<Unread>,
): void {
  const marks = belonging.readMarks(viewer, span).map((mark) => mark ?? 0n)
  const greatest = marks.reduce((a, b) => (a > b ? a : b), 0n)
  const least = marks.reduce((a, b) => (a < b ? a : b), greatest)
  const posts = belonging.posts(span)
  const count = (above: bigint, test: 'always' | 'ever'): number =>
    posts.filter(
      (post) => post.postId > above && belonging[test](belonging.onDashboard(viewer, post), span),
    ).length
  const sure = count(greatest, 'always')
  const possible = belonging.ever([belonging.alive(viewer)], span) ? count(least, 'ever') : 0
  const fits = unread.capped
    ? unread.count === cap && possible > cap
    : unread.count >= Math.min(sure, cap) && unread.count <= Math.min(possible, cap) && sure <= cap
  if (!fits) throw new Violation('unread count', { got: unread, want: { sure, possible, cap } })
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

function textOf({
  head,
  content,
}: {
  readonly head: Uint8Array
  readonly content: Uint8Array
}): string {
  return `${Buffer.from(head).toString()}|${Buffer.from(content).toString()}`
}
