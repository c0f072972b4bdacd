// What the API accepts. Each check answers the model's value or throws an ApiError that names the bad field; sizes are in
// bytes of UTF-8, and the proto comments promise the same numbers.

import type { Audience, PostName } from '../../cells/model/event.ts'
import { ID_EPOCH_MS, msOf, type PostId, parsePostId } from '../../cells/model/post-id.ts'
import { USER_ID_BYTES_MAX, type UserRef, userRef } from '../../cells/model/user-key.ts'
import { Audience as WireAudience } from '../../gen/cellfeed/v1/post.ts'
import { ApiError } from './errors.ts'

export const TEXT_BYTES_MAX = 65_536
export const PAYLOAD_BYTES_MAX = 65_536
export const TAGS_MAX = 32
export const TAG_BYTES_MAX = 140
export const EXTERNAL_ID_BYTES_MAX = 128
export const PAGE_SIZE_DEFAULT = 20
export const PAGE_SIZE_MAX = 200

/** Control characters, halves of surrogate pairs, and what a broken encoding turns into. */
const NOT_IN_USER_IDS = /[\p{Cc}\p{Cs}\uFFFD]/u

export function checkUser(id: string, field: string): UserRef {
  const bytes = Buffer.byteLength(id)
  if (bytes === 0)
    throw new ApiError('USER_ID_INVALID', `${field}: a user id is missing`, { field })
  if (bytes > USER_ID_BYTES_MAX) {
    const message = `${field}: a user id has at most ${USER_ID_BYTES_MAX} bytes, this one has ${bytes}`
    throw new ApiError('USER_ID_INVALID', message, { field })
  }
  if (NOT_IN_USER_IDS.test(id)) {
    const message = `${field}: a user id holds no control characters, U+FFFD or broken UTF-16`
    throw new ApiError('USER_ID_INVALID', message, { field })
  }
  return userRef(id)
}

/** Two users who are not the same one. */
export function checkPair(
  first: { readonly id: string; readonly field: string },
  second: { readonly id: string; readonly field: string },
): [UserRef, UserRef] {
  const user = checkUser(first.id, first.field)
  const other = checkUser(second.id, second.field)
  if (user.id === other.id) {
    const message = `${second.field}: a user has no such relation with themselves`
    throw new ApiError('SELF_RELATION', message, { field: second.field })
  }
  return [user, other]
}

export function checkPostId(digits: string, field: string): PostId {
  const postId = parsePostId(digits)
  if (postId !== undefined) return postId
  const message = `${field}: a post id is a number from 1 to 2^64-1 in digits`
  throw new ApiError('POST_ID_INVALID', message, { field })
}

/** Refuses an id so far ahead of the clock that cells would refuse it too. */
export function checkNotAhead(
  postId: PostId,
  limit: { readonly nowMs: number; readonly aheadMaxMs: number; readonly field: string },
): void {
  const aheadMs = msOf(postId) - limit.nowMs
  if (aheadMs <= limit.aheadMaxMs) return
  const message = `${limit.field}: this id is of a time ${Math.round(aheadMs / 1000)} s in the future`
  throw new ApiError('POST_ID_IN_FUTURE', message, {
    field: limit.field,
    metadata: { ahead_ms: aheadMs },
  })
}

export function checkPost(
  ref: { readonly authorId: string; readonly postId: string } | undefined,
  field: string,
): PostName {
  const { authorId, postId } = checkPresent(ref, field)
  return {
    author: checkUser(authorId, `${field}.author_id`),
    postId: checkPostId(postId, `${field}.post_id`),
  }
}

export type PostContent = {
  readonly text: string
  readonly tags: readonly string[]
  readonly payload: Uint8Array
}

export function checkContent(content: PostContent, prefix = ''): void {
  checkBytes(content.text, { code: 'TEXT_TOO_LONG', field: `${prefix}text`, max: TEXT_BYTES_MAX })
  checkBytes(content.payload, {
    code: 'PAYLOAD_TOO_LONG',
    field: `${prefix}payload`,
    max: PAYLOAD_BYTES_MAX,
  })
  if (content.tags.length > TAGS_MAX) {
    const message = `${prefix}tags: at most ${TAGS_MAX} tags, these are ${content.tags.length}`
    throw new ApiError('TAGS_INVALID', message, { field: `${prefix}tags` })
  }
  for (const [index, tag] of content.tags.entries()) {
    const bytes = Buffer.byteLength(tag)
    if (bytes >= 1 && bytes <= TAG_BYTES_MAX) continue
    const field = `${prefix}tags[${index}]`
    const message = `${field}: a tag has 1-${TAG_BYTES_MAX} bytes, this one has ${bytes}`
    throw new ApiError('TAGS_INVALID', message, { field })
  }
}

export function checkExternalId(id: string, field: string, bytesMin: 0 | 1 = 0): string {
  const bytes = Buffer.byteLength(id)
  if (bytes >= bytesMin && bytes <= EXTERNAL_ID_BYTES_MAX) return id
  const message = `${field}: an external id has ${bytesMin}-${EXTERNAL_ID_BYTES_MAX} bytes, this one has ${bytes}`
  throw new ApiError('EXTERNAL_ID_INVALID', message, { field })
}

export function checkAudience(audience: WireAudience, field: string): Audience {
  switch (audience) {
    case WireAudience.UNSPECIFIED:
    case WireAudience.PUBLIC:
      return 'public'
    case WireAudience.FOLLOWERS:
      return 'followers'
    case WireAudience.UNRECOGNIZED:
    default:
      throw new ApiError('ENUM_VALUE_UNKNOWN', `${field}: ${audience} is no audience`, { field })
  }
}

export function checkNotItself(
  post: PostName,
  reblogOf: PostName | undefined,
  field: string,
): void {
  if (reblogOf?.postId !== post.postId || reblogOf.author.id !== post.author.id) return
  throw new ApiError('REBLOG_OF_ITSELF', `${field}: a post can not reblog itself`, { field })
}

/** The page size to use: the default for 0, never more than the greatest. */
export function checkPageSize(asked: number): number {
  if (asked < 0) {
    const message = `page_size: ${asked} is below 0`
    throw new ApiError('PAGE_SIZE_INVALID', message, { field: 'page_size' })
  }
  return asked === 0 ? PAGE_SIZE_DEFAULT : Math.min(asked, PAGE_SIZE_MAX)
}

export function checkCount(
  asked: number,
  limit: { readonly field: string; readonly whenZero: number; readonly max: number },
): number {
  if (asked >= 0 && asked <= limit.max) return asked === 0 ? limit.whenZero : asked
  const message = `${limit.field}: ${asked} is not in 0..${limit.max}`
  throw new ApiError('COUNT_OUT_OF_RANGE', message, {
    field: limit.field,
    metadata: { limit: limit.max },
  })
}

/** Unix milliseconds of a time since 2000 that is at most `aheadMaxMs` in the future. */
export function checkTime(
  time: Date | undefined,
  limit: { readonly field: string; readonly nowMs: number; readonly aheadMaxMs: number },
): number {
  const ms = Math.floor(checkPresent(time, limit.field).getTime())
  if (ms >= ID_EPOCH_MS && ms <= limit.nowMs + limit.aheadMaxMs) return ms
  const message = `${limit.field}: the time has to be 2000-01-01 or later, and not in the future`
  throw new ApiError('TIME_OUT_OF_RANGE', message, { field: limit.field })
}

export function checkPresent<T>(value: T | undefined, field: string): T {
  if (value !== undefined) return value
  throw new ApiError('FIELD_REQUIRED', `${field} is missing`, { field })
}

function checkBytes(
  value: string | Uint8Array,
  limit: {
    readonly code: 'TEXT_TOO_LONG' | 'PAYLOAD_TOO_LONG'
    readonly field: string
    readonly max: number
  },
): void {
  const bytes = Buffer.byteLength(value)
  if (bytes <= limit.max) return
  const message = `${limit.field}: at most ${limit.max} bytes, these are ${bytes}`
  throw new ApiError(limit.code, message, {
    field: limit.field,
    metadata: { limit_bytes: limit.max, actual_bytes: bytes },
  })
}
