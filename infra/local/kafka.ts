// Kafka on this machine, as child processes: one broker, or several that form a cluster. Each is controller too (KRaft).

import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { KafkaSasl } from '../kafka/kafka-options.ts'
import { kafkaAnswers } from './answers.ts'
import type { LocalCertificates } from './certificates.ts'
import { freePorts } from './free-ports.ts'
import type { InstalledEngines } from './installed-engines.ts'
import { jvmFlags } from './jvm-flags.ts'
import { type KafkaNode, kafkaProperties } from './kafka-properties.ts'
import { type Adopt, LocalServer } from './local-server.ts'

export type LocalKafkaOptions = {
  readonly engines: InstalledEngines
  /** Data, configuration and logs; an absolute path. A folder used before is gone on with. */
  readonly folder: string
  /** Where clients connect; any free ports by default. One per broker. */
  readonly ports?: readonly number[]
  readonly heapMb?: number
  readonly quickStart?: boolean
  /** See LocalServer: the server then outlives this process. */
  readonly adopt?: Adopt
  /** Clients have to log in as this user. */
  readonly sasl?: KafkaSasl
  /** Clients have to use TLS. */
  readonly certificates?: LocalCertificates
}
export type LocalKafka = LocalServer & { readonly brokers: readonly string[] }
export type LocalKafkaCluster = {
  readonly brokers: readonly string[]
  /** In the order of `brokers`. */
  readonly servers: readonly LocalServer[]
  stop(): Promise<void>
}

const HEAP_MB = 512
const READY_WITHIN_MS = 120_000

export async function startKafka(options: LocalKafkaOptions): Promise<LocalKafka> {
  const [node] = await nodesOf(options, 1)
  if (node === undefined) throw new Error('a cluster has a node')
  await prepare(options, [node])
  const server = await LocalServer.start(commandOf(options, node, [addressOf(node)]))
  return Object.assign(server, { brokers: [addressOf(node)] })
}

/** Ready when every broker knows all others. */
export async function startKafkaCluster(
  options: LocalKafkaOptions & { readonly brokerCount: number },
): Promise<LocalKafkaCluster> {
  const nodes = await nodesOf(options, options.brokerCount)
  const brokers = nodes.map(addressOf)
  await prepare(options, nodes)
  // None is ready without the others. A broker that starts again later is ready when it answers by itself.
  const starts = await Promise.allSettled(
    nodes.map((node) => LocalServer.start(commandOf(options, node, [addressOf(node)]))),
  )
  const servers = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
  const stop = async () => void (await Promise.all(servers.map((server) => server.stop())))
  const failed = starts.find((start) => start.status === 'rejected')
  if (failed !== undefined) {
    await stop()
    throw failed.reason
  }
  return { brokers, servers, stop }
}

const addressOf = (node: KafkaNode) => `127.0.0.1:${node.clientPort}`

async function nodesOf(options: LocalKafkaOptions, count: number): Promise<KafkaNode[]> {
  const free = await freePorts(count * 3)
  return Array.from({ length: count }, (_, at) => {
    const [clientPort = 0, brokerPort = 0, controllerPort = 0] = free.slice(at * 3, at * 3 + 3)
    return {
      id: at + 1,
      clientPort: options.ports?.[at] ?? clientPort,
      brokerPort,
      controllerPort,
      dataFolder: join(options.folder, `data-${at + 1}`),
    }
  })
}

/** Writes each node's configuration and, in a new folder, formats its data. */
async function prepare(options: LocalKafkaOptions, nodes: readonly KafkaNode[]): Promise<void> {
  const { folder, sasl, certificates } = options
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'log4j2.properties'), KAFKA_LOGGING)
  const clusterId = newClusterId()
  for (const node of nodes) {
    const properties = kafkaProperties(node, nodes, { sasl, certificates })
    await writeFile(propertiesPath(options, node), properties)
    if (existsSync(join(node.dataFolder, 'meta.properties'))) continue
    await format(options, node, clusterId)
  }
}

async function format(
  options: LocalKafkaOptions,
  node: KafkaNode,
  clusterId: string,
): Promise<void> {
  const { sasl } = options
  const scram =
    sasl === undefined || sasl.mechanism === 'plain'
      ? []
      : [
          '--add-scram',
          `${sasl.mechanism.toUpperCase()}=[name=${sasl.username},password=${sasl.password}]`,
        ]
  const flags = ['--cluster-id', clusterId, '--config', propertiesPath(options, node), ...scram]
  await promisify(execFile)(options.engines.java, [
    ...jvmFlags({ heapMb: 128, quickStart: true }),
    ...classesOf(options),
    'kafka.tools.StorageTool',
    'format',
    ...flags,
  ])
}

function commandOf(options: LocalKafkaOptions, node: KafkaNode, brokers: readonly string[]) {
  const { engines, folder, sasl, certificates } = options
  const { heapMb = HEAP_MB, quickStart = false, adopt } = options
  const tls = certificates && { ca: certificates.ca, certificate: undefined, key: undefined }
  return {
    name: `kafka-${node.id}`,
    program: engines.java,
    args: [
      ...jvmFlags({ heapMb, quickStart }),
      ...classesOf(options),
      `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`,
      'kafka.Kafka',
      propertiesPath(options, node),
    ],
    folder,
    answers: () => kafkaAnswers({ brokers, tls, sasl }),
    ports: [node.clientPort, node.brokerPort, node.controllerPort],
    readyWithinMs: READY_WITHIN_MS,
    adopt,
  }
}

const propertiesPath = (options: LocalKafkaOptions, node: KafkaNode) =>
  join(options.folder, `server-${node.id}.properties`)
const classesOf = (options: LocalKafkaOptions) => ['-cp', join(options.engines.kafka, '*')]

/** 128 bits as Kafka writes them; a leading dash would look like a flag. */
function newClusterId(): string {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? newClusterId() : id
}

export const KAFKA_LOGGING = `appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d %-5p %c{1}: %m%n
rootLogger.level=WARN
rootLogger.appenderRef.console.ref=console
`
