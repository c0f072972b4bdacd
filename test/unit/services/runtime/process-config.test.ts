// Flags and environment of the processes of a cluster: what they mean, secrets that never stand on a command line, and that
// every mistake is told at once.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CELL_FLAGS, parseCellConfig } from '../../../../services/cell/config.ts'
import { CONTROLLER_FLAGS, parseControllerConfig } from '../../../../services/controller/config.ts'
import { GATEWAY_FLAGS, parseGatewayConfig } from '../../../../services/gateway/config.ts'
import { INIT_FLAGS, parseInitConfig } from '../../../../services/init/config.ts'
import { parseRouterConfig, ROUTER_FLAGS } from '../../../../services/router/config.ts'
import { type ConfigErrors, isConfigErrors, type Raw } from '../../../../services/runtime/flags.ts'

const certificates = join(import.meta.dirname, '../../../data/tls')
const pem = (name: string) => join(certificates, name)
let folder: string
let passwordFile: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cellfeed-config-'))
  passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, 'a secret\n')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function accepted<Config extends object>(config: Config | ConfigErrors): Config {
  if (isConfigErrors(config)) throw new Error(config.errors.join('; '))
  return config
}

function refused(config: object): readonly string[] {
  return isConfigErrors(config) ? config.errors : []
}

const cell = (raw: Raw, environment = {}) =>
  parseCellConfig({ name: 'cell-1', ...raw }, environment)
const gateway = (raw: Raw, environment = {}) => parseGatewayConfig(raw, environment)

test('nothing given means the engines of this machine, and ports that go together', () => {
  const config = accepted(cell({}))
  expect(config).toMatchObject({
    kafka: { brokers: ['127.0.0.1:9092'], tls: undefined, sasl: undefined },
    cassandra: { contactPoints: ['127.0.0.1:9042'], localDataCenter: 'datacenter1' },
    redis: { host: '127.0.0.1', port: 6379, database: 0, tls: undefined },
    prefix: 'cellfeed',
    port: 7410,
    statusPort: 7411,
    leaseMs: 6_000,
    rebuild: undefined,
  })
  expect(Object.isFrozen(config)).toBe(true)
  const ports = [
    accepted(gateway({})),
    accepted(parseControllerConfig({}, {})),
    accepted(parseRouterConfig({}, {})),
    config,
  ].flatMap(({ port, statusPort }) => [port, statusPort])
  expect(new Set(ports).size).toBe(ports.length)
})

test('lists of hosts and addresses of Redis are read', () => {
  const config = accepted(
    cell(
      { kafka: 'a:1, [::1]:2', redis: 'rediss://app@cache:7000/3' },
      {
        CELLFEED_REDIS_PASSWORD: 'x',
      },
    ),
  )
  expect(config.kafka.brokers).toEqual(['a:1', '[::1]:2'])
  expect(config.redis).toEqual({
    host: 'cache',
    port: 7000,
    database: 3,
    username: 'app',
    password: 'x',
    tls: { ca: undefined, certificate: undefined, key: undefined },
  })
})

describe('secrets', () => {
  test('come from files, without the line end, or from the environment', () => {
    const raw = { kafkaSaslMechanism: 'scram-sha-512', kafkaSaslUsername: 'app' }
    const sasl = { mechanism: 'scram-sha-512', username: 'app' }
    const fromFile = accepted(gateway({ ...raw, kafkaSaslPasswordFile: passwordFile }))
    expect(fromFile.kafka.sasl).toEqual({ ...sasl, password: 'a secret' })
    const fromVariable = accepted(gateway(raw, { CELLFEED_KAFKA_SASL_PASSWORD: 'other' }))
    expect(fromVariable.kafka.sasl).toEqual({ ...sasl, password: 'other' })
  })

  test('are no flags of any command', () => {
    const all = [CELL_FLAGS, GATEWAY_FLAGS, CONTROLLER_FLAGS, ROUTER_FLAGS, INIT_FLAGS].flat()
    const secret = all.filter(({ key }) => /password$/i.test(key))
    expect(secret.length).toBeGreaterThan(0)
    expect(secret.filter(({ flags }) => flags !== undefined)).toEqual([])
  })

  test.each([
    ['in an address', { redis: 'redis://:pw@h:1/0' }, {}, '--redis holds a password'],
    ['without a user', { cassandraPasswordFile: 'FILE' }, {}, '--cassandra-username and'],
    ['twice', { redisPasswordFile: 'FILE' }, { CELLFEED_REDIS_PASSWORD: 'x' }, 'give one of them'],
    ['in no file', { redisPasswordFile: '/nowhere/at/all' }, {}, 'can not read /nowhere/at/all'],
    ['of a mechanism unnamed', { kafkaSaslUsername: 'app' }, {}, '--kafka-sasl-mechanism,'],
  ])('%s are refused', (_, raw, environment, line) => {
    const given = Object.entries(raw).map(([key, value]) => {
      return [key, value === 'FILE' ? passwordFile : value] as const
    })
    const errors = refused(cell(Object.fromEntries(given), environment))
    expect(errors).toHaveLength(1)
    expect(errors[0]).toContain(line)
  })
})

describe('TLS', () => {
  test('to an engine begins with whom to trust', () => {
    const { kafka } = accepted(gateway({ kafkaTlsCa: pem('authority.pem') }))
    expect(kafka.tls?.ca).toContain('BEGIN CERTIFICATE')
    expect(accepted(gateway({ cassandraTlsCa: 'system' })).cassandra.tls).toMatchObject({
      ca: undefined,
    })
  })

  test.each([
    ['a certificate without its key', { tlsCert: pem('process.pem') }, '--tls-cert and --tls-key'],
    ['authorities alone', { tlsCa: pem('authority.pem') }, '--tls-ca needs both'],
    [
      'a key of another certificate',
      { tlsCert: pem('process.pem'), tlsKey: pem('stranger.key') },
      'can not be used',
    ],
    ['no PEM', { kafkaTlsCa: pem('README.md') }, '--kafka-tls-ca wants a file in PEM format'],
    [
      'a certificate for an engine that is not spoken to by TLS',
      { kafkaTlsCert: pem('process.pem'), kafkaTlsKey: pem('process.key') },
      '--kafka-tls-cert needs --kafka-tls-ca',
    ],
  ])('%s is refused', (_, raw, line) => {
    const errors = refused(gateway(raw))
    expect(errors).toHaveLength(1)
    expect(errors[0]).toContain(line)
  })
})

test('all mistakes of a cell are told at once', () => {
  expect(
    refused(
      parseCellConfig({ prefix: 'My-Feeds', port: 'x' }, { CELLFEED_CASSANDRA: 'somewhere' }),
    ),
  ).toEqual([
    '--cassandra (from CELLFEED_CASSANDRA) wants host:port, or several with commas between',
    '--prefix wants 1-32 small letters, digits or _, a letter first',
    '--port wants a whole number from 0 to 65535',
    '--name has to be given: cell-1, cell-2, ...',
  ])
  expect(refused(cell({ host: '0.0.0.0', lease: '2s', donor: 'cell-2' }))).toHaveLength(3)
  expect(refused(cell({ port: '7500', statusPort: '7500' }))).toEqual([
    '--port and --status-port have to be different',
  ])
})

test('init takes its numbers, and a flag without a value', () => {
  expect(accepted(parseInitConfig({ print: true, cells: '3' }, {}))).toMatchObject({
    print: true,
    cells: 3,
    partitions: undefined,
    replication: { kafka: 3, cassandra: 3 },
  })
  const uneven = accepted(parseInitConfig({ replication: '3', kafkaReplication: '2' }, {}))
  expect(uneven.replication).toEqual({ kafka: 2, cassandra: 3 })
  expect(accepted(parseInitConfig({}, { CELLFEED_PRINT: 'true' })).print).toBe(true)
  expect(refused(parseInitConfig({ replication: '0', partitions: 'all' }, {}))).toHaveLength(2)
})

test('every flag of a process has a variable of its own', () => {
  for (const flags of [CELL_FLAGS, GATEWAY_FLAGS, CONTROLLER_FLAGS, ROUTER_FLAGS, INIT_FLAGS]) {
    const names = flags.map(({ environment }) => environment)
    expect(new Set(names).size).toBe(names.length)
  }
})
