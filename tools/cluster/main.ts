// `make up` and `make down`: a whole cluster on this machine, on real Kafka, Cassandra and Redis. In containers where a
// container engine answers, else as processes. Both may be repeated.

import { mkdirSync } from 'node:fs'
import { readNoted, writeNoted } from './cluster-state.ts'
import { type ClusterConfig, readClusterConfig } from './config.ts'
import { type ComposeCommand, composeCommand, downContainers, upContainers } from './containers.ts'
import { downProcesses } from './down-processes.ts'
import { upProcesses } from './up-processes.ts'

const CELLS_IN_CONTAINERS = 2

const say = (line: string) => console.log(line)

try {
  const config = readClusterConfig()
  if (config.task === 'up') await up(config)
  else await down(config)
} catch (error) {
  console.error(`cellfeed: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

async function up(config: ClusterConfig): Promise<void> {
  const { folder, cells } = config
  const startedMs = performance.now()
  const compose = config.engines === 'processes' ? undefined : composeCommand()
  if (config.engines === 'containers' && compose === undefined) {
    throw new Error(
      'no container engine with compose answers: start one, or say --engines processes',
    )
  }
  const before = readNoted(folder)
  if (before !== undefined && before.cells !== cells) {
    throw new Error(
      `${folder} was made with ${before.cells} cells: say --cells ${before.cells}, or another --folder`,
    )
  }
  if (compose !== undefined && cells !== CELLS_IN_CONTAINERS) {
    throw new Error(
      `compose.yaml has ${CELLS_IN_CONTAINERS} cells: for ${cells} add --engines processes`,
    )
  }
  mkdirSync(folder, { recursive: true })
  if (compose !== undefined) {
    say('a container engine answers: everything runs in containers')
    writeNoted(folder, { engines: 'containers', cells, processes: [] })
    upContainers(compose)
  } else {
    say('no container engine answers: everything runs as processes')
    await upProcesses(config, say)
  }
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
  say(`ready after ${seconds} s: API 127.0.0.1:7400, admin 127.0.0.1:7401, metrics http://127.0.0.1:7402/metrics
${cells} cells; data and logs in ${folder}; make down stops it`)
}

async function down(config: ClusterConfig): Promise<void> {
  const noted = readNoted(config.folder)
  if (noted?.engines === 'containers') downContainers(composeOrThrow())
  else await downProcesses(config.folder, say)
}

function composeOrThrow(): ComposeCommand {
  const compose = composeCommand()
  if (compose !== undefined) return compose
  throw new Error('the cluster runs in containers, and the container engine does not answer')
}
