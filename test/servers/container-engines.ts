// Kafka, Cassandra and Redis in containers, by testcontainers. Its reaper removes them if this process dies.

import {
  GenericContainer,
  getContainerRuntimeClient,
  type StartedTestContainer,
} from 'testcontainers'
import { cassandraAnswers, kafkaAnswers, redisAnswers } from '../../infra/local/answers.ts'
import { freePort } from '../../infra/local/free-ports.ts'
import { untilAnswered } from '../../infra/local/until-answered.ts'
import type { EngineImages } from './config.ts'
import type { Engines, StartedEngines } from './engines.ts'

const READY_WITHIN_MS = 300_000
/** Starts in half the time and then runs more slowly. */
const QUICK_START = '-XX:TieredStopAtLevel=1'

/** The host on which containers' ports appear; undefined if no container engine answers. */
export async function containerEngine(): Promise<string | undefined> {
  try {
    return (await getContainerRuntimeClient()).info.containerRuntime.host
  } catch {
    return undefined
  }
}

export async function startContainers(images: EngineImages): Promise<StartedEngines> {
  const started: StartedTestContainer[] = []
  const start = async (container: GenericContainer) => {
    const running = await container.withStartupTimeout(READY_WITHIN_MS).start()
    started.push(running)
    return running
  }
  const stop = async () =>
    void (await Promise.all(started.map((container) => container.stop({ remove: true }))))
  const parts = [
    kafka(images.kafka, start),
    cassandra(images.cassandra, start),
    redis(images.redis, start),
  ] as const
  try {
    const [kafkaPart, cassandraPart, redisPart] = await Promise.all(parts)
    const engines: Engines = { kafka: kafkaPart, cassandra: cassandraPart, redis: redisPart }
    return { engines, description: `${Object.values(images).join(', ')} as containers`, stop }
  } catch (thrown) {
    await Promise.allSettled(parts)
    await stop()
    throw thrown
  }
}

type Start = (container: GenericContainer) => Promise<StartedTestContainer>

/** A broker tells clients its address, so its port is the same inside and outside and known before it starts. */
async function kafka(image: string, start: Start): Promise<Engines['kafka']> {
  const port = await freePort()
  const host = (await containerEngine()) ?? 'localhost'
  await start(
    new GenericContainer(image).withExposedPorts({ container: port, host: port }).withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:29093',
      KAFKA_LISTENERS: `CLIENT://:${port},BROKER://localhost:29092,CONTROLLER://localhost:29093`,
      KAFKA_ADVERTISED_LISTENERS: `CLIENT://${host}:${port},BROKER://localhost:29092`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP:
        'CLIENT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_INTER_BROKER_LISTENER_NAME: 'BROKER',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '4',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_HEAP_OPTS: '-Xms256m -Xmx512m',
      KAFKA_OPTS: QUICK_START,
    }),
  )
  const brokers = [`${host}:${port}`]
  await untilAnswered(
    () => kafkaAnswers({ brokers, tls: undefined, sasl: undefined }),
    READY_WITHIN_MS,
  )
  return { brokers }
}

async function cassandra(image: string, start: Start): Promise<Engines['cassandra']> {
  const container = await start(
    new GenericContainer(image).withExposedPorts(9042).withEnvironment({
      MAX_HEAP_SIZE: '1G',
      HEAP_NEWSIZE: '256M',
      // A node alone has nobody to wait for.
      JVM_EXTRA_OPTS: `-Dcassandra.ring_delay_ms=0 -Dcassandra.skip_wait_for_gossip_to_settle=0 ${QUICK_START}`,
    }),
  )
  const address = {
    contactPoints: [`${container.getHost()}:${container.getMappedPort(9042)}`],
    localDataCenter: 'datacenter1',
  }
  await untilAnswered(
    () => cassandraAnswers({ ...address, credentials: undefined, tls: undefined }),
    READY_WITHIN_MS,
  )
  return address
}

async function redis(image: string, start: Start): Promise<Engines['redis']> {
  const container = await start(
    new GenericContainer(image)
      .withExposedPorts(6379)
      .withCommand([
        'redis-server',
        '--bind',
        '0.0.0.0',
        '--save',
        '',
        '--maxmemory',
        '256mb',
        '--maxmemory-policy',
        'allkeys-lru',
        '--protected-mode',
        'no',
      ]),
  )
  const address = { host: container.getHost(), port: container.getMappedPort(6379) }
  await untilAnswered(
    () => redisAnswers({ ...address, password: undefined, tls: undefined }),
    READY_WITHIN_MS,
  )
  return address
}
