// Kafka, Cassandra and Redis as processes of this machine, in a temporary folder.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCassandra } from '../../infra/local/cassandra.ts'
import { ENGINE_VERSIONS } from '../../infra/local/engine-jars.ts'
import { type EnginePlaces, installEngines } from '../../infra/local/installed-engines.ts'
import { startKafka } from '../../infra/local/kafka.ts'
import type { LocalServer } from '../../infra/local/local-server.ts'
import { startRedis } from '../../infra/local/redis.ts'
import type { StartedEngines } from './engines.ts'

export async function startProcesses(places: EnginePlaces): Promise<StartedEngines> {
  const engines = await installEngines(places)
  const folder = await mkdtemp(join(tmpdir(), 'cellfeed-servers-'))
  const started: LocalServer[] = []
  const note = <S extends LocalServer>(server: S): S => {
    started.push(server)
    return server
  }
  const stop = async () => {
    // Their data is thrown away, so nobody has to wait until they have put it in order.
    await Promise.all(started.map((server) => server.kill()))
    await rm(folder, { recursive: true, force: true })
  }
  const place = (name: string) => ({ engines, folder: join(folder, name), quickStart: true })
  // Nobody kills these: who does starts servers of their own.
  const parts = [
    startKafka(place('kafka')).then(note),
    startCassandra({ ...place('cassandra'), commitLog: 'periodic' }).then(note),
    startRedis(place('redis')).then(note),
  ] as const
  try {
    const [kafka, cassandra, redis] = await Promise.all(parts)
    return {
      engines: {
        kafka: { brokers: [...kafka.brokers] },
        cassandra: {
          contactPoints: [...cassandra.contactPoints],
          localDataCenter: cassandra.localDataCenter,
        },
        redis: { host: redis.host, port: redis.port },
      },
      description: `Kafka ${ENGINE_VERSIONS.kafka}, Cassandra ${ENGINE_VERSIONS.cassandra}, Redis as processes`,
      stop,
    }
  } catch (thrown) {
    await Promise.allSettled(parts)
    await stop()
    throw thrown
  }
}
