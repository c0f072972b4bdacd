// The body cache in Redis keeps the port's contract.

import { randomUUID } from 'node:crypto'
import { inject } from 'vitest'
import { RedisBodyCache } from '../../../infra/redis/body-cache.ts'
import { describeBodyCacheContract } from '../../contract/body-cache-contract.ts'

describeBodyCacheContract('Redis', async () => {
  const cache = await RedisBodyCache.open({
    ...inject('engines').redis,
    database: 0,
    username: undefined,
    password: undefined,
    tls: undefined,
    prefix: `test-${randomUUID()}`,
    cell: 'cell-1',
    // The machine may be busy with other tests: an answer that came late would look like a body forgotten.
    limits: { answerMs: 5_000, openMs: 10_000, connectMs: 10_000, ttlSeconds: 60 },
  })
  return { cache, close: () => cache.close() }
})
