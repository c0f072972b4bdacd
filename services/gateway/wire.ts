// Posts on the wire. A post is encoded once, when it is accepted: a head that never changes and a content that an edit
// replaces; joined they are the public post, because in protobuf concatenation is a merge. Pages are put together from
// these halves without decoding: some 0.2 us a post, against 2 us for encoding it anew.

import type { Audience, PostName } from '../../cells/model/event.ts'
import type { PostView } from '../../cells/ports/cell-client.ts'
import {
  OriginState,
  Post,
  type PostRef,
  Audience as WireAudience,
} from '../../gen/cellfeed/v1/post.ts'
import { sizeOfField, writeTag } from '../runtime/protobuf-fields.ts'
import type { PostContent } from './validate.ts'

export type PostHead = PostName & {
  readonly createdAtMs: number
  readonly audience: Audience
  readonly reblogOf: PostName | undefined
  readonly externalId: string
}

export function encodeHead(head: PostHead): Uint8Array {
  return Post.encode({
    ...EMPTY,
    authorId: head.author.id,
    postId: String(head.postId),
    createdAt: new Date(head.createdAtMs),
    audience: head.audience === 'followers' ? WireAudience.FOLLOWERS : WireAudience.PUBLIC,
    reblogOf: head.reblogOf === undefined ? undefined : refOf(head.reblogOf),
    externalId: head.externalId,
  }).finish()
}

export function encodeContent(content: PostContent, editedAtMs: number | undefined): Uint8Array {
  return Post.encode({
    ...EMPTY,
    text: content.text,
    tags: [...content.tags],
    payload: Buffer.from(content.payload),
    editedAt: editedAtMs === undefined ? undefined : new Date(editedAtMs),
  }).finish()
}

export function refOf(post: PostName): PostRef {
  return { authorId: post.author.id, postId: String(post.postId) }
}

export function decodePost(halves: {
  readonly head: Uint8Array
  readonly content: Uint8Array
}): Post {
  return Post.decode(Buffer.concat([halves.head, halves.content]))
}

/**
 * A message that holds these posts as DashboardPosts in one field, and whatever else is already encoded in `rest`. Serves
 * ListDashboard, ListPosts and GetPost (field 1), and the events of WatchDashboard.
 */
export function encodePosts(posts: readonly PostView[], rest: Uint8Array, field = 1): Buffer {
  let size = rest.length
  for (const post of posts) size += sizeOfField(sizeOfDashboardPost(post))
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const post of posts) {
    at = writeTag(bytes, at, field, sizeOfDashboardPost(post))
    at = writeHalves(bytes, writeTag(bytes, at, POST, sizeOfHalves(post)), post)
    if (post.origin === undefined) continue
    if (post.origin.kind === 'visible') {
      at = writeTag(bytes, at, ORIGIN, sizeOfHalves(post.origin))
      at = writeHalves(bytes, at, post.origin)
    }
    bytes[at++] = ORIGIN_STATE_TAG
    bytes[at++] = post.origin.kind === 'visible' ? OriginState.VISIBLE : OriginState.UNAVAILABLE
  }
  bytes.set(rest, at)
  return bytes
}

/** A page of great posts may be too much for one message: it is then asked for again, with as many posts as fit. */
export async function whatFits<
  R extends { readonly value: { readonly posts: readonly PostView[] } },
>(ask: (limit: number) => Promise<R>, limit: number, bytesMax: number): Promise<R> {
  const read = await ask(limit)
  const { posts } = read.value
  const fit = postsThatFit(posts, bytesMax)
  return fit === posts.length ? read : whatFits(ask, fit, bytesMax)
}

/** How many of the posts, from the first on, fit into a message of so many bytes. At least one. */
export function postsThatFit(posts: readonly PostView[], bytesMax: number): number {
  let size = 0
  for (const [index, post] of posts.entries()) {
    size += sizeOfField(sizeOfDashboardPost(post))
    if (size > bytesMax) return Math.max(index, 1)
  }
  return posts.length
}

const EMPTY: Post = {
  authorId: '',
  postId: '',
  createdAt: undefined,
  audience: WireAudience.UNSPECIFIED,
  reblogOf: undefined,
  externalId: '',
  text: '',
  tags: [],
  payload: Buffer.alloc(0),
  editedAt: undefined,
}

// Numbers of DashboardPost's fields. All are below 16, so a tag is one byte.
const POST = 1
const ORIGIN = 2
const ORIGIN_STATE_TAG = (3 << 3) | 0

type Halves = { readonly head: Uint8Array; readonly content: Uint8Array }

function sizeOfHalves(post: Halves): number {
  return post.head.length + post.content.length
}

function sizeOfDashboardPost(post: PostView): number {
  const size = sizeOfField(sizeOfHalves(post))
  if (post.origin === undefined) return size
  const origin = post.origin.kind === 'visible' ? sizeOfField(sizeOfHalves(post.origin)) : 0
  return size + origin + 2
}

function writeHalves(bytes: Buffer, at: number, post: Halves): number {
  bytes.set(post.head, at)
  bytes.set(post.content, at + post.head.length)
  return at + sizeOfHalves(post)
}
