// Checks everything else that a cell says of posts and relations: lists of follows and followers, single posts, explanations.

import type { UserKey, UserRef } from '../../cells/model/user-key.ts'
import type {
  Explanation,
  FollowersPage,
  FollowingPage,
  PostFound,
  Verdict,
} from '../../cells/ports/cell-client.ts'
import type { Belonging, Condition, PostRef, Span } from './belonging.ts'
import { nameOf } from './check-listing.ts'
import { checkView } from './check-page.ts'
import { type PartitionState, postKey, relationKey } from './reference-model.ts'
import { known, Violation } from './violation.ts'

/** A page of users in key order: `after` excluded, up to and with `next`. */
type UserPage = {
  readonly name: string
  readonly shown: readonly UserKey[]
  readonly after: UserKey | undefined
  readonly next: UserKey | undefined
  readonly limit: number
  readonly conditions: (user: UserKey) => readonly Condition[]
}

export function checkFollowing(
  belonging: Belonging,
  asked: { readonly viewer: UserKey; readonly after: UserKey | undefined; readonly limit: number },
  page: FollowingPage,
  { users, span }: { readonly users: readonly UserRef[]; readonly span: Span },
): void {
  const { viewer } = asked
  checkUsers(belonging, users, span, {
    ...asked,
    name: 'following',
    shown: page.following.map(({ author }) => author),
    next: page.next,
    conditions: (user) => belonging.follows(viewer, user),
  })
  for (const { author, id, hideReblogs } of page.following) {
    const states = belonging.statesOf(belonging.publicOf(author), span)
    const edge = relationKey(viewer, author)
    if (!states.some((state) => state.follows.get(edge)?.hideReblogs === hideReblogs)) {
      throw new Violation('following: hide_reblogs', { got: hideReblogs })
    }
    checkId(belonging, { key: author, id }, users, span)
  }
}

export function checkFollowers(
  belonging: Belonging,
  asked: { readonly author: UserKey; readonly after: UserKey | undefined; readonly limit: number },
  page: FollowersPage,
  {
    users,
    others,
    span,
  }: {
    readonly users: readonly UserRef[]
    /** May be listed too. */
    readonly others: readonly UserRef[]
    readonly span: Span
  },
): void {
  checkUsers(belonging, users, span, {
    ...asked,
    name: 'followers',
    shown: page.followers.map(({ user }) => user),
    next: page.next,
    conditions: (user) => belonging.follows(user, asked.author),
  })
  const may = [...users, ...others]
  for (const { user, id } of page.followers) {
    if (!may.some(({ key }) => key === user)) {
      throw new Violation('followers: somebody who lives elsewhere', { got: id })
    }
    checkId(belonging, { key: user, id }, may, span)
  }
}

function checkUsers(
  belonging: Belonging,
  users: readonly UserRef[],
  span: Span,
  page: UserPage,
): void {
  const { name, shown, after, next, limit, conditions } = page
  const covers = (key: UserKey): boolean =>
    (after === undefined || key > after) && (next === undefined || key <= next)
  const must = users.filter(({ key }) => covers(key) && belonging.always(conditions(key), span))
  const seen = { got: shown.map(hexOf), want: must.map(({ key }) => hexOf(key)) }
  if (shown.length > limit) throw new Violation(`${name}: longer than asked`, seen)
  if (shown.some((key, i) => i > 0 && key <= known(shown[i - 1], 'a user'))) {
    throw new Violation(`${name}: not in order`, seen)
  }
  if (shown.some((key) => !covers(key) || !belonging.ever(conditions(key), span))) {
    throw new Violation(`${name}: somebody who does not belong`, seen)
  }
  if (must.some(({ key }) => !shown.includes(key))) {
    throw new Violation(`${name}: somebody is missing`, seen)
  }
}

/** The product's own id, but for a user deleted meanwhile, whose name goes. */
function checkId(
  belonging: Belonging,
  { key, id }: UserRef,
  users: readonly UserRef[],
  span: Span,
): void {
  if (!belonging.always([belonging.alive(key)], span)) return
  const want = users.find((user) => user.key === key)?.id
  if (id !== want) throw new Violation('a list gives a wrong user id', { got: id, want })
}

export function checkPost(
  belonging: Belonging,
  asked: { readonly viewer: UserKey | undefined; readonly post: PostRef },
  found: PostFound,
  span: Span,
): void {
  const { viewer, post } = asked
  const conditions =
    viewer === undefined ? belonging.isPublic(post) : belonging.visible(viewer, post)
  const states = belonging.statesOf(belonging.publicOf(post.author), span)
  const key = postKey(post.author, post.postId)
  const name = `post ${nameOf(post)}`
  if (found.kind === 'found') {
    if (!belonging.ever(conditions, span)) throw new Violation(`${name} is shown but must not be`)
    checkView(belonging, viewer, found.post, span)
    const offsets = belonging.versions(post, span).map(({ createdOffset }) => createdOffset)
    if (offsets.includes(found.createdOffset)) return
    throw new Violation(`${name}: another create`, { got: found.createdOffset, want: offsets })
  }
  const isTrue: Record<typeof found.kind, (state: PartitionState) => boolean> = {
    deleted: (state) => state.posts.get(key) === 'deleted' || state.deletedUsers.has(post.author),
    unknown: (state) => state.posts.get(key) === undefined || state.deletedUsers.has(post.author),
    'not-visible': (state) => state.posts.get(key) !== undefined,
  }
  if (belonging.always(conditions, span) || !states.some(isTrue[found.kind])) {
    throw new Violation(`${name} is not ${found.kind}`, {
      got: found.kind,
      want: states.map((state) => state.posts.get(key)),
    })
  }
}

export function checkExplanation(
  belonging: Belonging,
  asked: { readonly viewer: UserKey; readonly post: PostRef; readonly isBehind: boolean },
  { verdict }: Explanation,
  span: Span,
): void {
  const { viewer, post } = asked
  const isOn = belonging.onDashboard(viewer, post)
  const name = `explain ${nameOf(post)}: ${verdict}`
  if (verdict === 'on-dashboard') {
    if (!belonging.ever(isOn, span)) throw new Violation(`${name}, but it is not`)
    return
  }
  if (belonging.always(isOn, span)) throw new Violation(`${name}, but it is on the dashboard`)
  if (verdict === 'not-applied-yet') {
    if (!asked.isBehind) throw new Violation(`${name}, but everything is applied`)
    return
  }
  const held = reasons(belonging, viewer, post)[verdict]
  if (!held.some((condition) => belonging.ever([condition], span))) {
    throw new Violation(`${name}, which is not so`)
  }
}

/** For each verdict, the conditions of which one must have held. */
function reasons(
  belonging: Belonging,
  viewer: UserKey,
  post: PostRef,
): Record<Exclude<Verdict, 'on-dashboard' | 'not-applied-yet'>, Condition[]> {
  const { author } = post
  const key = postKey(author, post.postId)
  const edge = relationKey(viewer, author)
  const back = relationKey(author, viewer)
  const inPublic = (holds: Condition['holds']): Condition => ({
    partition: belonging.publicOf(author),
    holds,
  })
  const aboutAuthor = (holds: Condition['holds']): Condition => ({
    partition: belonging.privateOf(author),
    holds,
  })
  const aboutViewer = (holds: Condition['holds']): Condition => ({
    partition: belonging.privateOf(viewer),
    holds,
  })
  const isDeleted = (user: UserKey): Condition => ({
    partition: belonging.publicOf(user),
    holds: (state) => state.deletedUsers.has(user),
  })
  return {
    'unknown-post': [inPublic((state) => state.posts.get(key) === undefined)],
    deleted: [inPublic((state) => state.posts.get(key) === 'deleted')],
    'author-deleted': [isDeleted(author)],
    'reader-deleted': [isDeleted(viewer)],
    'not-followed': [
      inPublic((state) => viewer !== author && state.follows.get(edge)?.on !== true),
    ],
    muted: [aboutAuthor((state) => state.mutes.get(edge)?.on === true)],
    blocked: [aboutAuthor((state) => state.blocks.get(edge)?.on === true)],
    'blocked-by-author': [aboutViewer((state) => state.blocks.get(back)?.on === true)],
    'reblog-hidden': [inPublic((state) => state.follows.get(edge)?.hideReblogs === true)],
  }
}

function hexOf(key: UserKey): string {
  return Buffer.from(key, 'latin1').toString('hex').slice(0, 4)
}
