// What the driver is told: who we are, whom we trust, and to do nothing by itself.

import { expect, test } from 'vitest'
import { clientOptions } from '../../../infra/cassandra/client-options.ts'
import type { CassandraOptions } from '../../../infra/cassandra/cassandra-options.ts'
import { SESSION_LIMITS } from '../../../infra/cassandra/session.ts'

const plain: CassandraOptions = {
  contactPoints: ['a:9042', 'b:9042'],
  localDataCenter: 'east',
  prefix: 'feed',
  credentials: undefined,
  tls: undefined,
}

test('no timestamps, no retries, a deadline for each request', () => {
  const options = clientOptions(plain, { ...SESSION_LIMITS, timeoutMs: 1_234 })
  expect(options.policies?.timestampGeneration).toBeNull()
  expect(options.policies?.retry?.constructor.name).toBe('FallthroughRetryPolicy')
  expect(options.policies?.speculativeExecution).toBeUndefined()
  expect(options.socketOptions?.readTimeout).toBe(1_234)
  expect(options.sslOptions).toBeUndefined()
  expect(options.authProvider).toBeUndefined()
})

test('TLS checks the server, also without an authority of one’s own; certificates are passed on', () => {
  const none = { ca: undefined, certificate: undefined, key: undefined }
  expect(clientOptions({ ...plain, tls: none }, SESSION_LIMITS).sslOptions).toEqual({
    rejectUnauthorized: true,
  })
  const all = { ca: 'CA', certificate: 'CERT', key: 'KEY' }
  expect(clientOptions({ ...plain, tls: all }, SESSION_LIMITS).sslOptions).toEqual({
    rejectUnauthorized: true,
    ca: 'CA',
    cert: 'CERT',
    key: 'KEY',
  })
})

test('user name and password are passed on', () => {
  const credentials = { username: 'feed', password: 'secret' }
  const options = clientOptions({ ...plain, credentials }, SESSION_LIMITS)
  expect(options.authProvider).toMatchObject(credentials)
})
