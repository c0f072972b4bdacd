// The driver's settings. No timestamps of its own (a statement names its timestamp, or the server gives one), no retries of its
// own, no speculative requests, 64-bit numbers as bigints.

import cassandra from 'cassandra-driver'
import type { CassandraOptions } from './cassandra-options.ts'
import { ReplicaFirst } from './load-balancing.ts'
import type { SessionLimits } from './session.ts'

const { policies, types } = cassandra

export function clientOptions(
  options: CassandraOptions,
  limits: SessionLimits,
): cassandra.DseClientOptions {
  const { credentials, tls } = options
  const { localDataCenter } = options
  return {
    contactPoints: [...options.contactPoints],
    localDataCenter,
    policies: {
      loadBalancing: new ReplicaFirst(localDataCenter),
      retry: new policies.retry.FallthroughRetryPolicy(),
      // The driver documents null as "by the server"; its types know only a generator.
      timestampGeneration:
        null as unknown as cassandra.policies.timestampGeneration.TimestampGenerator,
    },
    queryOptions: { consistency: types.consistencies[options.consistency ?? 'localQuorum'] },
    socketOptions: {
      connectTimeout: limits.connectTimeoutMs,
      readTimeout: limits.timeoutMs,
    },
    encoding: { useBigIntAsLong: true },
    monitorReporting: { enabled: false },
    ...(credentials === undefined
      ? {}
      : {
          authProvider: new cassandra.auth.PlainTextAuthProvider(
            credentials.username,
            credentials.password,
          ),
        }),
    ...(tls === undefined
      ? {}
      : {
          sslOptions: {
            rejectUnauthorized: true,
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            ...(tls.certificate === undefined ? {} : { cert: tls.certificate }),
            ...(tls.key === undefined ? {} : { key: tls.key }),
          },
        }),
  }
}
