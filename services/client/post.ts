// Posts as the client library shows them, and their way from the wire.

import {
  Audience as WireAudience,
  type DashboardPost as WireDashboardPost,
  OriginState,
  type Post as WirePost,
  type PostRef as WirePostRef,
} from '../../gen/cellfeed/v1/post.ts'
import { CellfeedError } from './cellfeed-error.ts'

/** The name of a post: author and post id together. */
export interface PostRef {
  /** The product's own user id, 1-64 bytes of UTF-8. */
  readonly authorId: string
  /** Decimal digits; 64 bits, ordered by time. Compare as BigInt, not as Number. */
  readonly postId: string
}

/** 'public': everyone. 'followers': the author and the author's followers. */
export type Audience = 'public' | 'followers'

/** What an edit replaces as a whole. */
export interface PostContent {
  /** At most 65,536 bytes of UTF-8. */
  readonly text: string
  readonly tags: readonly string[]
  /** Opaque bytes of the product's own. */
  readonly payload: Uint8Array
}

export interface Post extends PostRef, PostContent {
  readonly createdAt: Date
  /** When its content was last replaced, if ever. */
  readonly editedAt: Date | undefined
  readonly audience: Audience
  /** Set if this post is a reblog: what it shows. */
  readonly reblogOf: PostRef | undefined
  /** The product's own id of the post, or empty. */
  readonly externalId: string
}

/** A post as a viewer is shown it. */
export interface DashboardPost extends Post {
  /** A reblog's origin; 'unavailable' if this viewer may not see it, or it is gone. */
  readonly origin: Post | 'unavailable' | undefined
}

export function toDashboardPost(wire: WireDashboardPost | undefined): DashboardPost {
  if (wire === undefined) throw missing('a post')
  const origin =
    wire.originState === OriginState.UNAVAILABLE
      ? 'unavailable'
      : wire.origin && toPost(wire.origin)
  return { ...toPost(wire.post), origin }
}

export function toPost(wire: WirePost | undefined): Post {
  if (wire === undefined) throw missing('a post')
  return {
    authorId: wire.authorId,
    postId: wire.postId,
    createdAt: wire.createdAt ?? new Date(0),
    editedAt: wire.editedAt,
    audience: wire.audience === WireAudience.FOLLOWERS ? 'followers' : 'public',
    reblogOf: wire.reblogOf && toPostRef(wire.reblogOf),
    externalId: wire.externalId,
    text: wire.text,
    tags: wire.tags,
    payload: wire.payload,
  }
}

export function toPostRef(wire: WirePostRef | undefined): PostRef {
  if (wire === undefined) throw missing('the name of a post')
  return { authorId: wire.authorId, postId: wire.postId }
}

export function fromPostRef(post: PostRef): WirePostRef {
  return { authorId: post.authorId, postId: post.postId }
}

export function fromAudience(audience: Audience | undefined): WireAudience {
  return audience === 'followers' ? WireAudience.FOLLOWERS : WireAudience.PUBLIC
}

export function fromPayload(payload: Uint8Array | undefined): Buffer {
  if (payload === undefined) return Buffer.alloc(0)
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
}

/** The server left out what its API promises. */
function missing(what: string): CellfeedError {
  return new CellfeedError({ code: 'INTERNAL', message: `the server's answer lacks ${what}` })
}
