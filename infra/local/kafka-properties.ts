// server.properties of one Kafka node that is broker and controller at once, tuned for a machine of few cores.

import type { KafkaSasl } from '../kafka/kafka-options.ts'
import type { LocalCertificates } from './certificates.ts'

export type KafkaNode = {
  readonly id: number
  /** For clients, for the other brokers, for the other controllers. */
  readonly clientPort: number
  readonly brokerPort: number
  readonly controllerPort: number
  readonly dataFolder: string
}
export type KafkaSecurity = {
  readonly sasl: KafkaSasl | undefined
  readonly certificates: LocalCertificates | undefined
}

/** Of one node among `nodes`; topics that Kafka makes for itself have as many copies as there are nodes, at most 3. */
export function kafkaProperties(
  node: KafkaNode,
  nodes: readonly KafkaNode[],
  security: KafkaSecurity,
): string {
  const copies = Math.min(nodes.length, 3)
  const inSyncMin = Math.max(copies - 1, 1)
  const addresses = `CLIENT://127.0.0.1:${node.clientPort},BROKER://127.0.0.1:${node.brokerPort}`
  return linesOf({
    'process.roles': 'broker,controller',
    'node.id': node.id,
    'controller.quorum.voters': nodes
      .map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`)
      .join(','),
    listeners: `${addresses},CONTROLLER://127.0.0.1:${node.controllerPort}`,
    'advertised.listeners': addresses,
    'inter.broker.listener.name': 'BROKER',
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': `CLIENT:${clientProtocol(security)},BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT`,
    'log.dirs': node.dataFolder,
    'auto.create.topics.enable': false,
    'default.replication.factor': copies,
    'min.insync.replicas': inSyncMin,
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': inSyncMin,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': inSyncMin,
    // The first member of a group need not wait for others.
    'group.initial.rebalance.delay.ms': 0,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 2,
    'log.cleaner.dedupe.buffer.size': 16 << 20,
    ...saslProperties(security.sasl),
    ...tlsProperties(security.certificates),
  })
}

function clientProtocol({ sasl, certificates }: KafkaSecurity): string {
  const transport = certificates === undefined ? 'PLAINTEXT' : 'SSL'
  if (sasl === undefined) return transport
  return certificates === undefined ? 'SASL_PLAINTEXT' : 'SASL_SSL'
}

type Properties = Readonly<Record<string, string | number | boolean>>

function saslProperties(sasl: KafkaSasl | undefined): Properties {
  if (sasl === undefined) return {}
  const mechanism = sasl.mechanism.toUpperCase()
  const listener = `listener.name.client.${sasl.mechanism}`
  // With SCRAM the users are in the cluster's metadata, put there when the node is formatted.
  const login =
    sasl.mechanism === 'plain'
      ? `org.apache.kafka.common.security.plain.PlainLoginModule required user_${sasl.username}="${sasl.password}";`
      : 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  return {
    'listener.name.client.sasl.enabled.mechanisms': mechanism,
    [`${listener}.sasl.jaas.config`]: login,
  }
}

function tlsProperties(certificates: LocalCertificates | undefined): Properties {
  if (certificates === undefined) return {}
  return {
    'listener.name.client.ssl.keystore.type': 'PKCS12',
    'listener.name.client.ssl.keystore.location': certificates.keystorePath,
    'listener.name.client.ssl.keystore.password': certificates.keystorePassword,
    'listener.name.client.ssl.key.password': certificates.keystorePassword,
  }
}

function linesOf(properties: Properties): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}
