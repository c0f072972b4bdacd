// A cluster as it runs in production, all in this process: cells and gateway put together as their processes do it, on adapters
// in memory, with real gRPC between them.

import { CELL_LIMITS } from '../../cells/model/cell-limits.ts'
import type { CellName } from '../../cells/model/placement.ts'
import { MemoryBodyCache } from '../../infra/memory/body-cache.ts'
import { MemoryCellStore } from '../../infra/memory/cell-store.ts'
import { MemoryControlStore } from '../../infra/memory/control-store.ts'
import { MemoryFirehose } from '../../infra/memory/firehose.ts'
import { systemClock } from '../../infra/system/clock.ts'
import { type CellProcess, openCell } from '../../services/cell/open-cell.ts'
import { placementFor } from '../../services/controller/first-placement.ts'
import { GATEWAY_LIMITS } from '../../services/gateway/gateway-limits.ts'
import { openGateway } from '../../services/gateway/open-gateway.ts'
import { openCells } from '../../services/router/open-cells.ts'
import { Closing } from '../../services/runtime/closing.ts'
import { createLog } from '../../services/runtime/log.ts'
import { Metrics } from '../../services/runtime/metrics.ts'

const HOST = '127.0.0.1'
const LEASE_MS = 3_000
const log = createLog('silent')

export class SplitCluster {
  readonly address: string
  readonly #parts: Parts
  readonly #cells = new Map<
    CellName,
    { readonly process: CellProcess; readonly closing: Closing }
  >()
  readonly #closing: Closing

  static async start(): Promise<SplitCluster> {
    const clock = systemClock
    const control = new MemoryControlStore()
    const firehose = new MemoryFirehose({ clock, logId: 'the log of this test' })
    const parts = { clock, control, firehose, stores: new Map<CellName, MemoryCellStore>() }
    await placementFor(control, 2)
    const closing = new Closing()
    const { router, registry } = await openCells({ ...parts, log, tls: undefined }, closing)
    const { gateway, port } = await openGateway(
      {
        ...parts,
        router,
        addressOf: (cell) => registry.addressOf(cell),
        metrics: new Metrics(),
        log,
      },
      {
        host: HOST,
        port: 0,
        tls: undefined,
        limits: { ...GATEWAY_LIMITS, drainMs: 1_000, heartbeatMs: 200 },
        cellLimits: CELL_LIMITS,
      },
      closing,
    )
    gateway.setServing(true)
    const cluster = new SplitCluster(`${HOST}:${port}`, parts, closing)
    await Promise.all([cluster.startCell('cell-1'), cluster.startCell('cell-2')])
    return cluster
  }

  private constructor(address: string, parts: Parts, closing: Closing) {
    this.address = address
    this.#parts = parts
    this.#closing = closing
  }

  addressOf(cell: CellName): string {
    const running = this.#cells.get(cell)
    if (running === undefined) throw new Error(`${cell} does not run`)
    return running.process.address
  }

  /** Resolves when it serves. It has the store that it had before. */
  async startCell(name: CellName): Promise<void> {
    const { stores, ...ports } = this.#parts
    const store = stores.get(name) ?? new MemoryCellStore()
    stores.set(name, store)
    const closing = new Closing()
    const { placement } = await placementFor(ports.control, undefined)
    const cache = new MemoryBodyCache({ bytesMax: 1 << 20 })
    const openSource = async (cell: CellName) => stores.get(cell) ?? new MemoryCellStore()
    const process = await openCell(
      { ...ports, monotonicMs: () => performance.now(), store, cache, openSource },
      {
        name,
        placement,
        host: HOST,
        port: 0,
        statusPort: 0,
        advertise: undefined,
        tls: undefined,
        leaseMs: LEASE_MS,
        limits: CELL_LIMITS,
        metrics: new Metrics(),
        log,
      },
      closing,
    )
    this.#cells.set(name, { process, closing })
    await process.start()
  }

  async stopCell(name: CellName): Promise<void> {
    const running = this.#cells.get(name)
    this.#cells.delete(name)
    await running?.closing.close()
  }

  async stop(): Promise<void> {
    await this.#closing.close()
    for (const name of this.#cells.keys()) await this.stopCell(name)
  }
}

type Parts = {
  readonly clock: typeof systemClock
  readonly control: MemoryControlStore
  readonly firehose: MemoryFirehose
  readonly stores: Map<CellName, MemoryCellStore>
}
