// Kafka that wants TLS and a password: with both the firehose works, and without either it says what is wrong.

import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { KafkaFirehose } from '../../../infra/kafka/firehose.ts'
import { makeCertificates } from '../../../infra/local/certificates.ts'
import { startKafka } from '../../../infra/local/kafka.ts'
import { postBy } from '../../contract/sample-events.ts'
import { type FreshLog, freshLog } from './fresh-log.ts'
import { ownPlace } from './own-brokers.ts'

const place = await ownPlace()
const certificates = await makeCertificates(join(place.folder, 'certificates'))
const sasl = { mechanism: 'scram-sha-512', username: 'cellfeed', password: 'a secret' } as const
const broker = await startKafka({ ...place, certificates, sasl })
place.atEnd(() => broker.kill())
const { brokers } = broker
const tls = { ca: certificates.ca, certificate: undefined, key: undefined }

let log: FreshLog

afterEach(() => log.close())

test('with TLS and SCRAM events are appended and read back', async () => {
  log = await freshLog({ brokers, tls, sasl, partitionsPerTopic: 1 })
  const firehose = await log.open()
  const [appended] = await firehose.append([postBy('anna', 'secret')])
  const { records } = await firehose.fetch(appended?.partition ?? -1, appended?.offset ?? -1, 1)
  expect(records).toHaveLength(1)
})

test('a wrong password and an authority that is not trusted are refused', async () => {
  log = await freshLog({ brokers, tls, sasl, partitionsPerTopic: 1 })
  const { kafka, identity } = log
  const limits = { openMs: 1, requestMs: 5_000 }
  const wrong = { ...kafka, identity, limits, sasl: { ...sasl, password: 'guessed' } }
  await expect(KafkaFirehose.open(wrong)).rejects.toMatchObject({ kind: 'refused' })
  const untrusting = { ...kafka, identity, limits, tls: { ...tls, ca: undefined } }
  await expect(KafkaFirehose.open(untrusting)).rejects.toThrow(/certificate/)
})
