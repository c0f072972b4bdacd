// Starts what does not run yet of a cluster of processes: engines, then cells, then those who answer clients.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startCassandra } from '../../infra/local/cassandra.ts'
import { ENGINE_VERSIONS } from '../../infra/local/engine-jars.ts'
import { installEngines } from '../../infra/local/installed-engines.ts'
import { startKafka } from '../../infra/local/kafka.ts'
import { LocalServer } from '../../infra/local/local-server.ts'
import { startRedis } from '../../infra/local/redis.ts'
import { type Noted, readNoted, stillRunning, writeNoted } from './cluster-state.ts'
import type { ClusterConfig } from './config.ts'
import { cliPath, nodeFlags } from '../demo/cluster-process.ts'
import { ENGINE_PORTS, initArgs, type PlannedProcess, plannedProcesses } from './plan.ts'
import { birthOf } from './process-birth.ts'

const READY_WITHIN_MS = 120_000
const ANSWER_MS_MAX = 2_000
// A cluster to try things on: soon there rather than fast.
const quickStart = true

export async function upProcesses(config: ClusterConfig, say: (line: string) => void) {
  const cluster = RunningCluster.find(config)
  const engines = await installEngines(config)
  const { kafka, cassandra, redis } = ENGINE_PORTS
  say(
    `Kafka ${ENGINE_VERSIONS.kafka}, Cassandra ${ENGINE_VERSIONS.cassandra} and Redis as processes`,
  )

  const start = async (name: string, what: (place: EnginePlace) => Promise<unknown>) => {
    if (cluster.has(name)) return say(`  ${name} runs already`)
    const startedMs = performance.now()
    const adopt = (_: string, pid: number) => cluster.note(name, pid)
    await what({ folder: join(cluster.folder, name), adopt })
    say(`  ${name} ready after ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`)
  }
  await Promise.all([
    start('kafka', (place) => startKafka({ ...place, engines, quickStart, ports: [kafka] })),
    start('cassandra', (place) =>
      startCassandra({ ...place, engines, quickStart, port: cassandra }),
    ),
    start('redis', (place) => startRedis({ ...place, engines, port: redis })),
  ])
  await promisify(execFile)(process.execPath, [cliPath, ...initArgs(config.cells)])
  say('cellfeed, each with its log in a folder of its own')
  // One after another: first starts make many rows, and have one Cassandra among them.
  for (const planned of plannedProcesses(config.cells)) {
    await start(planned.name, (place) => startPlanned(planned, place))
  }
}

type EnginePlace = { readonly folder: string; readonly adopt: (name: string, pid: number) => void }

function startPlanned({ name, statusPort, args }: PlannedProcess, place: EnginePlace) {
  return LocalServer.start({
    ...place,
    name,
    program: process.execPath,
    args: [...nodeFlags, cliPath, ...args],
    ports: [statusPort],
    answers: async () => {
      const signal = AbortSignal.timeout(ANSWER_MS_MAX)
      const page = await fetch(`http://127.0.0.1:${statusPort}/healthz/ready`, { signal })
      if (!page.ok) throw new Error(`${name} is ${(await page.text()).trim()}`)
    },
    readyWithinMs: READY_WITHIN_MS,
  })
}

/** Notes each process of the cluster as it starts. */
class RunningCluster {
  readonly folder: string
  #noted: Noted

  private constructor(folder: string, noted: Noted) {
    this.folder = folder
    this.#noted = noted
  }

  static find({ folder, cells }: ClusterConfig): RunningCluster {
    const noted = readNoted(folder)
    const processes = noted === undefined ? [] : stillRunning(noted)
    return new RunningCluster(folder, { engines: 'processes', cells, processes })
  }

  has(name: string): boolean {
    return this.#noted.processes.some((one) => one.name === name)
  }

  note(name: string, pid: number): void {
    const birth = birthOf(pid)
    if (birth === undefined) return
    this.#noted = { ...this.#noted, processes: [...this.#noted.processes, { name, pid, birth }] }
    writeNoted(this.folder, this.#noted)
  }
}
