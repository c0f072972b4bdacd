// Bad input, one by one: each has a defined answer, with a status, a reason, and what a client needs to do better.

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { composeId } from '../../cells/model/post-id.ts'
import { ConsistencyToken } from '../../gen/cellfeed/internal/v1/token.ts'
import { DashboardServiceService as dashboards } from '../../gen/cellfeed/v1/dashboard_service.ts'
import { FirehoseServiceService as firehoses } from '../../gen/cellfeed/v1/firehose_service.ts'
import { GraphServiceService as graph } from '../../gen/cellfeed/v1/graph_service.ts'
import { PostServiceService as posts } from '../../gen/cellfeed/v1/post_service.ts'
import { MemoryCluster } from './memory-cluster.ts'
import { newPost, refusalOf } from './raw-client.ts'

let c: MemoryCluster
beforeAll(async () => {
  c = await MemoryCluster.start()
})
afterAll(() => c.stop())

const page = (userId: string, pageToken = '', consistencyTokens: string[] = []) => ({
  userId,
  pageSize: 0,
  pageToken,
  consistencyTokens,
  includeUnreadCount: false,
})

describe('users', () => {
  test.each([
    ['of 0 bytes', ''],
    ['of 65 bytes', 'a'.repeat(65)],
    ['with a control character', 'a\u0000'],
    ['with a broken encoding', 'a\ufffd'],
  ])('%s are refused', async (_, userId) => {
    const refused = await c.api.refusal(dashboards.listDashboard, page(userId))
    expect([refused.code, refused.reason]).toEqual(['INVALID_ARGUMENT', 'USER_ID_INVALID'])
    expect(refused.details).toContain('BadRequest')
    expect(refused.message).toContain('user_id')
  })

  test.each(['👩‍👩‍👧', 'مستخدم', 'e\u0301', 'a'.repeat(64), '"; drop table', '../..'])(
    'named %j are users like others',
    async (userId) => {
      const follow = await c.follow(userId, 'u-author')
      const made = await c.publish(userId, `by ${userId}`)
      expect(await c.texts(userId, [follow, made.token])).toEqual([`by ${userId}`])
    },
  )

  test('bytes that are no UTF-8 are refused', async () => {
    const broken = {
      ...dashboards.listDashboard,
      requestSerialize: () => Buffer.from([0x0a, 0x02, 0x61, 0xff]),
    }
    const refused = await c.api.refusal(broken, page(''))
    expect(refused.reason).toBe('USER_ID_INVALID')
  })

  test('do not follow, block or mute themselves', async () => {
    const self = { userId: 'u-self', authorId: 'u-self', targetId: 'u-self', hideReblogs: false }
    for (const method of [graph.follow, graph.unfollow]) {
      expect((await c.api.refusal(method, self)).reason).toBe('SELF_RELATION')
    }
    for (const method of [graph.block, graph.unblock, graph.mute, graph.unmute]) {
      expect((await c.api.refusal(method, self)).reason).toBe('SELF_RELATION')
    }
  })
})

describe('page tokens', () => {
  test('of another user or call, tampered, of no server: each refused', async () => {
    await c.publish('t-author', 'a')
    const made = await c.publish('t-author', 'b')
    const request = { ...page('t-author', '', [made.token]), pageSize: 1 }
    const { olderPageToken } = await c.api.ask(dashboards.listDashboard, request)
    const other = await c.api.refusal(dashboards.listDashboard, page('t-other', olderPageToken))
    expect([other.code, other.reason]).toEqual(['INVALID_ARGUMENT', 'PAGE_TOKEN_MISMATCH'])
    const listing = { userId: 't-author', pageSize: 0, consistencyTokens: [] }
    const call = { ...listing, pageToken: olderPageToken }
    expect((await c.api.refusal(graph.listFollowing, call)).reason).toBe('PAGE_TOKEN_MISMATCH')
    const tampered = `${olderPageToken.slice(0, 20)}A${olderPageToken.slice(21)}`
    for (const token of [tampered, olderPageToken.slice(1), 'hello', '💥', 'A'.repeat(100_000)]) {
      const refused = await c.api.refusal(dashboards.listDashboard, page('t-author', token))
      expect([refused.code, refused.reason]).toEqual(['INVALID_ARGUMENT', 'PAGE_TOKEN_INVALID'])
      expect(refused.details).toContain('BadRequest')
    }
  })

  test('a negative page size is refused, a huge one is 200', async () => {
    const negative = { ...page('t-author'), pageSize: -1 }
    const refused = await c.api.refusal(dashboards.listDashboard, negative)
    expect(refused.reason).toBe('PAGE_SIZE_INVALID')
    const huge = { ...page('t-author'), pageSize: 2_000_000_000 }
    expect((await c.api.ask(dashboards.listDashboard, huge)).posts.length).toBeLessThanOrEqual(200)
  })
})

describe('consistency tokens', () => {
  const forged = (change: (token: ConsistencyToken) => ConsistencyToken, token: string) =>
    Buffer.from(
      ConsistencyToken.encode(
        change(ConsistencyToken.decode(Buffer.from(token, 'base64url'))),
      ).finish(),
    ).toString('base64url')

  test('of the future wait for their time, then say what is missing', async () => {
    const { token } = await c.publish('k-author', 'x')
    const future = forged(
      (at) => ({ ...at, offsets: at.offsets.map((offset) => offset + 1_000n) }),
      token,
    )
    const call = c.api.ask(dashboards.listDashboard, page('k-author', '', [future]), 400)
    const refused = await refusalOf(call)
    expect([refused.code, refused.reason]).toEqual(['DEADLINE_EXCEEDED', 'CONSISTENCY_NOT_REACHED'])
    const { wanted_offset: wanted, applied_offset: applied } = refused.metadata
    expect(Number(wanted) - Number(applied)).toBe(1_000)
    expect(refused.metadata['cell']).toMatch(/^cell-/)
    expect(refused.message).toContain(`${wanted}`)
  })

  test('of another log are refused as such', async () => {
    const { token } = await c.publish('k-author', 'y')
    const foreign = forged((at) => ({ ...at, logId: at.logId ^ 1n }), token)
    const refused = await c.api.refusal(dashboards.listDashboard, page('k-author', '', [foreign]))
    expect([refused.code, refused.reason]).toEqual(['FAILED_PRECONDITION', 'OTHER_LOG'])
    expect(refused.metadata['expected_log_id']).toMatch(/^[0-9a-f]{16}$/)
  })

  test('that no server made are refused', async () => {
    const tokens = ['x', 'AAAA', randomBytes(40).toString('base64url')]
    for (const token of tokens) {
      const request = page('k-author', '', [token])
      const refused = await c.api.refusal(dashboards.listDashboard, request)
      expect(refused.reason).toBe('CONSISTENCY_TOKEN_INVALID')
    }
  })
})

describe('posts', () => {
  test.each([
    ['text over 64 KiB', { text: 'a'.repeat(65_537) }, 'TEXT_TOO_LONG'],
    ['payload over 64 KiB', { payload: Buffer.alloc(65_537) }, 'PAYLOAD_TOO_LONG'],
    ['33 tags', { tags: Array.from({ length: 33 }, () => 't') }, 'TAGS_INVALID'],
    ['an empty tag', { tags: [''] }, 'TAGS_INVALID'],
    ['a long external id', { externalId: 'a'.repeat(129) }, 'EXTERNAL_ID_INVALID'],
    ['an id that is none', { postId: '007' }, 'POST_ID_INVALID'],
    ['an audience that is none', { audience: 7 as 1 }, 'ENUM_VALUE_UNKNOWN'],
    ['half an origin', { reblogOf: { authorId: 'b', postId: '' } }, 'POST_ID_INVALID'],
  ])('with %s are refused', async (_, change, reason) => {
    const request = { ...newPost, authorId: 'b-author', ...change }
    const refused = await c.api.refusal(posts.createPost, request)
    expect([refused.code, refused.reason]).toEqual(['INVALID_ARGUMENT', reason])
  })

  test('may be empty, and as large as the limits', async () => {
    const large = await c.publish('b-large', 'ä'.repeat(32_768), {
      payload: Buffer.alloc(65_536, 1),
      tags: Array.from({ length: 32 }, () => 't'.repeat(140)),
    })
    const empty = await c.publish('b-large', '')
    const { posts: shown } = await c.dashboard('b-large', [large.token, empty.token])
    expect(shown.map(({ post }) => post?.text.length)).toEqual([0, 32_768])
  })

  test('from the future are refused, from a little ahead accepted', async () => {
    const idIn = (ms: number) =>
      String(composeId({ ms: Date.now() + ms, worker: 1_000, sequence: 0 }))
    const request = (ms: number) => ({ ...newPost, authorId: 'b-ahead', postId: idIn(ms) })
    const refused = await c.api.refusal(posts.createPost, request(700_000))
    expect([refused.code, refused.reason]).toEqual(['INVALID_ARGUMENT', 'POST_ID_IN_FUTURE'])
    expect(Number(refused.metadata['ahead_ms'])).toBeGreaterThan(600_000)
    const accepted = await c.api.ask(posts.createPost, request(500_000))
    expect(accepted.consistencyToken).not.toBe('')
    const mark = { userId: 'b-ahead', postId: idIn(700_000) }
    expect((await c.api.refusal(dashboards.markRead, mark)).reason).toBe('POST_ID_IN_FUTURE')
  })

  test('a page of very large posts is cut below what gRPC clients accept, and goes on', async () => {
    const text = 'x'.repeat(65_000)
    const payload = Buffer.alloc(65_000, 2)
    const tokens: string[] = []
    for (let n = 0; n < 60; n++) {
      tokens.push((await c.publish('b-huge', `${n} ${text}`, { payload })).token)
    }
    let seen = 0
    let pageToken = ''
    do {
      const answer = await c.dashboard('b-huge', tokens.slice(-32), pageToken, 200)
      expect(answer.posts.length).toBeLessThan(30)
      for (const { post } of answer.posts) {
        expect(post?.text.startsWith(`${59 - seen} `)).toBe(true)
        seen++
      }
      pageToken = answer.olderPageToken
    } while (pageToken !== '')
    expect(seen).toBe(60)
  })

  test('too many ids at once are refused', async () => {
    const refused = await c.api.refusal(posts.allocatePostIds, { count: 1_001 })
    expect([refused.reason, refused.metadata['limit']]).toEqual(['COUNT_OUT_OF_RANGE', '1000'])
  })
})

test('a request over 4 MiB is refused, and the server goes on', async () => {
  const request = { ...newPost, authorId: 'z', payload: Buffer.alloc(5 * 1024 * 1024) }
  expect((await c.api.refusal(posts.createPost, request)).code).toBe('RESOURCE_EXHAUSTED')
  expect((await c.publish('z', 'ok')).postId).not.toBe('')
})

test('bytes that are no message are refused, and the server goes on', async () => {
  const broken = { ...posts.createPost, requestSerialize: () => Buffer.from([0xff, 0xff, 0xff]) }
  expect((await c.api.refusal(broken, newPost)).code).not.toBe('OK')
  expect((await c.publish('z', 'ok')).postId).not.toBe('')
})

describe('firehose positions', () => {
  const refusal = (start: Parameters<typeof firehoses.subscribe.requestSerialize>[0]['start']) => {
    const stream = c.api.stream(firehoses.subscribe, { start })
    return refusalOf(stream.next())
  }

  test('that are none, or of partitions that are none, are refused', async () => {
    const offset = 0n
    const starts = [
      { $case: 'position', value: 'nonsense' },
      { $case: 'offsets', value: { offsets: [{ partition: 8, offset }] } },
      {
        $case: 'offsets',
        value: {
          offsets: [
            { partition: 1, offset },
            { partition: 1, offset },
          ],
        },
      },
    ] as const
    for (const start of starts) {
      const refused = await refusal(start as Parameters<typeof refusal>[0])
      expect([refused.code, refused.reason]).toEqual(['INVALID_ARGUMENT', 'POSITION_INVALID'])
    }
  })

  test('beyond the end are out of range, with what there is', async () => {
    const offsets = [{ partition: 2, offset: 1_000_000n }]
    const refused = await refusal({ $case: 'offsets', value: { offsets } })
    expect([refused.code, refused.reason]).toEqual(['OUT_OF_RANGE', 'POSITION_OUT_OF_RANGE'])
    expect(refused.metadata).toMatchObject({ partition: '2', offset: '1000000', earliest: '0' })
  })
})
