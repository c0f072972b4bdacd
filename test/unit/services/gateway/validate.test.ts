// What the API accepts and how it says no.

import { describe, expect, test } from 'vitest'
import { composeId, type PostId } from '../../../../cells/model/post-id.ts'
import { Audience } from '../../../../gen/cellfeed/v1/post.ts'
import { ApiError, type Reason } from '../../../../services/gateway/errors.ts'
import {
  checkAudience,
  checkContent,
  checkCount,
  checkExternalId,
  checkNotAhead,
  checkNotItself,
  checkPageSize,
  checkPair,
  checkPost,
  checkPostId,
  checkTime,
  checkUser,
  TAGS_MAX,
  TEXT_BYTES_MAX,
} from '../../../../services/gateway/validate.ts'

function refusal(check: () => unknown): ApiError {
  try {
    check()
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
  throw new Error('it was accepted')
}

function expectRefusal(code: Reason, field: string, check: () => unknown): void {
  const error = refusal(check)
  expect({ code: error.code, field: error.field }).toEqual({ code, field })
  expect(error.message).not.toContain('\n')
}

describe('user ids', () => {
  test.each([
    ['one byte', 'a'],
    ['64 bytes', 'a'.repeat(64)],
    ['64 bytes of 2', 'ä'.repeat(32)],
    ['emoji', '🦊🦊'],
    ['joined emoji', '👩‍👩‍👧'],
    ['right to left', 'مستخدم'],
    ['combining marks', 'e\u0301'],
    ['a space', ' '],
    ['a quote and a slash', `'"/\\`],
  ])('%s is one', (_, id) => {
    expect(checkUser(id, 'user_id').id).toBe(id)
  })

  test.each([
    ['nothing', ''],
    ['65 bytes', 'a'.repeat(65)],
    ['66 bytes of 2', 'ä'.repeat(33)],
    ['a control character', 'a\u0000b'],
    ['a line break', 'a\nb'],
    ['delete', '\u007f'],
    ['an upper control character', 'a\u0085'],
    ['half a surrogate pair', 'a\ud83d'],
    ['a broken encoding', 'a\ufffd'],
  ])('%s is none', (_, id) => {
    expectRefusal('USER_ID_INVALID', 'user_id', () => checkUser(id, 'user_id'))
  })

  test('differing only in normalisation are two users', () => {
    expect(checkUser('é', 'u').key).not.toBe(checkUser('e\u0301', 'u').key)
  })

  test('a relation with oneself is refused', () => {
    const pair = () => checkPair({ id: 'bob', field: 'user_id' }, { id: 'bob', field: 'author_id' })
    expectRefusal('SELF_RELATION', 'author_id', pair)
  })
})

describe('post ids', () => {
  test.each(['', '0', '-1', '01', '1.0', '1e3', 'abc', '18446744073709551616', ' 1'])(
    '%j is none',
    (digits) => {
      expectRefusal('POST_ID_INVALID', 'post_id', () => checkPostId(digits, 'post_id'))
    },
  )

  test.each(['1', '18446744073709551615'])('%s is one', (digits) => {
    expect(String(checkPostId(digits, 'post_id'))).toBe(digits)
  })

  test('ten minutes ahead are accepted, more are not', () => {
    const nowMs = Date.UTC(2026, 0, 1)
    const limit = { nowMs, aheadMaxMs: 600_000, field: 'post_id' }
    const idAt = (ms: number) => composeId({ ms, worker: 1, sequence: 0 }) as PostId
    checkNotAhead(idAt(nowMs + 600_000), limit)
    expectRefusal('POST_ID_IN_FUTURE', 'post_id', () => checkNotAhead(idAt(nowMs + 600_001), limit))
  })

  test('a post needs author and id', () => {
    expectRefusal('FIELD_REQUIRED', 'post', () => checkPost(undefined, 'post'))
    expectRefusal('USER_ID_INVALID', 'post.author_id', () =>
      checkPost({ authorId: '', postId: '1' }, 'post'),
    )
  })

  test('a post can not reblog itself, but one of another author with the same id', () => {
    const post = checkPost({ authorId: 'bob', postId: '7' }, 'post')
    expectRefusal('REBLOG_OF_ITSELF', 'reblog_of', () => checkNotItself(post, post, 'reblog_of'))
    const other = checkPost({ authorId: 'eve', postId: '7' }, 'post')
    expect(() => checkNotItself(post, other, 'reblog_of')).not.toThrow()
  })
})

describe('content', () => {
  const empty = { text: '', tags: [], payload: new Uint8Array() }

  test('may be empty, and as long as the limits', () => {
    checkContent(empty)
    const tags = Array.from({ length: TAGS_MAX }, () => 'a'.repeat(140))
    const full = { text: 'ä'.repeat(TEXT_BYTES_MAX / 2), tags, payload: new Uint8Array(65_536) }
    expect(() => checkContent(full)).not.toThrow()
  })

  test('over a limit is refused, with the limit told', () => {
    const long = { ...empty, text: 'a'.repeat(TEXT_BYTES_MAX + 1) }
    expectRefusal('TEXT_TOO_LONG', 'text', () => checkContent(long))
    expect(refusal(() => checkContent(long)).metadata).toEqual({
      limit_bytes: 65_536,
      actual_bytes: 65_537,
    })
    expectRefusal('PAYLOAD_TOO_LONG', 'post.payload', () =>
      checkContent({ ...empty, payload: new Uint8Array(65_537) }, 'post.'),
    )
    const many = Array.from({ length: TAGS_MAX + 1 }, () => 'tag')
    expectRefusal('TAGS_INVALID', 'tags', () => checkContent({ ...empty, tags: many }))
    expectRefusal('TAGS_INVALID', 'tags[1]', () => checkContent({ ...empty, tags: ['a', ''] }))
    expectRefusal('TAGS_INVALID', 'tags[0]', () =>
      checkContent({ ...empty, tags: ['ä'.repeat(71)] }),
    )
  })

  test('external ids have up to 128 bytes', () => {
    expect(checkExternalId('', 'external_id')).toBe('')
    expectRefusal('EXTERNAL_ID_INVALID', 'external_id', () => checkExternalId('', 'external_id', 1))
    expectRefusal('EXTERNAL_ID_INVALID', 'external_id', () =>
      checkExternalId('a'.repeat(129), 'external_id'),
    )
  })

  test('an audience that this version does not know is refused', () => {
    expect(checkAudience(Audience.UNSPECIFIED, 'audience')).toBe('public')
    expect(checkAudience(Audience.FOLLOWERS, 'audience')).toBe('followers')
    expectRefusal('ENUM_VALUE_UNKNOWN', 'audience', () => checkAudience(9 as Audience, 'audience'))
  })
})

describe('sizes and times', () => {
  test('page sizes: 0 is 20, over 200 is 200, negative is refused', () => {
    expect([0, 1, 200, 201].map(checkPageSize)).toEqual([20, 1, 200, 200])
    expectRefusal('PAGE_SIZE_INVALID', 'page_size', () => checkPageSize(-1))
  })

  test('counts have a default and a limit', () => {
    const limit = { field: 'cap', whenZero: 100, max: 1_000 }
    expect([0, 1_000].map((cap) => checkCount(cap, limit))).toEqual([100, 1_000])
    expectRefusal('COUNT_OUT_OF_RANGE', 'cap', () => checkCount(1_001, limit))
    expectRefusal('COUNT_OUT_OF_RANGE', 'cap', () => checkCount(-1, limit))
  })

  test('times are from 2000 on and not in the future', () => {
    const limit = { field: 'at', nowMs: Date.UTC(2026, 0, 1), aheadMaxMs: 0 }
    expect(checkTime(new Date(limit.nowMs), limit)).toBe(limit.nowMs)
    expectRefusal('TIME_OUT_OF_RANGE', 'at', () => checkTime(new Date(limit.nowMs + 1), limit))
    expectRefusal('TIME_OUT_OF_RANGE', 'at', () => checkTime(new Date('1999-12-31'), limit))
    expectRefusal('TIME_OUT_OF_RANGE', 'at', () => checkTime(new Date(Number.NaN), limit))
    expectRefusal('FIELD_REQUIRED', 'at', () => checkTime(undefined, limit))
  })
})
