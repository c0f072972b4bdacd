// A process that starts Redis in the folder and at the port it is told, says so, and waits to be killed.

import { startRedis } from '../../../infra/local/redis.ts'

const [folder = '', port = ''] = process.argv.slice(2)
const redis = await startRedis({
  engines: { redisServer: 'redis-server' },
  folder,
  port: Number(port),
})
console.log(redis.pid)
