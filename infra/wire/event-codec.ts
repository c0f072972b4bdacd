// Events as the firehose holds them: the model's Event <-> bytes of internal/v1/event.proto.
//
// Reading never throws: what this version cannot read becomes the fact `unreadable` with the reason, so that its offset still
// counts. A newer schema version or an unknown kind is told apart from a name that no user can have or bytes that are no
// message: the first may matter to readers, the others cannot.

import type { Audience, Event, Fact, PostName, Unreadable } from '../../cells/model/event.ts'
import { type EventId, type PostId, toPostId } from '../../cells/model/post-id.ts'
import { USER_ID_BYTES_MAX, type UserRef, userRef } from '../../cells/model/user-key.ts'
import type { ProducedEvent } from '../../cells/ports/firehose.ts'
import { Event as WireEvent } from '../../gen/cellfeed/internal/v1/event.ts'
import { Audience as WireAudience } from '../../gen/cellfeed/v1/post.ts'

/** Raised only when older readers must not apply what newer writers write. */
export const EVENT_SCHEMA_VERSION = 1

type WireKind = NonNullable<WireEvent['kind']>
type ReadableFact = Exclude<Fact, Unreadable>

export function encodeEvent(event: ProducedEvent): Uint8Array {
  return WireEvent.encode({
    schemaVersion: EVENT_SCHEMA_VERSION,
    eventId: event.id,
    kind: kindOf(event.fact),
  }).finish()
}

export function decodeEvent(bytes: Uint8Array): Event {
  let id = 0n as EventId
  try {
    const wire = WireEvent.decode(bytes)
    id = wire.eventId as EventId
    if (wire.schemaVersion !== EVENT_SCHEMA_VERSION) {
      throw new Unread(
        `schema version ${wire.schemaVersion}, this program reads ${EVENT_SCHEMA_VERSION}`,
        wire.schemaVersion > EVENT_SCHEMA_VERSION,
      )
    }
    if (wire.kind === undefined) throw new Unread('no kind that this version knows', true)
    return { id, fact: factOf(wire.kind) }
  } catch (error) {
    const isUnread = error instanceof Unread
    const reason = isUnread ? error.message : `not an event: ${String(error)}`
    return { id, fact: { kind: 'unreadable', reason, isNewer: isUnread && error.isNewer } }
  }
}

/** Why a record cannot be read. Never leaves this file. */
class Unread extends Error {
  readonly isNewer: boolean

  constructor(message: string, isNewer = false) {
    super(message)
    this.isNewer = isNewer
  }
}

function kindOf(fact: ReadableFact): WireKind {
  switch (fact.kind) {
    case 'post-created':
      return {
        $case: 'postCreated',
        value: {
          ...postFields(fact),
          head: bufferOf(fact.head),
          content: bufferOf(fact.content),
          reblogOf: fact.reblogOf === undefined ? undefined : postFields(fact.reblogOf),
          audience: wireAudienceOf(fact.audience),
        },
      }
    case 'post-edited':
      return {
        $case: 'postEdited',
        value: {
          ...postFields(fact),
          content: bufferOf(fact.content),
          audience: wireAudienceOf(fact.audience),
        },
      }
    case 'post-deleted':
      return { $case: 'postDeleted', value: postFields(fact) }
    case 'post-liked':
      return { $case: 'postLiked', value: { userId: fact.user.id, ...postFields(fact) } }
    case 'post-unliked':
      return { $case: 'postUnliked', value: { userId: fact.user.id, ...postFields(fact) } }
    case 'followed': {
      const value = { ...edgeFields(fact), hideReblogs: fact.hideReblogs }
      return { $case: 'followed', value }
    }
    case 'unfollowed':
      return { $case: 'unfollowed', value: edgeFields(fact) }
    case 'blocked':
      return { $case: 'blocked', value: hiddenFields(fact) }
    case 'unblocked':
      return { $case: 'unblocked', value: hiddenFields(fact) }
    case 'muted':
      return { $case: 'muted', value: hiddenFields(fact) }
    case 'unmuted':
      return { $case: 'unmuted', value: hiddenFields(fact) }
    case 'read-marked':
      return { $case: 'readMarked', value: { userId: fact.user.id, postId: fact.postId } }
    case 'user-deleted':
      return { $case: 'userDeleted', value: { userId: fact.user.id } }
  }
}

function postFields({ author, postId }: PostName) {
  return { authorId: author.id, postId }
}

function edgeFields(fact: { user: UserRef; author: UserRef; asOfMs: number | undefined }) {
  return { userId: fact.user.id, authorId: fact.author.id, asOfMs: bigintOf(fact.asOfMs) }
}

function hiddenFields(fact: { user: UserRef; target: UserRef; asOfMs: number | undefined }) {
  return { userId: fact.user.id, targetId: fact.target.id, asOfMs: bigintOf(fact.asOfMs) }
}

function bigintOf(ms: number | undefined): bigint | undefined {
  return ms === undefined ? undefined : BigInt(ms)
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function factOf(kind: WireKind): ReadableFact {
  switch (kind.$case) {
    case 'postCreated': {
      const { head, content, reblogOf, audience } = kind.value
      return {
        kind: 'post-created',
        ...nameOf(kind.value),
        head,
        content,
        reblogOf: reblogOf === undefined ? undefined : nameOf(reblogOf),
        audience: audienceOf(audience),
      }
    }
    case 'postEdited': {
      const { content, audience } = kind.value
      return {
        kind: 'post-edited',
        ...nameOf(kind.value),
        content,
        audience: audienceOf(audience),
      }
    }
    case 'postDeleted':
      return { kind: 'post-deleted', ...nameOf(kind.value) }
    case 'postLiked':
      return { kind: 'post-liked', ...nameOf(kind.value), user: userOf(kind.value.userId) }
    case 'postUnliked':
      return { kind: 'post-unliked', ...nameOf(kind.value), user: userOf(kind.value.userId) }
    case 'followed':
      return {
        kind: 'followed',
        ...edgeOf(kind.value),
        hideReblogs: kind.value.hideReblogs,
      }
    case 'unfollowed':
      return { kind: 'unfollowed', ...edgeOf(kind.value) }
    case 'blocked':
      return { kind: 'blocked', ...hiddenOf(kind.value) }
    case 'unblocked':
      return { kind: 'unblocked', ...hiddenOf(kind.value) }
    case 'muted':
      return { kind: 'muted', ...hiddenOf(kind.value) }
    case 'unmuted':
      return { kind: 'unmuted', ...hiddenOf(kind.value) }
    case 'readMarked': {
      const { userId, postId } = kind.value
      return { kind: 'read-marked', user: userOf(userId), postId: postIdOf(postId) }
    }
    case 'userDeleted':
      return { kind: 'user-deleted', user: userOf(kind.value.userId) }
  }
}

function nameOf(wire: { authorId: string; postId: bigint }): PostName {
  return { author: userOf(wire.authorId), postId: postIdOf(wire.postId) }
}

function edgeOf(wire: { userId: string; authorId: string; asOfMs?: bigint | undefined }) {
  return { user: userOf(wire.userId), author: userOf(wire.authorId), asOfMs: msOf(wire.asOfMs) }
}

function hiddenOf(wire: { userId: string; targetId: string; asOfMs?: bigint | undefined }) {
  return { user: userOf(wire.userId), target: userOf(wire.targetId), asOfMs: msOf(wire.asOfMs) }
}

function userOf(id: string): UserRef {
  if (id === '' || Buffer.byteLength(id) > USER_ID_BYTES_MAX) {
    throw new Unread(
      `a user id is of 1 to ${USER_ID_BYTES_MAX} bytes, not ${Buffer.byteLength(id)}`,
    )
  }
  return userRef(id)
}

function postIdOf(value: bigint): PostId {
  const id = toPostId(value)
  if (id === undefined) throw new Unread(`no post id: ${value}`)
  return id
}

function msOf(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value)
}

function audienceOf(wire: WireAudience): Audience {
  if (wire === WireAudience.PUBLIC) return 'public'
  if (wire === WireAudience.FOLLOWERS) return 'followers'
  throw new Unread(`unknown audience ${wire}`)
}

function wireAudienceOf(audience: Audience): WireAudience {
  return audience === 'public' ? WireAudience.PUBLIC : WireAudience.FOLLOWERS
}
