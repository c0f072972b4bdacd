// Servers that ask for TLS and a login take those who have both and refuse the others: what adapters are tested against.

import { beforeAll, expect, test } from 'vitest'
import { cassandraAnswers, kafkaAnswers, redisAnswers } from '../../../infra/local/answers.ts'
import { startCassandra } from '../../../infra/local/cassandra.ts'
import { makeCertificates } from '../../../infra/local/certificates.ts'
import { type InstalledEngines, installEngines } from '../../../infra/local/installed-engines.ts'
import { startKafka } from '../../../infra/local/kafka.ts'
import { startRedis } from '../../../infra/local/redis.ts'
import { testFolders } from '../../contract/test-folders.ts'
import { readServersConfig } from '../config.ts'

const { folder, closeLater } = testFolders()
let engines: InstalledEngines

beforeAll(async () => {
  engines = await installEngines(readServersConfig())
})

async function secured() {
  const certificates = await makeCertificates(await folder())
  const tls = { ca: certificates.ca, certificate: undefined, key: undefined }
  return { place: { engines, folder: await folder(), certificates, quickStart: true }, tls }
}

test('Kafka with TLS and a login', async () => {
  const { place, tls } = await secured()
  const sasl = { mechanism: 'plain', username: 'ann', password: 'of-ann' } as const
  const { brokers } = await startKafka({ ...place, sasl }).then((server) => {
    closeLater({ close: () => server.kill() })
    return server
  })
  await expect(kafkaAnswers({ brokers, tls, sasl })).resolves.toBeUndefined()
  const wrong = { ...sasl, password: 'of-bob' }
  await expect(kafkaAnswers({ brokers, tls, sasl: wrong })).rejects.toThrow(/[Aa]uthentication/)
  await expect(kafkaAnswers({ brokers, tls: undefined, sasl })).rejects.toThrow('Closed')
})

test('Cassandra with TLS and a password', async () => {
  const { place, tls } = await secured()
  const credentials = { username: 'ann', password: 'of-ann' }
  const server = await startCassandra({ ...place, credentials })
  closeLater({ close: () => server.kill() })
  const { contactPoints, localDataCenter } = server
  const address = { contactPoints, localDataCenter }
  await expect(cassandraAnswers({ ...address, tls, credentials })).resolves.toBeUndefined()
  const refused = 'All host(s) tried for query failed'
  const wrong = { ...credentials, password: 'of-bob' }
  await expect(cassandraAnswers({ ...address, tls, credentials: wrong })).rejects.toThrow(refused)
  await expect(cassandraAnswers({ ...address, tls: undefined, credentials })).rejects.toThrow(
    refused,
  )
})

test('Redis with TLS and a password', async () => {
  const { place, tls } = await secured()
  const password = 'of-all'
  const server = await startRedis({ ...place, password })
  closeLater({ close: () => server.kill() })
  const { host, port } = server
  await expect(redisAnswers({ host, port, password, tls })).resolves.toBeUndefined()
  await expect(redisAnswers({ host, port, password: undefined, tls })).rejects.toThrow('NOAUTH')
  await expect(redisAnswers({ host, port, password, tls: undefined })).rejects.toThrow(
    /closed|ECONNRESET/,
  )
})
