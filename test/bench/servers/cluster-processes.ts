// A cluster of real processes, as `cellfeed init`, `cell` and `gateway` start them, from what `make build` made: one cell, which
// has the benches' readers from its first start on.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CassandraControlStore } from '../../../infra/cassandra/control-store.ts'
import { freePorts } from '../../../infra/local/free-ports.ts'
import type { LocalServer } from '../../../infra/local/local-server.ts'
import { nextBoot } from '../../../services/controller/boots.ts'
import { readLogIdentity } from '../../../services/controller/log-identity.ts'
import { runCellfeed, startCellfeed } from '../../chaos/cluster/cellfeed-process.ts'
import type { Flags } from '../../servers/cluster/cellfeed-process.ts'
import { cassandraOptions, dropNames, openParts, seedCell } from './cell-parts.ts'
import { CpuMeter, pidListeningOn } from '../cpu-meter.ts'
import type { BenchFlags } from './engines.ts'
import { READERS } from './follow-graph.ts'
import { portOf } from './peer-run.ts'

const CELL = 'cell-1'
/** A process rests that is on a core for less than this share of so long. */
const RESTING_MS = 3_000
const RESTING_SHARE = 0.1
const RESTING_WITHIN_MS = 300_000

export class ClusterProcesses {
  readonly gatewayAddress: string
  readonly #flags: BenchFlags
  readonly #folder: string
  readonly #gateway: LocalServer
  readonly #cell: LocalServer

  private constructor(started: {
    readonly flags: BenchFlags
    readonly folder: string
    readonly cell: LocalServer
    readonly gateway: LocalServer
    readonly gatewayPort: number
  }) {
    this.gatewayAddress = `127.0.0.1:${started.gatewayPort}`
    this.#flags = started.flags
    this.#folder = started.folder
    this.#cell = started.cell
    this.#gateway = started.gateway
  }

  static async start(flags: BenchFlags): Promise<ClusterProcesses> {
    const folder = await mkdtemp(join(tmpdir(), 'cellfeed-bench-'))
    const common = commonFlags(flags)
    await runCellfeed('init', { ...common, cells: 1, partitions: 8, replication: 1 })
    await seed(flags)
    const [cellPort = 0, cellStatus = 0, gatewayPort = 0, gatewayStatus = 0] = await freePorts(4)
    const { host, port } = flags.engines.redis
    const cell = await startCellfeed({
      name: CELL,
      folder,
      statusPort: cellStatus,
      command: 'cell',
      flags: { ...common, name: CELL, redis: `redis://${host}:${port}/0`, port: cellPort },
    })
    const gateway = await startCellfeed({
      name: 'gateway',
      folder,
      statusPort: gatewayStatus,
      command: 'gateway',
      flags: { ...common, port: gatewayPort },
    })
    return new ClusterProcesses({ flags, folder, cell, gateway, gatewayPort })
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

  /** Resolves when what was published is written, the checkpoint taken, and the server has sorted its files. */
  async resting(): Promise<void> {
    for (let waitedMs = 0; waitedMs < RESTING_WITHIN_MS; waitedMs += RESTING_MS) {
      const meter = this.meter()
      await sleep(RESTING_MS)
      if (meter.share('cell') < RESTING_SHARE && meter.share('cassandra') < RESTING_SHARE) return
    }
    throw new Error('cell and Cassandra do not come to rest')
  }

  /** Drains, takes its checkpoint, and starts with nothing in memory but what a start loads. */
  async restartCell(): Promise<void> {
    await this.#cell.stop()
    await this.#cell.start()
  }

  async end(): Promise<void> {
    await this.#gateway.stop()
    await this.#cell.stop()
    await dropNames(this.#flags, CELL)
    await rm(this.#folder, { recursive: true })
  }
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

function commonFlags({ engines, prefix }: BenchFlags): Flags {
  const { kafka, cassandra, dataCenter } = engines
  return { kafka, cassandra, datacenter: dataCenter, prefix, 'log-level': 'warn' }
}
