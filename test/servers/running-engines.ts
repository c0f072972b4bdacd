// Servers that somebody else runs: they are neither started nor stopped.

import type { RunningServers } from './config.ts'
import type { StartedEngines } from './engines.ts'

export function useRunning(servers: RunningServers): StartedEngines {
  const redis = new URL(`redis://${servers.redis}`)
  return {
    engines: {
      kafka: { brokers: servers.kafka.split(',') },
      cassandra: {
        contactPoints: servers.cassandra.split(','),
        localDataCenter: servers.dataCenter,
      },
      redis: { host: redis.hostname, port: Number(redis.port || 6379) },
    },
    description: `servers that run already: ${servers.kafka}, ${servers.cassandra}, ${servers.redis}`,
    stop: async () => undefined,
  }
}
