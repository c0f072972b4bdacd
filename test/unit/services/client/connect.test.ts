// The client library against a server that answers as told: tokens, retries, errors, cancelling.

import { status } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Cellfeed, CellfeedError, connect } from '../../../../services/client/connect.ts'
import { type FakeServer, startFakeServer } from './fake-server.ts'

let server: FakeServer
let feed: Cellfeed
const quick = { retry: { firstPauseMs: 1, pauseMaxMs: 2 } }
beforeEach(async () => {
  server = await startFakeServer()
  feed = connect(server.address, quick)
})
afterEach(() => {
  feed.close()
  server.stop()
})

const broken = { code: status.UNAVAILABLE }
const failureOf = async (call: Promise<unknown>): Promise<CellfeedError> => {
  const thrown: unknown = await call.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(thrown instanceof CellfeedError)) throw new Error(`no CellfeedError: ${String(thrown)}`)
  return thrown
}

describe('sessions', () => {
  test('a read carries what was written, and then what was read', async () => {
    await feed.follow('alice', 'bob')
    await feed.follow('alice', 'carol')
    await feed.dashboard('alice')
    await feed.dashboard('alice')
    expect(server.lists.map((list) => list.consistencyTokens)).toEqual([['w1', 'w2'], ['r1']])
  })

  test('another session starts with nothing, or with the tokens it is given', async () => {
    await feed.follow('alice', 'bob')
    await feed.session().dashboard('alice')
    await feed.session(feed.consistencyTokens).dashboard('alice')
    expect(server.lists.map((list) => list.consistencyTokens)).toEqual([[], ['w1']])
  })

  test('many writes are covered by one question, not forgotten', async () => {
    for (let write = 0; write < 40; write += 1) await feed.follow('alice', `u${write}`)
    await Promise.all([feed.dashboard('alice'), feed.dashboard('alice')])
    expect(server.positionsAsked).toBe(1)
    expect(server.lists[0]?.consistencyTokens).toContain('everything')
    expect(server.lists[1]?.consistencyTokens).toContain('everything')
  })

  test('without read-your-writes no token is sent', async () => {
    const plain = connect(server.address, { readYourWrites: false })
    await plain.follow('alice', 'bob')
    await plain.dashboard('alice')
    plain.close()
    expect(server.lists[0]?.consistencyTokens).toEqual([])
  })
})

describe('retries', () => {
  test('a publish whose connection broke is made again as the same post', async () => {
    server.refusals.push({ code: status.UNAVAILABLE, reason: 'SHUTTING_DOWN' })
    const [allocated] = await feed.allocatePostIds()
    server.refusals.push(broken, broken)
    const published = await feed.publish('bob', { text: 'hello', postId: allocated })
    expect(server.creates.map((create) => create.postId)).toEqual([allocated, allocated, allocated])
    expect(published).toMatchObject({ authorId: 'bob', postId: allocated })
  })

  test('a publish allocates its id first; one that is never repeated does not', async () => {
    await feed.publish('bob', 'hello')
    expect(server.creates[0]?.postId).toMatch(/^\d+$/)
    const once = connect(server.address, { retry: { attemptsMax: 1 } })
    expect((await once.publish('bob', 'hello')).postId).toBe('77')
    once.close()
    expect(server.creates[1]?.postId).toBe('')
  })

  test('a like is made again only if it surely did not happen', async () => {
    const post = { authorId: 'bob', postId: '1' }
    server.refusals.push({ code: status.RESOURCE_EXHAUSTED, reason: 'OVERLOADED', retryAfterMs: 1 })
    await feed.like('alice', post)
    expect(server.likes).toHaveLength(2)
    server.refusals.push(broken)
    expect((await failureOf(feed.like('alice', post))).reason).toBe('UNREACHABLE')
    expect(server.likes).toHaveLength(3)
  })

  test('after so many attempts the last error is told', async () => {
    server.refusals.push(broken, broken, broken, broken)
    expect((await failureOf(feed.follow('a', 'b'))).code).toBe('UNAVAILABLE')
    expect(server.follows).toHaveLength(4)
  })
})

describe('errors', () => {
  test('carry code, reason, field, delay and metadata', async () => {
    server.refusals.push({
      code: status.INVALID_ARGUMENT,
      reason: 'USER_ID_INVALID',
      field: 'user_id',
      retryAfterMs: 250,
    })
    expect(await failureOf(feed.follow('', 'bob'))).toMatchObject({
      name: 'CellfeedError',
      code: 'INVALID_ARGUMENT',
      reason: 'USER_ID_INVALID',
      field: 'user_id',
      message: 'no',
      retryAfterMs: 250,
      metadata: { cell: 'cell-1' },
    })
  })

  test('no server at all is UNREACHABLE, and the message names the address', async () => {
    server.stop()
    const error = await failureOf(feed.follow('alice', 'bob'))
    expect(error).toMatchObject({ code: 'UNAVAILABLE', reason: 'UNREACHABLE' })
    expect(error.message).toContain(server.address)
  })

  test('a server that does not answer is TIMED_OUT at the deadline', async () => {
    server.silent = true
    const error = await failureOf(feed.follow('alice', 'bob', { timeoutMs: 50 }))
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', reason: 'TIMED_OUT' })
  })
})

describe('cancelling', () => {
  test("a caller's signal ends a call, and its reason is the cause", async () => {
    server.silent = true
    const controller = new AbortController()
    const call = failureOf(feed.follow('alice', 'bob', { signal: controller.signal }))
    controller.abort('enough')
    expect(await call).toMatchObject({ code: 'CANCELLED', cause: 'enough' })
    const later = failureOf(feed.follow('alice', 'bob', { signal: controller.signal }))
    expect((await later).code).toBe('CANCELLED')
  })

  test('close ends what is under way, and what comes after', async () => {
    server.silent = true
    const call = failureOf(feed.follow('alice', 'bob'))
    feed.close()
    expect((await call).reason).toBe('CLIENT_CLOSED')
    expect((await failureOf(feed.dashboard('alice'))).reason).toBe('CLIENT_CLOSED')
  })
})

describe('watching', () => {
  const heartbeat = (newerPageToken: string) => ({
    event: { $case: 'heartbeat' as const, value: { newerPageToken, resumed: false } },
    consistencyToken: '',
  })
  const moved = (readMark: string) => ({
    event: { $case: 'readMarkMoved' as const, value: { readMark } },
    consistencyToken: `s${readMark}`,
  })

  test('a broken stream is opened again where it was, and says that it was broken', async () => {
    server.streamAnswers = [[heartbeat('t1'), moved('5')], [moved('6')]]
    server.streamEnds = { code: status.UNAVAILABLE, reason: 'SHUTTING_DOWN' }
    const kinds: string[] = []
    for await (const change of feed.watch('alice', { newerPageToken: 't0' })) {
      kinds.push(change.kind === 'reset' ? change.reason : change.kind)
      if (kinds.length === 4) break
    }
    expect(kinds).toEqual(['heartbeat', 'readMarkMoved', 'reconnected', 'readMarkMoved'])
    expect(server.watches.map((watch) => watch.newerPageToken)).toEqual(['t0', 't1'])
    expect(server.watches.map((watch) => watch.resumeToken)).toEqual(['', ''])
    expect(feed.consistencyTokens).toEqual(['s6'])
  })

  test('leaving the loop cancels the stream', async () => {
    server.streamAnswers = [[heartbeat('t1')]]
    for await (const change of feed.watch('alice')) {
      expect(change).toEqual({ kind: 'heartbeat', newerPageToken: 't1' })
      break
    }
    await expect(server.cancelled).resolves.toBeUndefined()
  })

  test('a refusal ends the loop with its error', async () => {
    server.streamEnds = { code: status.INVALID_ARGUMENT, reason: 'PAGE_TOKEN_MISMATCH' }
    const error = await failureOf(feed.watch('alice', { newerPageToken: 'x' }).next())
    expect(error.reason).toBe('PAGE_TOKEN_MISMATCH')
  })
})
