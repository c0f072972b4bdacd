// What happened, as the firehose holds it: everything that changes what a reader sees is one of these. An event is keyed by
// the user it is about, so that one partition decides each fact: a post and its edits and deletion, one follow edge, one block.

import type { EventId, PostId } from './post-id.ts'
import type { UserRef } from './user-key.ts'

export type Audience = 'public' | 'followers'
export type PostName = { readonly author: UserRef; readonly postId: PostId }

/** `asOfMs` marks an imported relation: it counts as of its snapshot's time (Unix ms), and later live events win. */
type Imported = { readonly asOfMs: number | undefined }

export type PostCreated = PostName & {
  readonly kind: 'post-created'
  /** The unchanging and the editable half of the public post, both encoded for the wire; their concatenation is the post. */
  readonly head: Uint8Array
  readonly content: Uint8Array
  readonly reblogOf: PostName | undefined
  readonly audience: Audience
}
export type PostEdited = PostName & {
  readonly kind: 'post-edited'
  readonly content: Uint8Array
  /** Of the post, so that who passes events on need not know the post. */
  readonly audience: Audience
}
export type PostDeleted = PostName & { readonly kind: 'post-deleted' }
export type Liked = PostName & {
  readonly kind: 'post-liked' | 'post-unliked'
  readonly user: UserRef
}
export type Followed = Imported & {
  readonly kind: 'followed'
  readonly user: UserRef
  readonly author: UserRef
  readonly hideReblogs: boolean
}
export type Unfollowed = Imported & {
  readonly kind: 'unfollowed'
  readonly user: UserRef
  readonly author: UserRef
}
export type Hidden = Imported & {
  readonly kind: 'blocked' | 'unblocked' | 'muted' | 'unmuted'
  readonly user: UserRef
  readonly target: UserRef
}
export type ReadMarked = {
  readonly kind: 'read-marked'
  readonly user: UserRef
  readonly postId: PostId
}
export type UserDeleted = { readonly kind: 'user-deleted'; readonly user: UserRef }
/**
 * A record that cannot be read. One that a newer version wrote stops the cell, as it may change what readers see; any other is no
 * event at all: it is counted and passed over, and its offset still counts.
 */
export type Unreadable = {
  readonly kind: 'unreadable'
  readonly reason: string
  readonly isNewer: boolean
}

export type Fact =
  | PostCreated
  | PostEdited
  | PostDeleted
  | Liked
  | Followed
  | Unfollowed
  | Hidden
  | ReadMarked
  | UserDeleted
  | Unreadable

export type Event = { readonly id: EventId; readonly fact: Fact }
export type Topic = 'public' | 'private'

/** Whether the fact changes posts, or which of them there are; all others are about relations between users. */
export function isAboutPosts({ kind }: Fact): boolean {
  return (
    kind === 'post-created' ||
    kind === 'post-edited' ||
    kind === 'post-deleted' ||
    kind === 'user-deleted'
  )
}

/** The topic and key that decide the partition of a fact. Unreadable facts were never produced here. */
export function routeOf(fact: Exclude<Fact, Unreadable>): { topic: Topic; key: UserRef } {
  switch (fact.kind) {
    case 'post-created':
    case 'post-edited':
    case 'post-deleted':
    case 'post-liked':
    case 'post-unliked':
    case 'followed':
    case 'unfollowed':
      return { topic: 'public', key: fact.author }
    case 'user-deleted':
      return { topic: 'public', key: fact.user }
    case 'blocked':
    case 'unblocked':
    case 'muted':
    case 'unmuted':
      return { topic: 'private', key: fact.target }
    case 'read-marked':
      return { topic: 'private', key: fact.user }
  }
}
