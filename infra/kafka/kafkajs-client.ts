// The door to kafkajs: its settings from ours. The adapter uses what kafkajs is good at, the protocol and its connections, and
// none of what it builds on top (docs/decisions/0009-kafkajs-without-its-consumer.md): it takes the `Cluster` that kafkajs hands
// to partition assigners, and speaks to brokers itself.
//
// Retries are switched off here: who sends a request decides whether and when to repeat it.

import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import {
  type Admin,
  type Cluster,
  type ISocketFactoryArgs,
  Kafka,
  type KafkaConfig,
  type LogEntry,
  logLevel,
  type SASLOptions,
} from 'kafkajs'
import type { KafkaLog } from './kafka-log.ts'
import type { KafkaOptions, KafkaSasl } from './kafka-options.ts'

export type ClientTimeouts = {
  readonly connectMs: number
  /** An answer that takes longer is given up. */
  readonly requestMs: number
}

export type KafkajsCluster = {
  readonly cluster: Cluster
  /** Cuts its connections: requests under way fail at once. */
  readonly cut: () => void
}

const NO_RETRY = { retries: 0, initialRetryTime: 1, maxRetryTime: 1 }
const KEEP_ALIVE_MS = 60_000

export function kafkajsCluster(
  options: KafkaOptions,
  timeouts: ClientTimeouts,
  log: KafkaLog,
): KafkajsCluster {
  const sockets = new Set<Socket>()
  const kafka = new Kafka({
    ...configOf(options, timeouts, log),
    socketFactory: (args) => trackedSocket(args, sockets),
  })
  let cluster: Cluster | undefined
  kafka.consumer({
    groupId: 'never joined',
    allowAutoTopicCreation: false,
    readUncommitted: true,
    retry: NO_RETRY,
    partitionAssigners: [
      (given) => {
        cluster = given.cluster
        return { name: 'none', version: 0, assign: async () => [], protocol: noProtocol }
      },
    ],
  })
  if (cluster === undefined) throw new Error('this version of kafkajs gives assigners no cluster')
  const cut = () => {
    for (const socket of sockets) socket.destroy(new Error('closed by this side'))
  }
  return { cluster, cut }
}

/** For what administrators do: it may take several requests, so kafkajs repeats them itself. */
export function kafkajsAdmin(
  options: KafkaOptions,
  timeouts: ClientTimeouts,
  log: KafkaLog,
): Admin {
  const retry = { retries: 5, initialRetryTime: 100, maxRetryTime: 1_000 }
  return new Kafka(configOf(options, timeouts, log)).admin({ retry })
}

function configOf(options: KafkaOptions, timeouts: ClientTimeouts, log: KafkaLog): KafkaConfig {
  const { tls, sasl } = options
  return {
    brokers: inRandomOrder(options.brokers),
    clientId: options.clientId,
    connectionTimeout: timeouts.connectMs,
    authenticationTimeout: timeouts.requestMs,
    requestTimeout: timeouts.requestMs,
    enforceRequestTimeout: true,
    retry: NO_RETRY,
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => pass(entry, log),
    ...(tls !== undefined && { ssl: { ca: tls.ca, cert: tls.certificate, key: tls.key } }),
    ...(sasl !== undefined && { sasl: credentials(sasl) }),
  }
}

/**
 * Only what is ours: kafkajs writes an authenticator with the credentials into the object it is given, and would use it again,
 * whatever the password says by then.
 */
function credentials({ mechanism, username, password }: KafkaSasl): SASLOptions {
  return { mechanism, username, password }
}

/** Whoever is first in the list answers no more first requests than the others. */
function inRandomOrder(brokers: readonly string[]): string[] {
  const order = brokers.map((broker) => ({ broker, at: Math.random() }))
  return order.sort((a, b) => a.at - b.at).map(({ broker }) => broker)
}

/** What kafkajs calls an error is often only a connection that will be made again: its user tells what matters. */
function pass({ namespace, label, log: { message, ...details } }: LogEntry, log: KafkaLog): void {
  const { timestamp: _, logger: __, stack: ___, ...rest } = details
  log.debug(message, { from: `kafkajs ${namespace}`, level: label, ...rest })
}

function trackedSocket(args: ISocketFactoryArgs, sockets: Set<Socket>): Socket {
  const { host, port, onConnect } = args
  // kafkajs types `ssl` as always there; without TLS it is null.
  const ssl = args.ssl as ISocketFactoryArgs['ssl'] | null
  const name = isIP(host) === 0 ? { servername: host } : {}
  const socket =
    ssl === null
      ? connectTcp({ host, port, noDelay: true }, onConnect)
      : connectTls({ host, port, ...name, ...ssl }, onConnect)
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  socket.setNoDelay(true)
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
  return socket
}

function noProtocol() {
  return { name: 'none', metadata: Buffer.alloc(0) }
}
