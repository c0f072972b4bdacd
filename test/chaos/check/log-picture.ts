// What the firehose says that happened: replayed from the earliest event to its end, for the users of one history. A create
// never replaces, a delete is final, and of a follow the last event decides.

import type { FirehoseEvent } from '../../../services/client/connect.ts'
import { nameOf } from '../history/history.ts'

export type LoggedPost = {
  /** Texts in the order of creates and edits, as long as the post was there. */
  readonly texts: string[]
  readonly isCreated: boolean
  readonly isDeleted: boolean
}

export class LogPicture {
  readonly #posts = new Map<string, { texts: string[]; isCreated: boolean; isDeleted: boolean }>()
  readonly #follows = new Map<string, boolean[]>()
  /** An event may come twice, and is the same event then. */
  readonly #eventIds = new Set<string>()
  readonly #lastOffsets = new Map<number, bigint>()
  #disorder: string | undefined

  take(event: FirehoseEvent): void {
    const last = this.#lastOffsets.get(event.partition) ?? -1n
    this.#lastOffsets.set(event.partition, event.offset > last ? event.offset : last)
    if (this.#eventIds.has(event.eventId)) return
    this.#eventIds.add(event.eventId)
    if (event.offset <= last) {
      this.#disorder ??= `partition ${event.partition}: ${event.offset} after ${last}`
    }
    switch (event.kind) {
      case 'postCreated': {
        const post = this.#postOf(nameOf(event.post.authorId, event.post.postId))
        if (!post.isCreated) post.texts.unshift(event.post.text)
        post.isCreated = true
        return
      }
      case 'postEdited':
        this.#postOf(nameOf(event.post.authorId, event.post.postId)).texts.push(event.content.text)
        return
      case 'postDeleted':
        this.#postOf(nameOf(event.post.authorId, event.post.postId)).isDeleted = true
        return
      case 'followed':
      case 'unfollowed':
        this.#followsOf(event.userId, event.authorId).push(event.kind === 'followed')
        return
      case 'postLiked':
      case 'postUnliked':
      case 'userDeleted':
    }
  }

  get eventIds(): ReadonlySet<string> {
    return this.#eventIds
  }

  /** The first event that came after a later one of its partition, if any did. */
  get disorder(): string | undefined {
    return this.#disorder
  }

  post(name: string): LoggedPost {
    return this.#posts.get(name) ?? { texts: [], isCreated: false, isDeleted: false }
  }

  postNames(): IterableIterator<string> {
    return this.#posts.keys()
  }

  /** All changes of one follow, in the log's order. */
  follows(user: string, author: string): readonly boolean[] {
    return this.#follows.get(`${user} -> ${author}`) ?? []
  }

  #postOf(name: string) {
    let post = this.#posts.get(name)
    if (post === undefined) {
      post = { texts: [], isCreated: false, isDeleted: false }
      this.#posts.set(name, post)
    }
    return post
  }

  #followsOf(user: string, author: string): boolean[] {
    const name = `${user} -> ${author}`
    let changes = this.#follows.get(name)
    if (changes === undefined) {
      changes = []
      this.#follows.set(name, changes)
    }
    return changes
  }
}
