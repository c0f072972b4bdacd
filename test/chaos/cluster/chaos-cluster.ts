// A cluster of its own to be hurt: Kafka, Cassandra and Redis as processes, two cells and a gateway before them, each a server
// that can be killed, stopped and started again.

import { join } from 'node:path'
import { startCassandra } from '../../../infra/local/cassandra.ts'
import { freePorts } from '../../../infra/local/free-ports.ts'
import { installEngines } from '../../../infra/local/installed-engines.ts'
import {
  type LocalKafkaCluster,
  type LocalKafkaOptions,
  startKafka,
  startKafkaCluster,
} from '../../../infra/local/kafka.ts'
import type { LocalServer } from '../../../infra/local/local-server.ts'
import { type LocalRedis, startRedis } from '../../../infra/local/redis.ts'
import type { Flags } from '../../servers/cluster/cellfeed-process.ts'
import { readServersConfig } from '../../servers/config.ts'
import { runCellfeed, startCellfeed } from './cellfeed-process.ts'
import { supervised } from './server.ts'
import { type ClusterPlan, cellFlags, partitions, prefix } from './cluster-plan.ts'
import { makeTopics } from './make-topics.ts'

export type ChaosCluster = {
  /** Of the gateway. */
  readonly address: string
  readonly brokers: readonly LocalServer[]
  readonly cassandra: LocalServer
  readonly redis: LocalRedis
  readonly kafkaAt: readonly string[]
  readonly gateway: LocalServer
  readonly cells: readonly LocalServer[]
  /** Another process of a cell, on ports of its own; not started by this cluster, but ended with it. */
  secondProcessOf(cell: string): Promise<LocalServer>
  stop(): Promise<void>
}

export async function startChaosCluster(plan: ClusterPlan): Promise<ChaosCluster> {
  const started: LocalServer[] = []
  const note = (server: LocalServer) => {
    started.push(server)
    return server
  }
  // Nobody needs their data any more.
  const stop = async () => void (await Promise.all(started.map((server) => server.kill())))
  try {
    const engines = await startEngines(plan, note)
    const engineFlags = {
      kafka: engines.kafkaAt.join(','),
      cassandra: engines.cassandraAt,
      datacenter: engines.dataCenter,
      prefix,
    }
    await makeTopics(engines.kafkaAt)
    await runCellfeed('init', {
      ...engineFlags,
      cells: plan.cells,
      partitions,
      replication: 1,
    })
    const start = startIn(plan.folder, engineFlags)
    const { host, port } = engines.redis
    const redisFlags = { redis: `redis://${host}:${port}/0` }
    const startCell = async (name: string, cell: string) => {
      const flags = { name: cell, ...redisFlags, ...cellFlags }
      return note((await start(name, 'cell', flags)).server)
    }
    const names = Array.from({ length: plan.cells }, (_, at) => `cell-${at + 1}`)
    const cells = await Promise.all(names.map((name) => startCell(name, name)))
    const { server: gateway, address } = await start('gateway', 'gateway', {})
    note(gateway)
    const secondProcessOf = (cell: string) => startCell(`second-${cell}`, cell)
    return { ...engines, address, gateway, cells, secondProcessOf, stop }
  } catch (thrown) {
    await stop()
    throw thrown
  }
}

async function startEngines(plan: ClusterPlan, note: (server: LocalServer) => LocalServer) {
  const engines = await installEngines(readServersConfig())
  const place = (name: string) => ({ engines, folder: join(plan.folder, name), quickStart: true })
  const noted = async <S extends LocalServer>(starting: Promise<S>): Promise<S> => {
    const server = await starting
    note(server)
    return server
  }
  const kafka = startBrokers(place('kafka'), plan.brokers)
  const parts = [
    kafka.then(({ servers }) => servers.forEach(note)),
    noted(startCassandra({ ...place('cassandra'), heapMb: 768 })),
    noted(startRedis(place('redis'))),
  ] as const
  // All of them are known before a failure of one ends the others.
  await Promise.allSettled(parts)
  const [, cassandra, redis] = await Promise.all(parts)
  const { brokers: kafkaAt, servers: brokers } = await kafka
  const { contactPoints, localDataCenter: dataCenter } = cassandra
  const cassandraAt = contactPoints.join(',')
  return { kafkaAt, brokers, cassandra, cassandraAt, dataCenter, redis }
}

async function startBrokers(
  place: LocalKafkaOptions,
  count: number,
): Promise<Pick<LocalKafkaCluster, 'brokers' | 'servers'>> {
  if (count > 1) return startKafkaCluster({ ...place, brokerCount: count })
  const broker = await startKafka(place)
  return { brokers: broker.brokers, servers: [broker] }
}

function startIn(folder: string, engineFlags: Flags) {
  return async (name: string, command: 'cell' | 'gateway', flags: Flags) => {
    const [port = 0, statusPort = 0] = await freePorts(2)
    const process = {
      name,
      command,
      statusPort,
      folder: join(folder, 'cellfeed'),
      flags: { ...flags, ...engineFlags, port },
    }
    const server = await supervised(() => startCellfeed(process))
    return { server, address: `127.0.0.1:${port}` }
  }
}
