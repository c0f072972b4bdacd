// `cellfeed cell`: one cell as a process. This file alone picks the adapters.

import { CassandraCellStore } from '../../infra/cassandra/cell-store.ts'
import { CassandraControlStore } from '../../infra/cassandra/control-store.ts'
import { KafkaFirehose } from '../../infra/kafka/firehose.ts'
import { RedisBodyCache } from '../../infra/redis/body-cache.ts'
import { monotonicMs, systemClock } from '../../infra/system/clock.ts'
import { readLogIdentity } from '../controller/log-identity.ts'
import { readPlacement } from '../router/open-cells.ts'
import { createLog, engineLog } from '../runtime/log.ts'
import { Metrics } from '../runtime/metrics.ts'
import { cassandraAt, kafkaAt, openEngine } from '../runtime/open-engine.ts'
import { flagOfPort, type Output, type ProcessExit, runProcess } from '../runtime/run-process.ts'
import { watchKafka, watchRedis } from '../runtime/watch-engines.ts'
import type { CellConfig } from './config.ts'
import { donorOf } from './rebuild-cell.ts'
import { assertKnown, startCell } from './run.ts'

/** Resolves with the exit code when the process is to end. */
export function runCell(config: CellConfig, output: Output): Promise<ProcessExit> {
  return runProcess(
    async (closing, stopping) => {
      const clock = systemClock
      const { name, prefix, kafka, cassandra, redis, enginePatienceMs: patienceMs } = config
      const log = createLog(config.logLevel).child({ process: 'cell', cell: name })
      const metrics = new Metrics()
      const patience = { clock, log, patienceMs, signal: stopping }

      const control = await openEngine(
        cassandraAt(cassandra.contactPoints),
        () => CassandraControlStore.open({ ...cassandra, prefix }),
        patience,
      )
      closing.add(() => control.close())
      const identity = await readLogIdentity(control)
      const { placement } = await readPlacement(control)
      assertKnown(name, placement)
      const store = await openEngine(
        cassandraAt(cassandra.contactPoints),
        () => CassandraCellStore.open({ ...cassandra, prefix, cell: name }),
        patience,
      )
      closing.add(() => store.close())
      // A cell does without its cache: one that does not answer is only told of.
      const cache = await RedisBodyCache.open({
        ...redis,
        prefix,
        cell: name,
        onChange: ({ isUp, detail }) => {
          if (isUp) log.info({ engine: 'Redis', detail }, 'cache is there')
          else log.warn({ engine: 'Redis', detail }, 'cache is away: reads are slower')
        },
      })
      closing.add(() => cache.close())
      watchRedis(metrics, () => cache.status())
      const firehose = await openEngine(
        kafkaAt(kafka.brokers),
        () =>
          KafkaFirehose.open({
            ...kafka,
            prefix,
            clientId: `${prefix}-${name}`,
            identity,
            log: engineLog(log, 'Kafka'),
            limits: { openMs: patienceMs },
          }),
        patience,
      )
      closing.add(() => firehose.close())
      watchKafka(metrics, () => firehose.counts)
      const { rebuild, acceptLoss, cellLimits: limits } = config
      const openDonor = async () => {
        const cell = donorOf(name, rebuild?.donor, placement)
        const donor = await CassandraCellStore.open({ ...cassandra, prefix, cell })
        closing.add(() => donor.close())
        return donor
      }
      const sources = new Map<string, Promise<CassandraCellStore>>()
      const openSource = (cell: string) => {
        const opened = sources.get(cell) ?? CassandraCellStore.open({ ...cassandra, prefix, cell })
        sources.set(cell, opened)
        // One that could not be opened is tried again.
        opened.catch(() => sources.delete(cell))
        return opened
      }
      closing.add(async () => {
        for (const opened of sources.values()) await (await opened).close()
      })
      return startCell(
        { clock, monotonicMs, control, firehose, store, cache, openSource },
        {
          ...config,
          placement,
          limits,
          metrics,
          log,
          openDonor: rebuild === undefined ? undefined : openDonor,
          acceptLoss,
          note: output.note,
        },
        { closing, stopping },
      )
    },
    output,
    flagOfPort(config),
  )
}
