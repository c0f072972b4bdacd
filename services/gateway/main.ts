// `cellfeed gateway`: the public API as a process. This file alone picks the adapters.

import { CassandraControlStore } from '../../infra/cassandra/control-store.ts'
import { KafkaFirehose } from '../../infra/kafka/firehose.ts'
import { systemClock } from '../../infra/system/clock.ts'
import { readLogIdentity } from '../controller/log-identity.ts'
import { engineLog, createLog } from '../runtime/log.ts'
import { Metrics } from '../runtime/metrics.ts'
import { cassandraAt, kafkaAt, openEngine } from '../runtime/open-engine.ts'
import { flagOfPort, type Output, type ProcessExit, runProcess } from '../runtime/run-process.ts'
import { watchKafka } from '../runtime/watch-engines.ts'
import type { GatewayConfig } from './config.ts'
import { startGateway } from './run.ts'

/** Resolves with the exit code when the process is to end. */
export function runGateway(config: GatewayConfig, output: Output): Promise<ProcessExit> {
  return runProcess(
    async (closing, stopping) => {
      const clock = systemClock
      const log = createLog(config.logLevel).child({ process: 'gateway' })
      const metrics = new Metrics()
      const { prefix, kafka, cassandra, enginePatienceMs: patienceMs } = config
      const patience = { clock, log, patienceMs, signal: stopping }

      const control = await openEngine(
        cassandraAt(cassandra.contactPoints),
        () => CassandraControlStore.open({ ...cassandra, prefix }),
        patience,
      )
      closing.add(() => control.close())
      const identity = await readLogIdentity(control)
      const firehose = await openEngine(
        kafkaAt(kafka.brokers),
        () =>
          KafkaFirehose.open({
            ...kafka,
            prefix,
            clientId: `${prefix}-gateway`,
            identity,
            log: engineLog(log, 'Kafka'),
            limits: { openMs: patienceMs },
          }),
        patience,
      )
      closing.add(() => firehose.close())
      watchKafka(metrics, () => firehose.counts)
      return startGateway({ clock, control, firehose }, { ...config, metrics, log }, closing)
    },
    output,
    flagOfPort(config),
  )
}
