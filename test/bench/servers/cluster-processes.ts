// A cluster of real processes, as `cellfeed init`, `cell` and `gateway` start them, from what `make build` made: one cell, which
// has the benches' readers from its first start on.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { CassandraControlStore } from '../../../infra/cassandra/control-store.ts'
import { nextBoot } from '../../../services/controller/boots.ts'
import { readLogIdentity } from '../../../services/controller/log-identity.ts'
import { cassandraOptions, dropNames, openParts, seedCell } from './cell-parts.ts'
import { CpuMeter, pidListeningOn } from './cpu-meter.ts'
import type { BenchFlags } from './engines.ts'
import { READERS } from './follow-graph.ts'
import { portOf } from './peer-run.ts'

const PROGRAM = fileURLToPath(new URL('../../../dist/services/cli/main.js', import.meta.url))
const CELL = 'cell-1'

export class ClusterProcesses {
  readonly gatewayAddress: string
  readonly #flags: BenchFlags
  readonly #gateway: ChildProcess
  #cell: ChildProcess

  private constructor(flags: BenchFlags, cell: ServerProcess, gateway: ServerProcess) {
    this.#flags = flags
    this.#cell = cell.child
    this.#gateway = gateway.child
    this.gatewayAddress = /API ([\w.:[\]]+)/.exec(gateway.ready)?.[1] ?? ''
  }

  static async start(flags: BenchFlags): Promise<ClusterProcesses> {
    const engines = engineFlags(flags)
    const one = ['--cells', '1', '--partitions', '8', '--replication', '1']
    await ended((await startServer('init', [...engines, ...one])).child)
    await seed(flags)
    const cell = await startCell(flags)
    const gateway = await startServer('gateway', [...engines, ...anyPort()])
    return new ClusterProcesses(flags, cell, gateway)
  }

  meter(others: Readonly<Record<string, number | undefined>> = {}): CpuMeter {
    const { kafka, cassandra, redis } = this.#flags.engines
    return new CpuMeter({
      gateway: this.#gateway.pid,
      cell: this.#cell.pid,
      ...others,
      kafka: pidListeningOn(portOf(kafka)),
      cassandra: pidListeningOn(portOf(cassandra)),
      redis: pidListeningOn(redis.port),
    })
  }

  /** Drains, takes its checkpoint, and starts with nothing in memory but what a start loads. */
  async restartCell(): Promise<void> {
    await end(this.#cell)
    this.#cell = (await startCell(this.#flags)).child
  }

  async end(): Promise<void> {
    await end(this.#gateway)
    await end(this.#cell)
    await dropNames(this.#flags, CELL)
  }
}

type ServerProcess = { readonly child: ChildProcess; readonly ready: string }

function startCell(flags: BenchFlags): Promise<ServerProcess> {
  const { host, port } = flags.engines.redis
  const own = ['--name', CELL, '--redis', `redis://${host}:${port}/0`]
  return startServer('cell', [...engineFlags(flags), ...own, ...anyPort()])
}

/** Under a boot of its own, so that the cell's first start comes after it. */
async function seed(flags: BenchFlags): Promise<void> {
  const control = await CassandraControlStore.open(cassandraOptions(flags))
  const identity = await readLogIdentity(control)
  await nextBoot(control)
  await control.close()
  const parts = await openParts(flags, identity, CELL)
  await seedCell(parts, { users: READERS, readers: READERS, windowPosts: 0, spanMs: 0 })
  await parts.close()
}

function engineFlags({ engines, prefix }: BenchFlags): string[] {
  const at = ['--kafka', engines.kafka, '--cassandra', engines.cassandra]
  return [...at, '--datacenter', engines.dataCenter, '--prefix', prefix, '--log-level', 'warn']
}

function anyPort(): string[] {
  return ['--port', '0', '--status-port', '0']
}

/** Resolves when it says that it is ready. */
async function startServer(command: string, flags: readonly string[]): Promise<ServerProcess> {
  const child = spawn(process.execPath, [PROGRAM, command, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('ready: ')) continue
    child.stdout.resume()
    return { child, ready: line }
  }
  throw new Error(`cellfeed ${command} ended with code ${String(child.exitCode)}`)
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  await ended(child)
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
