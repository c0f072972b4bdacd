// A cluster in one process, on whatever ports it is given: cells, router, controller, gateway. Its own ports open first, then
// the cells load; what asks for a cell meanwhile is told to wait.

import type { CellLimits } from '../../cells/model/cell-limits.ts'
import { type CellName, ownersOf } from '../../cells/model/placement.ts'
import type { BodyCache } from '../../cells/ports/body-cache.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import type { Firehose } from '../../cells/ports/firehose.ts'
import { type CellReport, statusesOf } from '../cell/cell-report.ts'
import { placementFor } from '../controller/first-placement.ts'
import { DRIVE_LIMITS, driveMoves, reportOf } from '../controller/drive-moves.ts'
import { openAdmin } from '../controller/open-admin.ts'
import type { GatewayLimits } from '../gateway/gateway-limits.ts'
import { openGateway } from '../gateway/open-gateway.ts'
import { Router } from '../router/router.ts'
import type { Closing } from '../runtime/closing.ts'
import { inBackground } from '../runtime/in-background.ts'
import type { Logger } from '../runtime/log.ts'
import { Metrics } from '../runtime/metrics.ts'
import { serveStatusPage } from '../runtime/status-page.ts'
import { HostedCells, type HostedStore } from './hosted-cells.ts'

export type ClusterPorts = {
  readonly clock: Clock
  readonly monotonicMs: () => number
  readonly control: ControlStore
  readonly firehose: Firehose
  readonly openStore: (cell: CellName) => Promise<HostedStore>
  readonly openCache: (cell: CellName) => BodyCache
}
export type ClusterOptions = {
  /** Undefined: as many as the cluster was made with. */
  readonly cells: number | undefined
  readonly host: string
  readonly port: number
  readonly adminPort: number
  readonly statusPort: number
  readonly cellLimits: CellLimits
  readonly gatewayLimits: GatewayLimits
  readonly log: Logger
}
export type Cluster = {
  /** host:port of the public API, the admin API, and the HTTP page with metrics and health. */
  readonly address: string
  readonly adminAddress: string
  readonly statusAddress: string
  readonly cells: readonly CellName[]
  readonly isWhole: () => boolean
}

/** Resolves when the cells serve; one that can not is tried again while others can. Whatever it opened is in `closing`, also when it throws. */
export async function startCluster(
  ports: ClusterPorts,
  options: ClusterOptions,
  closing: Closing,
): Promise<Cluster> {
  const { clock, control, firehose } = ports
  const { host, log, cellLimits, gatewayLimits: limits } = options
  const metrics = new Metrics()
  const document = await placementFor(control, options.cells)
  const cells = new HostedCells({ ...ports, limits: cellLimits, metrics, log })
  closing.add(() => cells.stop())
  await cells.open(document.placement)
  const reports = () => cells.reports()
  const connect = (cell: CellName) => cells.client(cell)
  const router = new Router(document.placement, connect)
  // The cells are in this process: clients find nothing behind the gateway.
  const addressOf = () => undefined
  const opened = await openGateway(
    { clock, control, firehose, router, addressOf, metrics, log },
    { host, port: options.port, tls: undefined, limits, cellLimits },
    closing,
  )
  const { gateway, port, reader, tokens } = opened
  const adminPort = await openAdmin(
    {
      router,
      reader,
      tokens,
      clusterId: document.clusterId,
      partitionsPerTopic: firehose.identity.partitionsPerTopic,
      reports,
      clock,
      control,
      reportOf: (cell, query) => reportOf(connect(cell), query, DRIVE_LIMITS.reportMs),
      metrics,
      log,
    },
    { host, port: options.adminPort, tls: undefined, limits },
    closing,
  )

  // What keeps a cell of this process from running keeps others from reading its store, too: nobody adopts its users.
  const dead = { isDead: async (cell: CellName) => cells.isDead(cell), isLost: async () => false }
  const by = `serve, process ${process.pid}`
  closing.add(inBackground(log, driveMoves({ clock, control, connect, by, ...dead })))
  metrics.watchProcess()
  metrics.watchCells(() => statusesOf(reports()))
  metrics.watchPlacement(() => router.placement)
  const health = {
    isLive: () => reports().some(({ state }) => state === 'serving'),
    // A cell that was added and owns nothing yet keeps nobody waiting.
    notReady: () => {
      const owners = ownersOf(router.placement)
      return reports()
        .filter(({ cell, state }) => state !== 'serving' && owners.includes(cell))
        .map(({ cell, state }) => `${cell} is ${state}`)
    },
  }
  const page = await serveStatusPage({ host, port: options.statusPort, metrics, health })
  closing.add(() => page.stop())

  await cells.start(document.placement)
  closing.add(inBackground(log, { 'follow cells': cells.following(() => router.placement) }))
  gateway.setServing(true)
  return {
    address: `${host}:${port}`,
    adminAddress: `${host}:${adminPort}`,
    statusAddress: `${host}:${page.port}`,
    cells: reports().map(({ cell }: CellReport) => cell),
    isWhole: () => cells.isWhole,
  }
}
