// Whether a server answers a real request: how a start is known to be over, whoever started it.

import { Client } from 'cassandra-driver'
import { Redis } from 'ioredis'
import { Kafka, logLevel, type SASLOptions } from 'kafkajs'
import type { CassandraOptions } from '../cassandra/cassandra-options.ts'
import type { TlsOptions } from '../connection/tls-options.ts'
import type { KafkaOptions } from '../kafka/kafka-options.ts'
import type { RedisOptions } from '../redis/redis-options.ts'

const ANSWER_MS_MAX = 5_000

/** So many brokers know of each other, and one of them is the controller. */
export async function kafkaAnswers(
  options: Pick<KafkaOptions, 'brokers' | 'tls' | 'sasl'>,
): Promise<void> {
  const kafka = new Kafka({
    brokers: [...options.brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: ANSWER_MS_MAX,
    requestTimeout: ANSWER_MS_MAX,
    retry: { retries: 0 },
    ...(options.tls === undefined ? {} : { ssl: secureContextOf(options.tls) }),
    // A copy: kafkajs keeps the login it made inside the object it was given.
    ...(options.sasl === undefined ? {} : { sasl: { ...options.sasl } as SASLOptions }),
  })
  const admin = kafka.admin()
  try {
    await admin.connect()
    const { brokers, controller } = await admin.describeCluster()
    if (brokers.length < options.brokers.length || controller === null) {
      throw new Error(`${brokers.length} of ${options.brokers.length} brokers are there`)
    }
  } finally {
    await admin.disconnect()
  }
}

export async function cassandraAnswers(
  options: Pick<CassandraOptions, 'contactPoints' | 'localDataCenter' | 'credentials' | 'tls'>,
): Promise<void> {
  await askCassandra(options, 'SELECT release_version FROM system.local')
}

export async function askCassandra(
  options: Pick<CassandraOptions, 'contactPoints' | 'localDataCenter' | 'credentials' | 'tls'>,
  query: string,
): Promise<void> {
  const client = new Client({
    contactPoints: [...options.contactPoints],
    localDataCenter: options.localDataCenter,
    socketOptions: { connectTimeout: ANSWER_MS_MAX, readTimeout: ANSWER_MS_MAX },
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    ...(options.tls === undefined ? {} : { sslOptions: secureContextOf(options.tls) }),
  })
  try {
    await client.connect()
    await client.execute(query)
  } finally {
    await client.shutdown()
  }
}

export async function redisAnswers(
  options: Pick<RedisOptions, 'host' | 'port' | 'password' | 'tls'>,
): Promise<void> {
  const { host, port, password, tls } = options
  const redis = new Redis({
    host,
    port,
    lazyConnect: true,
    connectTimeout: ANSWER_MS_MAX,
    commandTimeout: ANSWER_MS_MAX,
    retryStrategy: null,
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: secureContextOf(tls) }),
  })
  // Says why a connection was closed, which the refused call does not.
  let reason: unknown
  redis.on('error', (error) => {
    reason = error
  })
  try {
    await redis.connect()
    await redis.ping()
  } catch (thrown) {
    throw reason ?? thrown
  } finally {
    redis.disconnect()
  }
}

function secureContextOf(tls: TlsOptions): { ca?: string; cert?: string; key?: string } {
  return {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.certificate === undefined ? {} : { cert: tls.certificate }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  }
}
