// What outside subscribers are sent of an event: its public form, or nothing. Blocks, mutes and read marks are of another
// topic and never come here; posts for followers only, and their edits, are left out.

import type { Fact } from '../../cells/model/event.ts'
import type { LogRecord } from '../../cells/ports/firehose.ts'
import type { FirehoseEvent } from '../../gen/cellfeed/v1/firehose_service.ts'
import { Post } from '../../gen/cellfeed/v1/post.ts'
import { idOfImported } from '../gateway/imported-id.ts'
import { refOf } from '../gateway/wire.ts'

type Shown = Pick<FirehoseEvent, 'key' | 'kind'>

/** Undefined for what is not public, or cannot be read by this version. */
export function publicEvent(partition: number, record: LogRecord): FirehoseEvent | undefined {
  const shown = shownOf(record.event.fact)
  if (shown === undefined) return undefined
  return {
    eventId: String(record.event.id),
    partition,
    offset: BigInt(record.offset),
    appendedAt: new Date(record.appendedAtMs),
    ...shown,
  }
}

function shownOf(fact: Fact): Shown | undefined {
  switch (fact.kind) {
    case 'post-created': {
      if (fact.audience !== 'public') return undefined
      const post = Post.decode(Buffer.concat([fact.head, fact.content]))
      const value = { post, imported: isImported(post) }
      return { key: fact.author.id, kind: { $case: 'postCreated', value } }
    }
    case 'post-edited': {
      if (fact.audience !== 'public') return undefined
      const value = { post: refOf(fact), content: Post.decode(fact.content) }
      return { key: fact.author.id, kind: { $case: 'postEdited', value } }
    }
    case 'post-deleted':
      return { key: fact.author.id, kind: { $case: 'postDeleted', value: { post: refOf(fact) } } }
    case 'post-liked': {
      const value = { userId: fact.user.id, post: refOf(fact) }
      return { key: fact.author.id, kind: { $case: 'postLiked', value } }
    }
    case 'post-unliked': {
      const value = { userId: fact.user.id, post: refOf(fact) }
      return { key: fact.author.id, kind: { $case: 'postUnliked', value } }
    }
    case 'followed': {
      const { hideReblogs } = fact
      const value = { ...relationOf(fact), hideReblogs }
      return { key: fact.author.id, kind: { $case: 'followed', value } }
    }
    case 'unfollowed':
      return { key: fact.author.id, kind: { $case: 'unfollowed', value: relationOf(fact) } }
    case 'user-deleted':
      return { key: fact.user.id, kind: { $case: 'userDeleted', value: { userId: fact.user.id } } }
    case 'blocked':
    case 'unblocked':
    case 'muted':
    case 'unmuted':
    case 'read-marked':
    case 'unreadable':
      return undefined
  }
}

function relationOf(fact: Extract<Fact, { readonly kind: 'followed' | 'unfollowed' }>) {
  return {
    userId: fact.user.id,
    authorId: fact.author.id,
    asOf: fact.asOfMs === undefined ? undefined : new Date(fact.asOfMs),
  }
}

/** The id of an imported post follows from its time and external id; no other post has such a one. */
function isImported(post: Post): boolean {
  if (post.externalId === '' || post.createdAt === undefined) return false
  return post.postId === String(idOfImported(post.createdAt.getTime(), post.externalId))
}
