// Whether a post belongs on a dashboard: for sure, perhaps (because something about it is open, or changed while it was
// read), or not. The whole rule of cellfeed in one place: the author's own, or followed, and neither muted nor blocked.

import type { History } from '../history/history.ts'
import type { Floor } from '../history/operation.ts'
import type { PostFact } from '../history/post-fact.ts'

export type Reading = {
  readonly viewer: string
  /** What the reader surely sees. */
  readonly floor: Floor
  /** When the read ended. */
  readonly until: number
}

export function mustBeShown(history: History, post: PostFact, reading: Reading): boolean {
  const { floor, until } = reading
  return post.mustBeThere(floor, until) && mustSeeAuthor(history, post.author, reading)
}

export function mayBeShown(history: History, post: PostFact, reading: Reading): boolean {
  const { viewer, floor, until } = reading
  if (!post.mayBeThere(floor, until)) return false
  const { author } = post
  if (author === viewer) return true
  return (
    history.relation('follow', viewer, author).mayBe(true, floor, until) &&
    hiding(history, viewer, author).every((fact) => fact.mayBe(false, floor, until))
  )
}

/** Whether, after what the floor knows, something may have taken all of the author's posts away. */
export function mayLoseAuthor(history: History, author: string, reading: Reading): boolean {
  const { viewer, floor, until } = reading
  if (author === viewer) return false
  return (
    history.relation('follow', viewer, author).mayTurn(false, floor, until) ||
    hiding(history, viewer, author).some((fact) => fact.mayTurn(true, floor, until))
  )
}

export function mustSeeAuthor(history: History, author: string, reading: Reading): boolean {
  const { viewer, floor, until } = reading
  if (author === viewer) return true
  return (
    !history.relation('follow', viewer, author).mayBe(false, floor, until) &&
    hiding(history, viewer, author).every((fact) => !fact.mayBe(true, floor, until))
  )
}

/** What the history knows about it, for a finding. */
export function factsAbout(history: History, post: PostFact, viewer: string): string {
  const { author } = post
  if (author === viewer) return post.story
  const facts = [history.relation('follow', viewer, author), ...hiding(history, viewer, author)]
  return [post, ...facts.filter(({ changes }) => changes.length > 0)]
    .map(({ story }) => story)
    .join('\n    ')
}

function hiding(history: History, viewer: string, author: string) {
  return [
    history.relation('mute', viewer, author),
    history.relation('block', viewer, author),
    history.relation('block', author, viewer),
  ]
}
