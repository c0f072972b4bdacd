// Importing a product's history while it is live: original times, repeatable, and what users changed since wins.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ErrorReason } from '../../gen/cellfeed/v1/errors.ts'
import { FirehoseServiceService as firehoses } from '../../gen/cellfeed/v1/firehose_service.ts'
import { GraphServiceService as graph } from '../../gen/cellfeed/v1/graph_service.ts'
import {
  type ImportedPost,
  type ImportRecord,
  ImportServiceService as imports,
} from '../../gen/cellfeed/v1/import_service.ts'
import { Audience, OriginState } from '../../gen/cellfeed/v1/post.ts'
import { MemoryCluster } from './memory-cluster.ts'

let c: MemoryCluster
beforeAll(async () => {
  c = await MemoryCluster.start({ gatewayLimits: { importAppendEvents: 7 } })
})
afterAll(() => c.stop())

const at = (day: number) => new Date(Date.UTC(2020, 0, day))
const hourAgo = () => new Date(Date.now() - 3_600_000)

function post(change: Partial<ImportedPost>): ImportRecord {
  const value: ImportedPost = {
    authorId: 'author',
    externalId: 'x',
    createdAt: at(1),
    audience: Audience.UNSPECIFIED,
    origin: undefined,
    text: '',
    tags: [],
    payload: Buffer.alloc(0),
    editedAt: undefined,
    ...change,
  }
  return { record: { $case: 'post', value } }
}

function follow(userId: string, authorId: string): ImportRecord {
  return { record: { $case: 'follow', value: { userId, authorId, hideReblogs: false } } }
}

function send(records: ImportRecord[], asOf: Date | undefined = hourAgo()) {
  return c.api.ask(imports.importRecords, { asOf, records })
}

describe('a batch', () => {
  test('brings posts with their original times, in the order of these, whatever order it has', async () => {
    const records = [3, 1, 2].map((day) => {
      return post({
        authorId: 'i-old',
        externalId: `${day}`,
        createdAt: at(day),
        text: `day ${day}`,
      })
    })
    const answer = await send([...records, follow('i-reader', 'i-old')])
    expect(answer).toMatchObject({ acceptedCount: 4, errors: [] })
    expect(answer.postIds.map((id) => id !== '')).toEqual([true, true, true, false])
    const { posts } = await c.dashboard('i-reader', [answer.consistencyToken])
    expect(posts.map((shown) => shown.post?.text)).toEqual(['day 3', 'day 2', 'day 1'])
    expect(posts[0]?.post?.createdAt).toEqual(at(3))
  })

  test('repeated changes nothing', async () => {
    const records = [
      post({ authorId: 'i-twice', externalId: 'a', text: 'once' }),
      follow('i-fan', 'i-twice'),
    ]
    const first = await send(records)
    const again = await send(records)
    expect(again.postIds).toEqual(first.postIds)
    expect(await c.texts('i-fan', [first.consistencyToken, again.consistencyToken])).toEqual([
      'once',
    ])
  })

  test('does not replace a post that exists', async () => {
    const named = { authorId: 'i-kept', externalId: 'a' }
    await send([post({ ...named, text: 'first' })])
    const { consistencyToken } = await send([post({ ...named, text: 'second' })])
    expect(await c.texts('i-kept', [consistencyToken])).toEqual(['first'])
  })

  test('a change made live since the snapshot wins', async () => {
    await c.follow('i-live', 'i-left')
    const left = await c.api.ask(graph.unfollow, { userId: 'i-live', authorId: 'i-left' })
    const { consistencyToken } = await send([
      follow('i-live', 'i-left'),
      follow('i-live', 'i-stayed'),
    ])
    const made = [await c.publish('i-left', 'left'), await c.publish('i-stayed', 'stayed')]
    const tokens = [left.consistencyToken, consistencyToken, ...made.map(({ token }) => token)]
    expect(await c.texts('i-live', tokens)).toEqual(['stayed'])
  })

  test('a reblog finds its imported origin, also one that comes later', async () => {
    const origin = { authorId: 'i-origin', externalId: 'o', createdAt: at(5) }
    const { consistencyToken } = await send([
      post({
        authorId: 'i-reblogger',
        externalId: 'r',
        createdAt: at(6),
        origin: { $case: 'reblogOfImported', value: origin },
      }),
      post({ ...origin, text: 'the origin' }),
    ])
    const [shown] = (await c.dashboard('i-reblogger', [consistencyToken])).posts
    expect([shown?.originState, shown?.origin?.text]).toEqual([OriginState.VISIBLE, 'the origin'])
  })

  test('blocks, mutes and read marks count too', async () => {
    const tokens = [
      (await c.publish('i-blocked', 'b')).token,
      (await c.publish('i-muted', 'm')).token,
    ]
    tokens.push(await c.follow('i-user', 'i-muted'))
    const value = { userId: 'i-user', targetId: 'i-blocked' }
    const { consistencyToken, acceptedCount } = await send([
      { record: { $case: 'block', value } },
      { record: { $case: 'mute', value: { userId: 'i-user', targetId: 'i-muted' } } },
      {
        record: {
          $case: 'readMark',
          value: { userId: 'i-user', mark: { $case: 'readUntil', value: at(9) } },
        },
      },
    ])
    expect(acceptedCount).toBe(3)
    const page = await c.dashboard('i-user', [consistencyToken, ...tokens])
    expect(page.readMark).not.toBe('')
  })

  test('a live follow outlives an imported block that is older', async () => {
    const token = await c.follow('i-loyal', 'i-friend')
    const value = { userId: 'i-loyal', targetId: 'i-friend' }
    const { consistencyToken } = await send([{ record: { $case: 'block', value } }])
    const request = { userId: 'i-loyal', pageSize: 0, pageToken: '' }
    const listed = await c.api.ask(graph.listFollowing, {
      ...request,
      consistencyTokens: [token, consistencyToken],
    })
    expect(listed.authors.map(({ authorId }) => authorId)).toEqual(['i-friend'])
  })

  test('is in the firehose as imported', async () => {
    await send([post({ authorId: 'i-public', externalId: 'seen', text: 'imported' })])
    const { earliestPosition } = await c.api.ask(firehoses.getPositions, {})
    const start = { $case: 'position', value: earliestPosition } as const
    const taken = await c.api
      .stream(firehoses.subscribe, { start })
      .until(({ events }) => events.some(({ key }) => key === 'i-public'))
    const event = taken.flatMap(({ events }) => events).find(({ key }) => key === 'i-public')
    expect(event?.kind).toMatchObject({ value: { imported: true, post: { text: 'imported' } } })
  })
})

describe('what is wrong', () => {
  test('with one record is told by index, and the others are accepted', async () => {
    const answer = await send([
      post({ authorId: 'i-ok', externalId: '1' }),
      post({ authorId: '', externalId: '2' }),
      follow('i-same', 'i-same'),
      post({ authorId: 'i-ok', externalId: '' }),
      post({ authorId: 'i-ok', externalId: '3', createdAt: undefined }),
      post({ authorId: 'i-ok', externalId: '4', createdAt: new Date('1999-01-01') }),
      post({ authorId: 'i-ok', externalId: '5', createdAt: new Date(Date.now() + 86_400_000) }),
      post({ authorId: 'i-ok', externalId: '6', text: 'a'.repeat(65_537) }),
      { record: undefined },
      follow('i-ok', 'i-other'),
    ])
    expect(answer.acceptedCount).toBe(2)
    expect(
      answer.errors.map(({ recordIndex, reason, field }) => [recordIndex, reason, field]),
    ).toEqual([
      [1, ErrorReason.USER_ID_INVALID, 'post.author_id'],
      [2, ErrorReason.SELF_RELATION, 'follow.author_id'],
      [3, ErrorReason.EXTERNAL_ID_INVALID, 'post.external_id'],
      [4, ErrorReason.FIELD_REQUIRED, 'post.created_at'],
      [5, ErrorReason.TIME_OUT_OF_RANGE, 'post.created_at'],
      [6, ErrorReason.TIME_OUT_OF_RANGE, 'post.created_at'],
      [7, ErrorReason.TEXT_TOO_LONG, 'post.text'],
      [8, ErrorReason.FIELD_REQUIRED, 'record'],
    ])
    for (const { message } of answer.errors) expect(message).not.toContain('\n')
  })

  test.each([
    ['1,001 records', Array.from({ length: 1_001 }, () => follow('a', 'b')), 0, 'BATCH_TOO_LARGE'],
    ['a snapshot from the future', [follow('a', 'b')], 60_000, 'TIME_OUT_OF_RANGE'],
    ['a snapshot of 31 days ago', [follow('a', 'b')], -31 * 86_400_000, 'AS_OF_TOO_OLD'],
  ])('with the batch refuses it: %s', async (_, records, sinceMs, reason) => {
    const asOf = new Date(Date.now() + sinceMs)
    expect((await c.api.refusal(imports.importRecords, { asOf, records })).reason).toBe(reason)
  })

  test('relations need the time of their snapshot, posts do not', async () => {
    const refused = await c.api.refusal(imports.importRecords, {
      asOf: undefined,
      records: [follow('a', 'b')],
    })
    expect(refused.reason).toBe('FIELD_REQUIRED')
    expect((await send([post({ authorId: 'i-alone' })], undefined)).acceptedCount).toBe(1)
    expect((await send([], undefined)).acceptedCount).toBe(0)
  })
})
