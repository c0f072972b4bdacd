// After the faults: what clients do not know the outcome of, they try again until they do. Half of it is left alone, so that
// what stays open is seen too.

import type { RelationKind } from '../history/history.ts'
import type { Load } from './load.ts'
import { type Author, edit, publishAs, relate, remove } from './writes.ts'

const relationKinds: readonly RelationKind[] = ['follow', 'block', 'mute']

export async function settleSome(load: Load, signal: AbortSignal): Promise<void> {
  const dice = load.dice('settle')
  const session = 'settle'
  const author: Author = { load, session, feed: load.feed.session(), dice, signal }
  for (const repeat of openOperations(author)) {
    if (dice.chance(0.5)) await repeat()
  }
}

function* openOperations(author: Author): Generator<() => Promise<boolean>> {
  const { history } = author.load
  for (const post of history.posts()) {
    const { open } = post
    if (open === 'create') yield () => publishAs(author, post)
    if (open === 'delete') yield () => remove(author, post)
    if (open === 'edit') yield () => edit(author, post, post.lastText)
  }
  for (const kind of relationKinds) {
    for (const { user, target, fact } of history.relations(kind)) {
      const { last } = fact
      if (fact.settled !== undefined || last === undefined) continue
      yield () => relate(author, { kind, user, target, on: last.on })
    }
  }
}
