// Whether a post belongs on a dashboard: for sure, perhaps (because something about it is open, or changed while it was
// read), or not. The whole rule of cellfeed in one place: the author's own, or followed, and neither muted nor blocked.

import type { History } from '../history/history.ts'
import type { Floor } from '../history/operation.ts'
import type { PostFact } from '../history/post-fact.ts'
import type { SwitchFact } from '../history/switch-fact.ts'

export type Reading = {
  readonly viewer: string
  /** What the reader surely sees. */
  readonly floor: Floor
  /** When the read ended. */
  readonly until: number
}

export function mustBeShown(history: History, post: PostFact, reading: Reading): boolean {
  const { viewer, floor, until } = reading
  if (!post.mustBeThere(floor, until) || mayBeHidden(history, post, reading)) return false
  if (post.author === viewer) return true
  return !history.relation('follow', viewer, post.author).mayBe(false, floor, until)
}

export function mayBeShown(history: History, post: PostFact, reading: Reading): boolean {
  const { viewer, floor, until } = reading
  if (!post.mayBeThere(floor, until) || mustBeHidden(history, post, reading)) return false
  if (post.author === viewer) return true
  return history.relation('follow', viewer, post.author).mayBe(true, floor, until)
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

/** Whether a mute, or a block by either, hides it for sure. */
export function mustBeHidden(history: History, post: PostFact, reading: Reading): boolean {
  const { viewer, floor, until } = reading
  return hiding(history, viewer, post.author).some((fact) => !fact.mayBe(false, floor, until))
}

export function mayBeHidden(history: History, post: PostFact, reading: Reading): boolean {
  const { viewer, floor, until } = reading
  return hiding(history, viewer, post.author).some((fact) => fact.mayBe(true, floor, until))
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

function hiding(history: History, viewer: string, author: string): SwitchFact[] {
  if (author === viewer) return []
  return [
    history.relation('mute', viewer, author),
    history.relation('block', viewer, author),
    history.relation('block', author, viewer),
  ]
}
