// How to reach Kafka, and what the topics of a cluster are called there.

import type { TlsOptions } from '../connection/tls-options.ts'

export type KafkaOptions = {
  /** host:port each. */
  readonly brokers: readonly string[]
  /** What the brokers' logs and quotas call this process. */
  readonly clientId: string
  /** Topics are `<prefix>.public`, `<prefix>.private` and `<prefix>.dead-letter`; groups begin with it too. */
  readonly prefix: string
  readonly tls: TlsOptions | undefined
  readonly sasl: KafkaSasl | undefined
}
export type KafkaSasl = {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

export type TopicNames = {
  readonly public: string
  readonly private: string
  readonly deadLetter: string
}

export function topicNames(prefix: string): TopicNames {
  return {
    public: `${prefix}.public`,
    private: `${prefix}.private`,
    deadLetter: `${prefix}.dead-letter`,
  }
}
