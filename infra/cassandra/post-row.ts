// A post as a row of `posts`: flags and a body.
//
//     flags   tinyint: mark 1 | reblog 2 | followers only 4
//     body    u48 created offset | [u32 author | u64 post id of the origin] | u32 head length | head | content;  empty in a mark

import type { PostId } from '../../cells/model/post-id.ts'
import {
  MARK_VERSION,
  type PostBody,
  type PostKey,
  type PostRow,
} from '../../cells/ports/post-table.ts'

const MARK = 1
const REBLOG = 2
const FOLLOWERS_ONLY = 4
const OFFSET_BYTES = 6
const ORIGIN_BYTES = 12
const LENGTH_BYTES = 4
const NO_BODY = Buffer.alloc(0)
const MONTH_MS = 30 * 86_400_000

export function isMarkFlags(flags: number): boolean {
  return (flags & MARK) !== 0
}

export function isReblogFlags(flags: number): boolean {
  return (flags & REBLOG) !== 0
}

export function flagsOf({ body }: PostRow): number {
  if (body === undefined) return MARK
  return (body.reblogOf === undefined ? 0 : REBLOG) | (body.followersOnly ? FOLLOWERS_ONLY : 0)
}

/** Months of 30 days since 2000, by the id's time. */
export function monthOfPost(postId: PostId): number {
  return Math.floor(Number(postId >> 22n) / MONTH_MS)
}

export function postIdBytes(postId: PostId): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64BE(postId, 0)
  return bytes
}

export function postIdOfBytes(bytes: Buffer): PostId {
  return bytes.readBigUInt64BE(0) as PostId
}

export function bodyBytes(body: PostBody | undefined): number {
  if (body === undefined) return 0
  const origin = body.reblogOf === undefined ? 0 : ORIGIN_BYTES
  return OFFSET_BYTES + origin + LENGTH_BYTES + body.head.length + body.content.length
}

export function encodeBody({ createdOffset, body }: PostRow): Buffer {
  if (body === undefined) return NO_BODY
  const { reblogOf, head, content } = body
  const bytes = Buffer.allocUnsafe(bodyBytes(body))
  let at = bytes.writeUIntBE(createdOffset, 0, OFFSET_BYTES)
  if (reblogOf !== undefined) {
    at = bytes.writeUInt32BE(reblogOf.author, at)
    at = bytes.writeBigUInt64BE(reblogOf.postId, at)
  }
  at = bytes.writeUInt32BE(head.length, at)
  bytes.set(head, at)
  bytes.set(content, at + head.length)
  return bytes
}

export function postRowOf(
  { author, postId }: PostKey,
  stored: { readonly flags: number; readonly body: Buffer; readonly version: number },
): PostRow {
  const { flags, body: bytes, version } = stored
  if (isMarkFlags(flags)) {
    return { author, postId, version: MARK_VERSION, createdOffset: -1, body: undefined }
  }
  const isReblog = isReblogFlags(flags)
  const lengthAt = OFFSET_BYTES + (isReblog ? ORIGIN_BYTES : 0)
  const headAt = lengthAt + LENGTH_BYTES
  const contentAt = headAt + bytes.readUInt32BE(lengthAt)
  const reblogOf = isReblog
    ? {
        author: bytes.readUInt32BE(OFFSET_BYTES),
        postId: bytes.readBigUInt64BE(OFFSET_BYTES + 4) as PostId,
      }
    : undefined
  const body = {
    head: bytes.subarray(headAt, contentAt),
    content: bytes.subarray(contentAt),
    followersOnly: (flags & FOLLOWERS_ONLY) !== 0,
    reblogOf,
  }
  return { author, postId, version, createdOffset: bytes.readUIntBE(0, OFFSET_BYTES), body }
}
