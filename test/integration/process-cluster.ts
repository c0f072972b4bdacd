// The processes of a cluster, each put together as its main does, in this one process on adapters in memory: so that what is
// between them (connections, announcements, TLS) is real, and engines are not needed.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CELL_LIMITS } from '../../cells/model/cell-limits.ts'
import { MemoryBodyCache } from '../../infra/memory/body-cache.ts'
import { MemoryCellStore } from '../../infra/memory/cell-store.ts'
import { MemoryControlStore } from '../../infra/memory/control-store.ts'
import { MemoryFirehose } from '../../infra/memory/firehose.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import { systemClock } from '../../infra/system/clock.ts'
import { startCell } from '../../services/cell/run.ts'
import type { ClientTls } from '../../services/client/connect.ts'
import { placementFor } from '../../services/controller/first-placement.ts'
import { logIdentityFor } from '../../services/controller/log-identity.ts'
import { startController } from '../../services/controller/run.ts'
import { startGateway } from '../../services/gateway/run.ts'
import { startRouter } from '../../services/router/run.ts'
import { Closing } from '../../services/runtime/closing.ts'
import { createLog } from '../../services/runtime/log.ts'
import { Metrics } from '../../services/runtime/metrics.ts'
import type { ProcessTls } from '../../services/runtime/process-flags.ts'
import type { Running } from '../../services/runtime/run-process.ts'

const certificates = join(import.meta.dirname, '../data/tls')
const pem = (name: string) => readFileSync(join(certificates, name), 'utf8')

/** Signed by the authority that all processes trust, or by nobody. */
export function tlsOf(who: 'process' | 'stranger'): ProcessTls & ClientTls {
  const ca = pem('authority.pem')
  return { ca, certificate: pem(`${who}.pem`), key: pem(`${who}.key`) }
}

export class ProcessCluster {
  readonly control = new MemoryControlStore()
  readonly firehose = new MemoryFirehose({ clock: systemClock, logId: 'the log of this test' })
  readonly #tls: ProcessTls | undefined
  readonly #stores = new Map<string, MemoryCellStore>()
  readonly #closing = new Closing()
  readonly #cells = new Map<string, Closing>()

  constructor(tls?: ProcessTls) {
    this.#tls = tls
  }

  async setUp(cells: number): Promise<void> {
    await placementFor(this.control, cells)
    const { partitionsPerTopic } = this.firehose.identity
    await logIdentityFor(this.control, { partitionsPerTopic, kafkaClusterId: 'none' })
  }

  /** `control`: as this process sees it. */
  async cell(name: string, control: ControlStore = this.control): Promise<Running> {
    const { placement } = await placementFor(this.control, undefined)
    const store = this.#stores.get(name) ?? new MemoryCellStore()
    this.#stores.set(name, store)
    const { firehose } = this
    const cache = new MemoryBodyCache({ bytesMax: 1 << 20 })
    const monotonicMs = () => performance.now()
    const closing = new Closing()
    this.#cells.set(name, closing)
    const openSource = async (cell: string) => this.#stores.get(cell) ?? new MemoryCellStore()
    return startCell(
      { clock: systemClock, monotonicMs, control, firehose, store, cache, openSource },
      {
        ...this.#config(),
        name,
        placement,
        limits: { ...CELL_LIMITS, unreadCap: 1_000 },
        advertise: undefined,
        leaseMs: 3_000,
        openDonor: undefined,
        acceptLoss: false,
        note: () => undefined,
      },
      { closing, stopping: new AbortController().signal },
    )
  }

  /** Stops a cell in order: it says so, and nobody waits for its lease to end. */
  async stopCell(name: string): Promise<void> {
    await this.#cells.get(name)?.close()
    this.#cells.delete(name)
  }

  gateway(): Promise<Running> {
    const { control, firehose } = this
    return startGateway({ clock: systemClock, control, firehose }, this.#config(), this.#closing)
  }

  controller(adoptAfterMs: number = Number.POSITIVE_INFINITY): Promise<Running> {
    const { control } = this
    const config = { ...this.#config(), adoptAfterMs }
    return startController({ clock: systemClock, control }, config, this.#closing)
  }

  router(): Promise<Running> {
    const { control } = this
    return startRouter({ clock: systemClock, control }, this.#config(), this.#closing)
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#cells.keys()].map((name) => this.stopCell(name)))
    await this.#closing.close()
  }

  #config() {
    return {
      host: '127.0.0.1',
      port: 0,
      statusPort: 0,
      tls: this.#tls,
      metrics: new Metrics(),
      log: createLog('silent'),
    }
  }
}

/** The first address in what a process says when it is ready. */
export function addressOf({ ready }: Running): string {
  const [address] = /127\.0\.0\.1:\d+/.exec(ready) ?? []
  if (address === undefined) throw new Error(`no address in "${ready}"`)
  return address
}
