// What a cell sends, as bytes. A reply is a small message by the generated code and, behind it, its posts, which are written
// and read by hand: in protobuf one after the other is one message. A page of 20 posts of 1 KB costs 15 us to write and 12 to read, most
// of it one copy; by the generated code 58 and 39 (Node 20, two busy cores).

import type { CellName } from '../../cells/model/placement.ts'
import { toPostId } from '../../cells/model/post-id.ts'
import type { UserKey } from '../../cells/model/user-key.ts'
import type { OriginView, PostView } from '../../cells/ports/cell-client.ts'
import { CellState, Reply } from '../../gen/cellfeed/internal/v1/cell_service.ts'
import { Audience, OriginState } from '../../gen/cellfeed/v1/post.ts'
import { encoded } from '../runtime/encoded.ts'
import { CorruptMessage, FieldReader, sizeOfField, writeTag } from '../runtime/protobuf-fields.ts'

export type CellReply = Pick<Reply, 'id' | 'position' | 'outcome'> & {
  readonly posts: readonly PostView[]
}
export type CellResponse = {
  readonly replies: readonly CellReply[]
  readonly state: { readonly cell: CellName; readonly serving: boolean } | undefined
}

// Numbers of fields; what is written with them is said in cell_service.proto.
const REPLIES = 1
const STATE = 2
const POSTS = 15
const POST_ID_TAG = (1 << 3) | 1
const AUTHOR = 2
const AUDIENCE_TAG = 3 << 3
const HEAD = 4
const CONTENT = 5
const ORIGIN_STATE_TAG = 6 << 3
const ORIGIN_HEAD = 7
const ORIGIN_CONTENT = 8
const AUTHOR_BYTES = 16
/** Post id, author, audience: with their tags. */
const NAME_BYTES = 9 + 2 + AUTHOR_BYTES + 2

const tagOf = (field: number): number => (field << 3) | 2

export function encodeResponse({ replies, state }: CellResponse): Buffer {
  const stateBytes = state === undefined ? undefined : encoded(CellState, state)
  let size = stateBytes === undefined ? 0 : sizeOfField(stateBytes.length)
  const parts = replies.map((reply) => {
    const head = encoded(Reply, { ...reply, posts: [] })
    const length = head.length + sizeOfPosts(reply.posts)
    size += sizeOfField(length)
    return { head, length, posts: reply.posts }
  })
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const { head, length, posts } of parts) {
    at = writeTag(bytes, at, REPLIES, length)
    bytes.set(head, at)
    at = writePosts(bytes, at + head.length, posts)
  }
  if (stateBytes !== undefined) {
    bytes.set(stateBytes, writeTag(bytes, at, STATE, stateBytes.length))
  }
  return bytes
}

/** The posts' halves are views of these bytes. Throws CorruptMessage. */
export function decodeResponse(bytes: Buffer): CellResponse {
  const reader = new FieldReader(bytes)
  const replies: CellReply[] = []
  let state: CellResponse['state']
  while (!reader.isAtEnd) {
    const tag = reader.varint()
    if (tag === tagOf(REPLIES)) replies.push(replyOf(reader.bytes()))
    else if (tag === tagOf(STATE)) state = CellState.decode(reader.bytes())
    else reader.skip(tag)
  }
  return { replies, state }
}

/** About what a reply takes on the wire. */
export function bytesOfReply(reply: CellReply): number {
  return 128 + (reply.posts.length === 0 ? 0 : sizeOfPosts(reply.posts))
}

function replyOf(bytes: Buffer): CellReply {
  const reader = new FieldReader(bytes)
  let headBytes = 0
  const posts: PostView[] = []
  while (!reader.isAtEnd) {
    const tag = reader.varint()
    if (tag === tagOf(POSTS)) {
      posts.push(postOf(reader.message()))
    } else {
      reader.skip(tag)
      headBytes = reader.at
    }
  }
  const { id, position, outcome } = Reply.decode(bytes.subarray(0, headBytes))
  return { id, position, outcome, posts }
}

function sizeOfPosts(posts: readonly PostView[]): number {
  let size = 0
  for (const post of posts) size += sizeOfField(sizeOfPost(post))
  return size
}

function sizeOfPost({ head, content, origin }: PostView): number {
  const size = NAME_BYTES + sizeOfField(head.length) + sizeOfField(content.length)
  if (origin === undefined) return size
  if (origin.kind === 'unavailable') return size + 2
  return size + 2 + sizeOfField(origin.head.length) + sizeOfField(origin.content.length)
}

function writePosts(bytes: Buffer, start: number, posts: readonly PostView[]): number {
  let at = start
  for (const post of posts) {
    at = writeTag(bytes, at, POSTS, sizeOfPost(post))
    bytes[at++] = POST_ID_TAG
    at = bytes.writeBigUInt64LE(post.postId, at)
    at = writeTag(bytes, at, AUTHOR, AUTHOR_BYTES)
    at += bytes.write(post.author, at, 'latin1')
    bytes[at++] = AUDIENCE_TAG
    bytes[at++] = post.audience === 'followers' ? Audience.FOLLOWERS : Audience.PUBLIC
    at = writeBytes(bytes, at, HEAD, post.head)
    at = writeBytes(bytes, at, CONTENT, post.content)
    if (post.origin !== undefined) at = writeOrigin(bytes, at, post.origin)
  }
  return at
}

function writeOrigin(bytes: Buffer, start: number, origin: OriginView): number {
  let at = start
  bytes[at++] = ORIGIN_STATE_TAG
  if (origin.kind === 'unavailable') {
    bytes[at++] = OriginState.UNAVAILABLE
    return at
  }
  bytes[at++] = OriginState.VISIBLE
  at = writeBytes(bytes, at, ORIGIN_HEAD, origin.head)
  return writeBytes(bytes, at, ORIGIN_CONTENT, origin.content)
}

function writeBytes(bytes: Buffer, start: number, field: number, value: Uint8Array): number {
  const at = writeTag(bytes, start, field, value.length)
  bytes.set(value, at)
  return at + value.length
}

const NOTHING: Buffer = Buffer.alloc(0)

function postOf(reader: FieldReader): PostView {
  let id = 0n
  let author = ''
  let audience = 0
  let head = NOTHING
  let content = NOTHING
  let originState = 0
  let originHead = NOTHING
  let originContent = NOTHING
  while (!reader.isAtEnd) {
    const tag = reader.varint()
    if (tag === POST_ID_TAG) id = reader.fixed64()
    else if (tag === tagOf(AUTHOR)) author = reader.latin1()
    else if (tag === AUDIENCE_TAG) audience = reader.varint()
    else if (tag === tagOf(HEAD)) head = reader.bytes()
    else if (tag === tagOf(CONTENT)) content = reader.bytes()
    else if (tag === ORIGIN_STATE_TAG) originState = reader.varint()
    else if (tag === tagOf(ORIGIN_HEAD)) originHead = reader.bytes()
    else if (tag === tagOf(ORIGIN_CONTENT)) originContent = reader.bytes()
    else reader.skip(tag)
  }
  const postId = toPostId(id)
  if (postId === undefined || author.length !== AUTHOR_BYTES) {
    throw new CorruptMessage('a post without its name')
  }
  return {
    author: author as UserKey,
    postId,
    head,
    content,
    audience: audience === Audience.PUBLIC ? 'public' : 'followers',
    origin: originOf(originState, originHead, originContent),
  }
}

function originOf(state: number, head: Buffer, content: Buffer): OriginView | undefined {
  if (state === OriginState.UNSPECIFIED) return undefined
  return state === OriginState.VISIBLE
    ? { kind: 'visible', head, content }
    : { kind: 'unavailable' }
}
