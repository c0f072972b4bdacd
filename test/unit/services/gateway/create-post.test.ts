// CreatePost with an id: what the log has taken is never answered as refused.

import { expect, test } from 'vitest'
import { CELL_LIMITS } from '../../../../cells/model/cell-limits.ts'
import { firstPlacement } from '../../../../cells/model/placement.ts'
import type { CellClient, PostFound } from '../../../../cells/ports/cell-client.ts'
import { MemoryControlStore } from '../../../../infra/memory/control-store.ts'
import { MemoryFirehose } from '../../../../infra/memory/firehose.ts'
import { systemClock } from '../../../../infra/system/clock.ts'
import { CellReader } from '../../../../services/gateway/cell-reader.ts'
import { ConsistencyTokens } from '../../../../services/gateway/consistency-tokens.ts'
import { createPost } from '../../../../services/gateway/create-post.ts'
import { ApiError, type Reason } from '../../../../services/gateway/errors.ts'
import { EventWriter } from '../../../../services/gateway/event-writer.ts'
import type { GatewayDesk } from '../../../../services/gateway/gateway-desk.ts'
import { WorkerLease } from '../../../../services/gateway/worker-lease.ts'
import { Router } from '../../../../services/router/router.ts'
import { Metrics } from '../../../../services/runtime/metrics.ts'
import { newPost } from '../../../integration/raw-client.ts'

/** Publishes with an id while the author's cell answers so; says how it ended, and how many events the log has then. */
async function publish(post: () => Promise<PostFound>) {
  const firehose = new MemoryFirehose({ clock: systemClock, logId: 'log' })
  const { tokens, metrics } = {
    tokens: new ConsistencyTokens(firehose.identity),
    metrics: new Metrics(),
  }
  const lease = await WorkerLease.take({ control: new MemoryControlStore(), clock: systemClock })
  const limits = { repeatWindowMs: 120_000, writeBytesInFlightMax: 100_000, movedFollowedMax: 4 }
  const writer = new EventWriter({ firehose, clock: systemClock, lease, tokens, metrics, limits })
  const cell = {
    cell: 'cell-1',
    post: async () => ({ kind: 'ok', value: await post(), position: [] }),
  } as unknown as CellClient
  const router = new Router(firstPlacement(['cell-1'], 4), () => cell)
  const reader = new CellReader({ router, limits, metrics })
  const desk = { writer, reader, cellLimits: CELL_LIMITS } as unknown as GatewayDesk
  const postId = String(writer.newPostId())
  const request = { ...newPost, authorId: 'bob', postId, text: 'hello' }
  const { signal } = new AbortController()
  const reason = await createPost(desk, request, { signal }).then(
    () => 'published',
    (error: { code: Reason }) => error.code,
  )
  const { end } = await firehose.bounds()
  return { reason, events: end.reduce((sum, offset) => sum + offset, 0) }
}

test.each(['CELL_UNAVAILABLE', 'TOO_LATE', 'CONSISTENCY_NOT_REACHED', 'INTERNAL_ERROR'] as const)(
  'a cell that answers %s leaves the outcome unknown',
  async (code) => {
    const cellFails = () => Promise.reject(new ApiError(code, 'the cell is away'))
    expect(await publish(cellFails)).toEqual({ reason: 'WRITE_OUTCOME_UNKNOWN', events: 1 })
  },
)

test('a cell that decided is believed', async () => {
  const deleted = async () => ({ kind: 'deleted' }) as const
  expect(await publish(deleted)).toEqual({ reason: 'POST_DELETED', events: 1 })
})
