// The in-memory adapters keep the contracts of their ports.

import { MemoryBodyCache } from '../../infra/memory/body-cache.ts'
import { MemoryCellStore } from '../../infra/memory/cell-store.ts'
import { MemoryControlStore } from '../../infra/memory/control-store.ts'
import { MemoryFirehose } from '../../infra/memory/firehose.ts'
import { expect, test } from 'vitest'
import type { PostId } from '../../cells/model/post-id.ts'
import { describeBodyCacheContract } from './body-cache-contract.ts'
import { describeControlStoreContract } from './control-store-contract.ts'
import { describeFirehoseContract } from './firehose-contract.ts'
import { manualClock } from './manual-clock.ts'
import { describePostTableContract } from './post-table-contract.ts'
import { describeSlotTablesContract } from './slot-tables-contract.ts'
import { describeUserTablesContract } from './user-tables-contract.ts'

const close = async () => {}

describeFirehoseContract('memory', async () => {
  const firehose = new MemoryFirehose({ clock: manualClock(), logId: 'memory' })
  return {
    firehose,
    dropBefore: (record) => firehose.dropBefore(record.appendedAtMs),
    close,
  }
})
describePostTableContract('memory', async () => new MemoryCellStore().posts)
describeSlotTablesContract('memory', async () => new MemoryCellStore())
describeUserTablesContract('memory', async () => new MemoryCellStore())
describeControlStoreContract('memory', async () => ({ store: new MemoryControlStore(), close }))
describeBodyCacheContract('memory', async () => ({
  cache: new MemoryBodyCache({ bytesMax: 1 << 20 }),
  close,
}))

test('the memory body cache stays within its bytes and keeps what was read last', async () => {
  const cache = new MemoryBodyCache({ bytesMax: 100_000 })
  const key = (post: number) => ({ author: 1, postId: BigInt(post) as PostId })
  for (let post = 1; post <= 1_000; post++) {
    await cache.setMany([{ key: key(post), value: new Uint8Array(1_000) }])
    await cache.getMany([key(1)])
    expect(cache.bytes).toBeLessThanOrEqual(100_000)
  }
  const [first, second, last] = await cache.getMany([key(1), key(2), key(1_000)])
  expect([first?.length, second?.length, last?.length]).toEqual([1_000, undefined, 1_000])
})
