// How a process is told where Kafka is and how to be let in.

import { z } from 'zod'
import { fileText, type Flag, flag, hostPorts, pemText, secretVariable } from './flags.ts'
import { authorities, secretOf, type TlsConfig, tlsFlagsOf, tlsOf } from './tls-flags.ts'

export type KafkaConfig = {
  readonly brokers: readonly string[]
  readonly tls: TlsConfig | undefined
  readonly sasl: KafkaSaslConfig | undefined
}
export type KafkaSaslConfig = {
  readonly mechanism: (typeof MECHANISMS)[number]
  readonly username: string
  readonly password: string
}

const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

export const KAFKA_FIELDS = {
  kafka: hostPorts().default(['127.0.0.1:9092']),
  kafkaSaslMechanism: z.enum(MECHANISMS, `wants one of ${MECHANISMS.join(', ')}`).optional(),
  kafkaSaslUsername: z.string().optional(),
  kafkaSaslPasswordFile: fileText().optional(),
  kafkaSaslPassword: z.string().optional(),
  kafkaTlsCa: authorities(),
  kafkaTlsCert: pemText().optional(),
  kafkaTlsKey: pemText().optional(),
}
type Given = z.output<z.ZodObject<typeof KAFKA_FIELDS>>

export const KAFKA_FLAGS: readonly Flag[] = [
  flag(
    '--kafka <host:port,...>',
    'kafka',
    'some brokers of the Kafka cluster (default: 127.0.0.1:9092)',
  ),
  flag('--kafka-sasl-mechanism <name>', 'kafkaSaslMechanism', MECHANISMS.join(', ')),
  flag('--kafka-sasl-username <name>', 'kafkaSaslUsername', 'who this process is to Kafka'),
  flag(
    '--kafka-sasl-password-file <file>',
    'kafkaSaslPasswordFile',
    'its password (or in CELLFEED_KAFKA_SASL_PASSWORD)',
  ),
  secretVariable('kafkaSaslPassword', 'the password itself'),
  ...tlsFlagsOf('kafka', 'Kafka'),
]

/** What does not fit together is pushed to `errors`. */
export function kafkaConfigOf(given: Given, errors: string[]): KafkaConfig {
  const tlsGiven = {
    ca: given.kafkaTlsCa,
    certificate: given.kafkaTlsCert,
    key: given.kafkaTlsKey,
  }
  const tls = tlsOf(tlsGiven, 'kafka', errors)
  return Object.freeze({ brokers: given.kafka, tls, sasl: saslOf(given, errors) })
}

function saslOf(given: Given, errors: string[]): KafkaSaslConfig | undefined {
  const { kafkaSaslMechanism: mechanism, kafkaSaslUsername: username } = given
  const password = secretOf(
    { file: given.kafkaSaslPasswordFile, variable: given.kafkaSaslPassword },
    { file: '--kafka-sasl-password-file', variable: 'CELLFEED_KAFKA_SASL_PASSWORD' },
    errors,
  )
  if (mechanism === undefined && username === undefined && password === undefined) return undefined
  if (mechanism === undefined || username === undefined || password === undefined) {
    errors.push(
      '--kafka-sasl-mechanism, --kafka-sasl-username and --kafka-sasl-password-file go together: give all, or none',
    )
    return undefined
  }
  return Object.freeze({ mechanism, username, password })
}
