// Streams: watching a dashboard, subscribing to the firehose, and how they end.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  DashboardServiceService as dashboards,
  ResetReason,
  type WatchDashboardResponse,
} from '../../gen/cellfeed/v1/dashboard_service.ts'
import {
  FirehoseServiceService as firehoses,
  StartPoint,
  type SubscribeRequest,
  type SubscribeResponse,
} from '../../gen/cellfeed/v1/firehose_service.ts'
import { GraphServiceService as graph } from '../../gen/cellfeed/v1/graph_service.ts'
import { Audience } from '../../gen/cellfeed/v1/post.ts'
import { PostServiceService as posts } from '../../gen/cellfeed/v1/post_service.ts'
import { MemoryCluster } from './memory-cluster.ts'
import { type RawStream, refusalOf } from './raw-client.ts'

let c: MemoryCluster
beforeAll(async () => {
  c = await MemoryCluster.start({ gatewayLimits: { heartbeatMs: 200 } })
})
afterAll(() => c.stop())

describe('a watched dashboard', () => {
  const watch = (userId: string, newerPageToken = '', consistencyTokens: string[] = []) =>
    c.api.stream(dashboards.watchDashboard, {
      userId,
      newerPageToken,
      consistencyTokens,
      resumeToken: '',
    })
  type Watch = RawStream<WatchDashboardResponse>
  const nextOf = async (stream: Watch, kind: string) => {
    const taken = await stream.until(({ event }) => event?.$case === kind)
    return taken.at(-1)?.event
  }

  test('begins with a heartbeat, then tells of posts, edits, deletes and read marks', async () => {
    const follow = await c.follow('s-reader', 's-author')
    const stream = watch('s-reader', '', [follow])
    expect((await stream.next()).event?.$case).toBe('heartbeat')
    const made = await c.publish('s-author', 'hello')
    const added = await nextOf(stream, 'added')
    expect(added).toMatchObject({ value: { post: { text: 'hello', postId: made.postId } } })
    const post = { authorId: made.authorId, postId: made.postId }
    const edit = { post, text: 'changed', tags: [], payload: Buffer.alloc(0) }
    await c.api.ask(posts.updatePost, edit)
    const edited = await nextOf(stream, 'edited')
    expect(edited).toMatchObject({ value: { post: { text: 'changed' } } })
    await c.api.ask(dashboards.markRead, { userId: 's-reader', postId: made.postId })
    const mark = await nextOf(stream, 'readMarkMoved')
    expect(mark).toMatchObject({ value: { readMark: made.postId } })
    await c.api.ask(posts.deletePost, { post })
    expect(await nextOf(stream, 'removed')).toMatchObject({ value: post })
    stream.cancel()
  })

  test('each message’s token makes reads see it', async () => {
    const follow = await c.follow('s-seer', 's-writer')
    const stream = watch('s-seer', '', [follow])
    await stream.next()
    await c.publish('s-writer', 'seen')
    const [message] = (await stream.until(({ event }) => event?.$case === 'added')).slice(-1)
    expect(await c.texts('s-seer', [message?.consistencyToken ?? ''])).toEqual(['seen'])
    stream.cancel()
  })

  test('where what came since is not kept, one that broke off goes on by its page token', async () => {
    const follow = await c.follow('s-back', 's-goer')
    const { newerPageToken } = await c.dashboard('s-back', [follow])
    const first = watch('s-back', newerPageToken, [follow])
    const { consistencyToken: resumeToken } = await first.next()
    first.cancel()
    await c.publish('s-goer', 'meanwhile')
    const request = { userId: 's-back', newerPageToken, consistencyTokens: [follow], resumeToken }
    const again = c.api.stream(dashboards.watchDashboard, request)
    const added = await again.next()
    expect(added.event).toMatchObject({ $case: 'added', value: { post: { text: 'meanwhile' } } })
    expect((await again.next()).event).toMatchObject({ value: { resumed: false } })
    again.cancel()
    const none = c.api.stream(dashboards.watchDashboard, { ...request, resumeToken: 'x' })
    const refused = await refusalOf(none.next())
    expect([refused.code, refused.reason]).toEqual([
      'INVALID_ARGUMENT',
      'CONSISTENCY_TOKEN_INVALID',
    ])
  })

  test('goes on from a page’s token with what was missed', async () => {
    const follow = await c.follow('s-late', 's-busy')
    const { newerPageToken } = await c.dashboard('s-late', [follow])
    const missed = []
    for (let n = 0; n < 5; n++) missed.push(await c.publish('s-busy', `missed ${n}`))
    const stream = watch('s-late', newerPageToken, [missed.at(-1)?.token ?? ''])
    const taken = await stream.until(({ event }) => event?.$case === 'heartbeat')
    const texts = taken.flatMap(({ event }) =>
      event?.$case === 'added' ? [event.value.post?.text] : [],
    )
    expect(texts).toEqual([0, 1, 2, 3, 4].map((n) => `missed ${n}`))
    const last = taken.at(-1)?.event
    const place = last?.$case === 'heartbeat' ? last.value.newerPageToken : ''
    stream.cancel()
    const after = await c.publish('s-busy', 'after the break')
    const again = watch('s-late', place, [after.token])
    const [added] = (
      await again.until(({ event }) => {
        return event?.$case === 'added' && event.value.post?.postId === after.postId
      })
    ).slice(-1)
    expect(added).toBeDefined()
    again.cancel()
  })

  test('asks to list anew when follows change, and goes on', async () => {
    const stream = watch('s-fickle')
    await stream.next()
    const follow = await c.follow('s-fickle', 's-new')
    expect(await nextOf(stream, 'reset')).toMatchObject({
      value: { reason: ResetReason.FOLLOWS_CHANGED },
    })
    await c.publish('s-new', 'fresh')
    expect(await nextOf(stream, 'added')).toMatchObject({ value: { post: { text: 'fresh' } } })
    expect(await c.texts('s-fickle', [follow])).toEqual(['fresh'])
    stream.cancel()
  })

  test('gives signs of life', async () => {
    const stream = watch('s-quiet')
    for (let beat = 0; beat < 3; beat++) {
      expect((await stream.next()).event?.$case).toBe('heartbeat')
    }
    stream.cancel()
  })

  test('refuses a token of another user', async () => {
    const { newerPageToken } = await c.dashboard('s-reader')
    const refused = await refusalOf(watch('s-other', newerPageToken).next())
    expect(refused.reason).toBe('PAGE_TOKEN_MISMATCH')
  })
})

describe('the firehose', () => {
  const subscribe = (start: SubscribeRequest['start']) =>
    c.api.stream(firehoses.subscribe, { start })
  const earliest = { $case: 'point', value: StartPoint.EARLIEST } as const
  const latest = { $case: 'point', value: StartPoint.LATEST } as const
  const kindsOf = (messages: readonly SubscribeResponse[]) =>
    messages.flatMap(({ events }) => events.map(({ kind }) => kind?.$case))
  const isAbout = (key: string) => (message: SubscribeResponse) =>
    message.events.some((event) => event.key === key)

  test('has everything public about an author in order, and nothing for followers only', async () => {
    const made = await c.publish('f-author', 'public', { tags: ['t'], externalId: 'e' })
    const post = { authorId: made.authorId, postId: made.postId }
    const hidden = await c.publish('f-author', 'hidden', { audience: Audience.FOLLOWERS })
    const content = { tags: [], payload: Buffer.alloc(0) }
    await c.api.ask(posts.updatePost, { post, text: 'edited', ...content })
    const hiddenPost = { authorId: hidden.authorId, postId: hidden.postId }
    await c.api.ask(posts.updatePost, { post: hiddenPost, text: 'hidden edit', ...content })
    await c.api.ask(posts.likePost, { userId: 'f-fan', post })
    await c.follow('f-fan', 'f-author', true)
    await c.api.ask(graph.block, { userId: 'f-troll', targetId: 'f-author' })
    await c.api.ask(dashboards.markRead, { userId: 'f-author', postId: made.postId })
    await c.api.ask(posts.deletePost, { post })
    const isLast = ({ events }: SubscribeResponse) =>
      events.some(({ kind }) => {
        return kind?.$case === 'postDeleted' && kind.value.post?.postId === made.postId
      })
    const taken = await subscribe(earliest).until(isLast)
    const own = taken.flatMap(({ events }) => events).filter(({ key }) => key === 'f-author')
    expect(own.map(({ kind }) => kind?.$case)).toEqual([
      'postCreated',
      'postEdited',
      'postLiked',
      'followed',
      'unfollowed',
      'postDeleted',
    ])
    const [created, edited, , followed] = own.map(({ kind }) => kind)
    expect(created).toMatchObject({
      value: { post: { text: 'public', tags: ['t'], externalId: 'e' }, imported: false },
    })
    expect(edited).toMatchObject({ value: { post, content: { text: 'edited', authorId: '' } } })
    expect(followed).toMatchObject({ value: { userId: 'f-fan', hideReblogs: true } })
    expect(JSON.stringify(taken, (_, v) => (typeof v === 'bigint' ? `${v}` : v))).not.toContain(
      'hidden',
    )
    const offsets = own.map(({ offset }) => offset)
    expect(offsets).toEqual(offsets.toSorted((a, b) => Number(a - b)))
  })

  test('goes on after a position, with nothing lost or repeated', async () => {
    const { latestPosition } = await c.api.ask(firehoses.getPositions, {})
    for (let n = 0; n < 6; n++) await c.publish('f-resume', `${n}`)
    const seen: (string | undefined)[] = []
    let position = latestPosition
    while (seen.length < 6) {
      const stream = subscribe({ $case: 'position', value: position })
      const message = await stream.next()
      for (const { kind } of message.events) {
        if (kind?.$case === 'postCreated') seen.push(kind.value.post?.text)
      }
      position = message.position
      stream.cancel()
    }
    expect(seen).toEqual(['0', '1', '2', '3', '4', '5'])
  })

  test('from latest sends only what comes, with signs of life before', async () => {
    const stream = subscribe(latest)
    const first = await stream.next()
    expect(first.events).toEqual([])
    await c.publish('f-now', 'now')
    const taken = await stream.until(isAbout('f-now'))
    expect(kindsOf(taken)).toEqual(['postCreated'])
    stream.cancel()
  })

  test('from a time, and from offsets', async () => {
    const made = await c.publish('f-timed', 'timed')
    const [event] = (await subscribe(earliest).until(isAbout('f-timed')))
      .flatMap(({ events }) => events)
      .filter(({ key }) => key === 'f-timed')
    if (event?.appendedAt === undefined) throw new Error('no event')
    const byTime = subscribe({ $case: 'time', value: event.appendedAt })
    expect(kindsOf(await byTime.until(isAbout('f-timed')))).toContain('postCreated')
    const { partition, offset } = event
    const value = { offsets: [{ partition, offset }] }
    const [exact] = (await subscribe({ $case: 'offsets', value }).next()).events
    expect(exact?.eventId).toBe(event.eventId)
    expect(made.postId).not.toBe('')
  })

  test('positions name every partition, and their token waits for all of it', async () => {
    await c.publish('f-all', 'all')
    const { partitions, consistencyToken } = await c.api.ask(firehoses.getPositions, {})
    expect(partitions.map(({ partition }) => partition)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(await c.texts('f-all', [consistencyToken])).toEqual(['all'])
  })
})

test('more streams than allowed are refused, and there is room again when one ends', async () => {
  const small = await MemoryCluster.start({ gatewayLimits: { watchesMax: 1 } })
  try {
    const request = { userId: 'a', newerPageToken: '', consistencyTokens: [], resumeToken: '' }
    const first = small.api.stream(dashboards.watchDashboard, request)
    await first.next()
    const refused = await refusalOf(small.api.stream(dashboards.watchDashboard, request).next())
    expect([refused.code, refused.reason]).toEqual(['RESOURCE_EXHAUSTED', 'TOO_MANY_STREAMS'])
    expect(refused.details).toContain('RetryInfo')
    first.cancel()
    await expect
      .poll(async () => {
        const stream = small.api.stream(dashboards.watchDashboard, request)
        const opened = await stream.next().then(
          () => true,
          () => false,
        )
        stream.cancel()
        return opened
      })
      .toBe(true)
  } finally {
    await small.stop()
  }
})

test('a stop ends streams with SHUTTING_DOWN', async () => {
  const stopping = await MemoryCluster.start()
  const request = { userId: 'a', newerPageToken: '', consistencyTokens: [], resumeToken: '' }
  const watch = stopping.api.stream(dashboards.watchDashboard, request)
  const firehose = stopping.api.stream(firehoses.subscribe, { start: undefined })
  await watch.next()
  const ends = [refusalOf(watch.next()), refusalOf(firehose.next())]
  await stopping.stop()
  for (const end of await Promise.all(ends)) {
    expect([end.code, end.reason]).toEqual(['UNAVAILABLE', 'SHUTTING_DOWN'])
  }
})
