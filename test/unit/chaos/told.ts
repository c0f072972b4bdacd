// A history told in a few words, for tests of its checkers: what was written with which outcome, and what was shown then.

import type { ShownPost, Walk } from '../../chaos/check/check-walk.ts'
import { History, type RelationKind } from '../../chaos/history/history.ts'
import type { Operation, Outcome } from '../../chaos/history/operation.ts'
import type { PostFact } from '../../chaos/history/post-fact.ts'

export class Told {
  readonly history = new History()
  #ids = 100

  /** An operation that ends at once with this outcome. */
  ends(operation: Operation, outcome: Outcome = 'acknowledged'): Operation {
    operation.attempted(outcome, outcome)
    operation.end(this.history.tick())
    return operation
  }

  posts(author: string, outcome?: Outcome, session = author): PostFact {
    this.#ids += 1
    const postId = String(this.#ids)
    this.ends(this.history.publish(session, { author, postId, text: `text of ${postId}` }), outcome)
    const post = this.history.post(author, postId)
    if (post === undefined) throw new Error('a history forgets its posts')
    return post
  }

  relates(
    kind: RelationKind,
    pair: readonly [user: string, target: string],
    on: boolean,
    outcome?: Outcome,
  ): Operation {
    const [user, target] = pair
    return this.ends(this.history.relate(user, { kind, user, target, on }), outcome)
  }

  /** What a reader is shown who knows everything up to now, unless the session says otherwise. */
  walk(viewer: string, posts: readonly ShownPost[], more: Partial<Walk> = {}): Walk {
    const now = this.history.tick()
    const floor = { session: 'reader', at: now, ownAt: now }
    return { viewer, posts, floor, until: now, readMark: undefined, isComplete: true, ...more }
  }
}

export function shown(post: PostFact, text = post.text): ShownPost {
  return { author: post.author, postId: post.postId, text }
}

export function kinds(findings: readonly { readonly kind: string }[]): string[] {
  return findings.map(({ kind }) => kind)
}
