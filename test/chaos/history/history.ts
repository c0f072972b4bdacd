// Everything that anyone wanted, and what is known of it: the checker's memory. Operations on one fact must not overlap; the
// load holds a lock on what it changes.

import { MarkFact } from './mark-fact.ts'
import { Operation } from './operation.ts'
import { PostFact, type WrittenPost } from './post-fact.ts'
import { SwitchFact } from './switch-fact.ts'

export type RelationKind = 'follow' | 'block' | 'mute'

export class History {
  readonly operations: Operation[] = []
  readonly #posts = new Map<string, PostFact>()
  readonly #postsOf = new Map<string, PostFact[]>()
  readonly #relations: Record<RelationKind, Map<string, Map<string, SwitchFact>>> = {
    follow: new Map(),
    block: new Map(),
    mute: new Map(),
  }
  readonly #marks = new Map<string, MarkFact>()
  #tick = 0

  /** The next moment: later than all that was, earlier than all that comes. */
  tick(): number {
    this.#tick += 1
    return this.#tick
  }

  publish(session: string, post: WrittenPost): Operation {
    const name = nameOf(post.author, post.postId)
    let fact = this.#posts.get(name)
    if (fact === undefined) {
      fact = new PostFact(post)
      this.#posts.set(name, fact)
      const posts = this.#postsOf.get(post.author)
      if (posts === undefined) this.#postsOf.set(post.author, [fact])
      else posts.push(fact)
    }
    const operation = this.#begin(session, `publish ${name}`)
    fact.creates.push(operation)
    return operation
  }

  edit(session: string, post: PostFact, text: string): Operation {
    const operation = this.#begin(session, `edit ${post.name} to ${JSON.stringify(text)}`)
    post.edits.push({ operation, text })
    return operation
  }

  delete(session: string, post: PostFact): Operation {
    const operation = this.#begin(session, `delete ${post.name}`)
    post.deletes.push(operation)
    return operation
  }

  /** A block also ends the follows, both ways. */
  relate(
    session: string,
    relation: { kind: RelationKind; user: string; target: string; on: boolean },
  ): Operation {
    const { kind, user, target, on } = relation
    const operation = this.#begin(session, `${on ? '' : 'un'}${kind} ${user} -> ${target}`)
    this.relation(kind, user, target).add(operation, on)
    if (kind === 'block' && on) {
      this.relation('follow', user, target).add(operation, false)
      this.relation('follow', target, user).add(operation, false)
    }
    return operation
  }

  markRead(session: string, user: string, postId: string): Operation {
    const operation = this.#begin(session, `${user} has read up to ${postId}`)
    this.mark(user).add(operation, postId)
    return operation
  }

  relation(kind: RelationKind, user: string, target: string): SwitchFact {
    const ofKind = this.#relations[kind]
    let ofUser = ofKind.get(user)
    if (ofUser === undefined) {
      ofUser = new Map()
      ofKind.set(user, ofUser)
    }
    let fact = ofUser.get(target)
    if (fact === undefined) {
      fact = new SwitchFact(`${kind} ${user} -> ${target}`)
      ofUser.set(target, fact)
    }
    return fact
  }

  /** Those with whom the user ever had such a relation, or might have. */
  targetsOf(kind: RelationKind, user: string): string[] {
    return [...(this.#relations[kind].get(user)?.keys() ?? [])]
  }

  *relations(kind: RelationKind): Generator<{ user: string; target: string; fact: SwitchFact }> {
    for (const [user, ofUser] of this.#relations[kind]) {
      for (const [target, fact] of ofUser) yield { user, target, fact }
    }
  }

  mark(user: string): MarkFact {
    let fact = this.#marks.get(user)
    if (fact === undefined) {
      fact = new MarkFact(user)
      this.#marks.set(user, fact)
    }
    return fact
  }

  post(author: string, postId: string): PostFact | undefined {
    return this.#posts.get(nameOf(author, postId))
  }

  posts(): IterableIterator<PostFact> {
    return this.#posts.values()
  }

  postsOf(author: string): readonly PostFact[] {
    return this.#postsOf.get(author) ?? []
  }

  #begin(session: string, what: string): Operation {
    const operation = new Operation(what, session, this.tick())
    this.operations.push(operation)
    return operation
  }
}

export function nameOf(author: string, postId: string): string {
  return `${author}/${postId}`
}
