// The cells of one process: one that was added when the firehose had lost its beginning is filled from another one, also when the process
// died before that had ended.

import { expect, test } from 'vitest'
import { CELL_LIMITS } from '../../../../cells/model/cell-limits.ts'
import { IdAllocator } from '../../../../cells/model/id-allocator.ts'
import { firstPlacement, type Placement } from '../../../../cells/model/placement.ts'
import type { EventId, PostId } from '../../../../cells/model/post-id.ts'
import { userRef } from '../../../../cells/model/user-key.ts'
import { MemoryBodyCache } from '../../../../infra/memory/body-cache.ts'
import { MemoryCellStore } from '../../../../infra/memory/cell-store.ts'
import { MemoryControlStore } from '../../../../infra/memory/control-store.ts'
import { MemoryFirehose } from '../../../../infra/memory/firehose.ts'
import { encodePlacement, PLACEMENT_KEY } from '../../../../services/router/placement-document.ts'
import { createLog } from '../../../../services/runtime/log.ts'
import { Metrics } from '../../../../services/runtime/metrics.ts'
import { HostedCells } from '../../../../services/serve/hosted-cells.ts'
import { HOUR, ok, SECOND, StandingClock, until } from '../../activities/stage.ts'

const owner = firstPlacement(['cell-1'], 4)
const both: Placement = { ...owner, cells: ['cell-1', 'cell-2'] }

test('a new cell that was not filled to its end is added anew when the process starts again', async () => {
  const clock = new StandingClock()
  const firehose = new MemoryFirehose({ clock, logId: 'log', partitionsPerTopic: 2 })
  const control = new MemoryControlStore()
  await control.compareAndSet(PLACEMENT_KEY, 0, encodePlacement({ clusterId: 1n, placement: both }))
  const stores = new Map(both.cells.map((cell) => [cell, new MemoryCellStore()]))
  const process = () =>
    new HostedCells({
      clock,
      monotonicMs: () => 0,
      control,
      firehose,
      openStore: async (cell) => stores.get(cell) ?? new MemoryCellStore(),
      openCache: () => new MemoryBodyCache({ bytesMax: 1 << 20 }),
      limits: CELL_LIMITS,
      metrics: new Metrics(),
      log: createLog('silent'),
    })

  const before = process()
  await before.open(owner)
  await before.start(owner)
  const postId = new IdAllocator(1).allocate(clock.nowMs()) as PostId
  const content = Buffer.from('hello')
  const fact = {
    kind: 'post-created',
    author: userRef('ann'),
    postId,
    head: content,
    content,
  } as const
  const id = new IdAllocator(2).allocate(clock.nowMs()) as EventId
  await firehose.append([{ id, fact: { ...fact, reblogOf: undefined, audience: 'public' } }])
  const { end } = firehose.currentBounds()
  await until(async () => {
    const status = await before.client('cell-1')?.status()
    return end.every((offset, partition) => (status?.position[partition] ?? 0) >= offset)
  })
  await before.stop()
  clock.advance(48 * HOUR)
  await firehose.dropBefore(clock.nowMs())

  const after = process()
  await after.open(both)
  await after.start(both)
  expect(after.client('cell-1')).toBeDefined()
  const ending = new AbortController()
  const following = after.following(() => both)(ending.signal, () => undefined)
  const states = new Set<string>()
  await until(async () => {
    clock.advance(SECOND)
    for (const { cell, state, detail } of after.reports()) {
      if (cell === 'cell-2') states.add(`${state} ${detail}`)
    }
    return (await after.client('cell-2')?.status())?.ready === true
  })
  expect([...states]).toContain('loading is filled with the posts of cell-1')
  expect(after.reports().map(({ cell }) => cell)).toEqual(['cell-1', 'cell-2'])
  const call = { seen: end, signal: new AbortController().signal }
  const found = await after.client('cell-2')?.publicPost(call, userRef('ann').key, postId)
  expect(found && ok(found).kind).toBe('found')
  ending.abort()
  await following
  await after.stop()
})
