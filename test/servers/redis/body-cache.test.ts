// The body cache in Redis keeps the port's contract.

import { RedisBodyCache } from '../../../infra/redis/body-cache.ts'
import { describeBodyCacheContract } from '../../contract/body-cache-contract.ts'
import { OwnRedis } from './own-redis.ts'

describeBodyCacheContract('Redis', async () => {
  const redis = await OwnRedis.start()
  const cache = await RedisBodyCache.open({
    host: '127.0.0.1',
    port: redis.port,
    database: 0,
    username: undefined,
    password: undefined,
    tls: undefined,
    prefix: 'test',
    cell: 'cell-1',
    // The machine may be busy with other tests: an answer that came late would look like a body forgotten.
    limits: { answerMs: 5_000, openMs: 10_000, connectMs: 10_000 },
  })
  const close = async () => {
    await cache.close()
    await redis.end()
  }
  return { cache, close }
})
