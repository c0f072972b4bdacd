// What operators and machines meet: admin API, health, reflection, metrics, bounds, deadlines, clocks that disagree.

import { Client, credentials } from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  AdminServiceService as admin,
  CellState,
  EntrySource,
  ExplainReason,
  ReaderClass,
} from '../../gen/cellfeed/admin/v1/admin_service.ts'
import { ConsistencyToken } from '../../gen/cellfeed/internal/v1/token.ts'
import { DashboardServiceService as dashboards } from '../../gen/cellfeed/v1/dashboard_service.ts'
import { GraphServiceService as graph } from '../../gen/cellfeed/v1/graph_service.ts'
import { PostServiceService as posts } from '../../gen/cellfeed/v1/post_service.ts'
import { service as health } from 'grpc-health-check'
import { MemoryCluster } from './memory-cluster.ts'
import { newPost } from './raw-client.ts'

let c: MemoryCluster
beforeAll(async () => {
  c = await MemoryCluster.start()
})
afterAll(() => c.stop())

describe('the admin API', () => {
  test('lists the cells with health and lag', async () => {
    await c.publish('o-author', 'x')
    const { cells } = await c.admin.ask(admin.listCells, {})
    expect(cells.map(({ cell, state, slots }) => [cell, state, slots])).toEqual([
      ['cell-1', CellState.SERVING, 2048],
      ['cell-2', CellState.SERVING, 2048],
    ])
    const [one, two] = cells
    expect(one?.boot).not.toBe(two?.boot)
    expect(one?.partitions).toHaveLength(16)
    expect(one?.startedAt).toBeInstanceOf(Date)
  })

  test('tells where a user lives', async () => {
    const placement = await c.admin.ask(admin.getPlacement, { userId: 'o-author' })
    expect(placement).toMatchObject({ epoch: 1n, slots: 4096, pins: [] })
    expect(placement.clusterId).toMatch(/^[0-9a-f]{16}$/)
    const { slot = -1, cell } = placement.user ?? {}
    const owner = placement.ranges.find(({ first, last }) => first <= slot && slot <= last)
    expect(cell).toBe(owner?.cell)
    expect((await c.admin.ask(admin.getPlacement, { userId: '' })).user).toBeUndefined()
  })

  test('tells what each cell delivers and pulls, and what it costs', async () => {
    const { cells } = await c.admin.ask(admin.getPolicy, {})
    expect(cells.map(({ cell }) => cell)).toEqual(['cell-1', 'cell-2'])
    expect(cells[0]).toMatchObject({ authorsPulled: 0n, classChanges: 0n })
    expect(cells[0]?.decidedAgeMs).toBeUndefined()
    expect(cells[0]?.costs?.pullUs).toBeGreaterThan(0)
    expect(cells[0]?.readsInInbox).toBe(0n)
  })

  test('explains why a post is, or is not, on a dashboard', async () => {
    const made = await c.publish('o-writer', 'x')
    const follow = await c.follow('o-fan', 'o-writer')
    const explain = async (userId: string, post = made, tokens: string[] = []) => {
      const { authorId, postId, token } = post
      const consistencyTokens = [token, ...tokens].filter((given) => given !== '')
      const request = { userId, post: { authorId, postId }, consistencyTokens }
      return c.admin.ask(admin.explainPost, request)
    }
    const yes = await explain('o-fan', made, [follow])
    expect(yes).toMatchObject({ onDashboard: true, reason: ExplainReason.ON_DASHBOARD })
    expect(yes.sentence).toContain('o-fan follows o-writer')
    expect([EntrySource.WINDOW, EntrySource.PULLED]).toContain(yes.facts?.source)
    expect(yes.facts?.readerClass).toBe(ReaderClass.REGULAR)
    expect((await explain('o-stranger')).facts?.readerClass).toBe(ReaderClass.UNSPECIFIED)
    expect((await explain('o-writer')).reason).toBe(ExplainReason.OWN_POST)
    expect((await explain('o-stranger')).reason).toBe(ExplainReason.NOT_FOLLOWED)
    const none = { authorId: 'o-writer', postId: '99', token: '' }
    expect((await explain('o-fan', none, [follow])).reason).toBe(ExplainReason.UNKNOWN_POST)
    const muted = await c.api.ask(graph.mute, { userId: 'o-fan', targetId: 'o-writer' })
    const mutedAnswer = await explain('o-fan', made, [muted.consistencyToken])
    expect(mutedAnswer).toMatchObject({ onDashboard: false, reason: ExplainReason.AUTHOR_MUTED })
    const post = { authorId: made.authorId, postId: made.postId }
    const gone = await c.api.ask(posts.deletePost, { post })
    expect((await explain('o-fan', made, [gone.consistencyToken])).reason).toBe(
      ExplainReason.POST_DELETED,
    )
  })

  test('is not on the public port, nor the public API on its own', async () => {
    expect((await c.api.refusal(admin.listCells, {})).code).toBe('UNIMPLEMENTED')
    expect((await c.admin.refusal(graph.unfollow, { userId: 'a', authorId: 'b' })).code).toBe(
      'UNIMPLEMENTED',
    )
  })
})

describe('machines', () => {
  test.each(['', 'cellfeed.v1.DashboardService'])('health of %j is SERVING', async (service) => {
    const { path, requestSerialize, responseDeserialize } = health['Check'] ?? {}
    if (path === undefined) throw new Error('no health service')
    const method = { path, requestSerialize, responseDeserialize } as Parameters<
      typeof c.api.ask<{ service: string }, { status: string }>
    >[0]
    expect(await c.api.ask(method, { service })).toMatchObject({ status: 'SERVING' })
  })

  test('reflection names the services', async () => {
    const client = new Client(c.cluster.address, credentials.createInsecure())
    const call = client.makeBidiStreamRequest(
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
    )
    // ListServices is field 7 of the request, a string.
    call.write(Buffer.from([0x3a, 0x00]))
    const answer = await new Promise<Buffer>((resolve) => call.once('data', resolve))
    call.cancel()
    call.on('error', () => undefined)
    client.close()
    expect(answer.toString('latin1')).toContain('cellfeed.v1.DashboardService')
    expect(answer.toString('latin1')).toContain('grpc.health.v1.Health')
    expect(answer.toString('latin1')).not.toContain('cellfeed.admin')
  })

  test('metrics speak of calls and cells, /healthz says that it serves', async () => {
    await c.texts('o-metrics')
    const page = `http://${c.cluster.statusAddress}`
    const text = await (await fetch(`${page}/metrics`)).text()
    expect(text).toMatch(/cellfeed_calls_total\{method="ListDashboard",code="OK"\} \d+/)
    expect(text).toMatch(/cellfeed_cell_ready\{cell="cell-1"\} 1/)
    expect(text).toContain('cellfeed_call_seconds_bucket')
    expect((await fetch(`${page}/healthz`)).status).toBe(200)
    expect((await fetch(`${page}/else`)).status).toBe(404)
  })
})

describe('bounds', () => {
  test('too many bytes on their way to the firehose are refused, nothing accepted is lost', async () => {
    const small = await MemoryCluster.start({ gatewayLimits: { writeBytesInFlightMax: 20_000 } })
    try {
      const text = 'x'.repeat(6_000)
      const request = { ...newPost, authorId: 'b-busy', text }
      const outcomes = await Promise.allSettled(
        Array.from({ length: 50 }, () => small.api.ask(posts.createPost, request)),
      )
      const tokens = outcomes.flatMap((outcome) =>
        outcome.status === 'fulfilled' ? [outcome.value.consistencyToken] : [],
      )
      const shown = await small.texts('b-busy', tokens.slice(-32))
      expect(shown.length).toBe(tokens.length)
      const tooLarge = { ...request, text: 'x'.repeat(30_000) }
      const refused = await small.api.refusal(posts.createPost, tooLarge)
      expect([refused.code, refused.reason]).toEqual(['RESOURCE_EXHAUSTED', 'OVERLOADED'])
      expect(refused.details).toContain('RetryInfo')
    } finally {
      await small.stop()
    }
  })

  test('too many calls at once are refused', async () => {
    const small = await MemoryCluster.start({ gatewayLimits: { callsInFlightMax: 2 } })
    try {
      const { consistencyToken } = await small.api.ask(dashboards.markRead, {
        userId: 'a',
        postId: '1',
      })
      expect(consistencyToken).not.toBe('')
      const outcomes = await Promise.allSettled(
        Array.from({ length: 200 }, () => small.dashboard('a')),
      )
      const refused = outcomes.flatMap((outcome) =>
        outcome.status === 'rejected' ? [String(outcome.reason)] : [],
      )
      for (const reason of refused) expect(reason).toContain('RESOURCE_EXHAUSTED')
      expect(outcomes.length - refused.length).toBeGreaterThan(0)
      expect(await small.texts('a')).toEqual([])
    } finally {
      await small.stop()
    }
  })

  test('a call without a deadline gets the server’s', async () => {
    const quick = await MemoryCluster.start({ gatewayLimits: { deadlineDefaultMs: 200 } })
    try {
      const { token } = await quick.publish('b-slow', 'x')
      const future = futureOf(token)
      const request = {
        userId: 'b-slow',
        pageSize: 0,
        pageToken: '',
        consistencyTokens: [future],
        includeUnreadCount: false,
      }
      const refused = await quick.api.refusal(
        dashboards.listDashboard,
        request,
        Number.POSITIVE_INFINITY,
      )
      expect([refused.code, refused.reason]).toEqual([
        'DEADLINE_EXCEEDED',
        'CONSISTENCY_NOT_REACHED',
      ])
    } finally {
      await quick.stop()
    }
  })
})

test.each([
  ['ahead', 90_000],
  ['behind', -90_000],
])('a log whose clock is far %s makes writes fail as open in outcome', async (_, aheadMs) => {
  const skewed = await MemoryCluster.start({ logClockAheadMs: aheadMs })
  try {
    const refused = await skewed.api.refusal(posts.createPost, { ...newPost, authorId: 'a' })
    expect([refused.code, refused.reason]).toEqual(['UNAVAILABLE', 'CLOCK_SKEW'])
    expect(refused.details).toContain('RetryInfo')
    expect(Math.abs(Number(refused.metadata['skew_ms']))).toBeGreaterThan(60_000)
  } finally {
    await skewed.stop()
  }
})

/** A token far beyond the end of the log. */
function futureOf(token: string): string {
  const message = ConsistencyToken.decode(Buffer.from(token, 'base64url'))
  const offsets = message.offsets.map((offset) => offset + 1_000n)
  const future = ConsistencyToken.encode({ ...message, offsets }).finish()
  return Buffer.from(future).toString('base64url')
}
