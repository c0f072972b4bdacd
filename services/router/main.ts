// `cellfeed router`: tells clients in which cell a user lives. This file alone picks the adapters.

import { CassandraControlStore } from '../../infra/cassandra/control-store.ts'
import { systemClock } from '../../infra/system/clock.ts'
import { createLog } from '../runtime/log.ts'
import { Metrics } from '../runtime/metrics.ts'
import { cassandraAt, openEngine } from '../runtime/open-engine.ts'
import { flagOfPort, type Output, type ProcessExit, runProcess } from '../runtime/run-process.ts'
import type { RouterConfig } from './config.ts'
import { startRouter } from './run.ts'

/** Resolves with the exit code when the process is to end. */
export function runRouter(config: RouterConfig, output: Output): Promise<ProcessExit> {
  return runProcess(
    async (closing, stopping) => {
      const clock = systemClock
      const log = createLog(config.logLevel).child({ process: 'router' })
      const { prefix, cassandra, enginePatienceMs: patienceMs } = config
      const control = await openEngine(
        cassandraAt(cassandra.contactPoints),
        () => CassandraControlStore.open({ ...cassandra, prefix }),
        { clock, log, patienceMs, signal: stopping },
      )
      closing.add(() => control.close())
      return startRouter({ clock, control }, { ...config, metrics: new Metrics(), log }, closing)
    },
    output,
    flagOfPort(config),
  )
}
