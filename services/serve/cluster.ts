// A cluster in one process, on whatever ports it is given: cells, router, controller, gateway. Its own ports open first, then
// the cells load; what asks for a cell meanwhile is told to wait.

import { Cell } from '../../cells/activities/cell.ts'
import type { CellLimits } from '../../cells/model/cell-limits.ts'
import type { CellName } from '../../cells/model/placement.ts'
import type { BodyCache } from '../../cells/ports/body-cache.ts'
import type { CellStore } from '../../cells/ports/cell-store.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import type { Firehose } from '../../cells/ports/firehose.ts'
import { CellHost, type CellReport, statusesOf } from '../cell/cell-host.ts'
import { packageVersion } from '../cli/version.ts'
import { Admin } from '../controller/admin.ts'
import { nextBoot } from '../controller/boots.ts'
import { pageTokenKeys } from '../controller/cluster-secrets.ts'
import { placementFor } from '../controller/first-placement.ts'
import { CellReader } from '../gateway/cell-reader.ts'
import { ConsistencyTokens } from '../gateway/consistency-tokens.ts'
import { EventWriter } from '../gateway/event-writer.ts'
import { FrontDesk } from '../gateway/front-desk.ts'
import { Gateway } from '../gateway/gateway.ts'
import type { GatewayLimits } from '../gateway/gateway-limits.ts'
import { PageTokens } from '../gateway/page-tokens.ts'
import { WorkerLease } from '../gateway/worker-lease.ts'
import { cellsOf, type PlacementDocument } from '../router/placement-document.ts'
import { followPlacement, Router } from '../router/router.ts'
import type { Logger } from '../runtime/log.ts'
import { Metrics } from '../runtime/metrics.ts'
import { serveStatusPage } from '../runtime/status-page.ts'
import type { Closing } from './closing.ts'

export type ClusterPorts = {
  readonly clock: Clock
  readonly control: ControlStore
  readonly firehose: Firehose
  readonly openStore: (cell: CellName) => Promise<CellStore>
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
}

/** Resolves when every cell serves. Whatever it opened is in `closing`, also when it throws. */
export async function startCluster(
  ports: ClusterPorts,
  options: ClusterOptions,
  closing: Closing,
): Promise<Cluster> {
  const { clock, control, firehose } = ports
  const { host, log, cellLimits, gatewayLimits: limits } = options
  const metrics = new Metrics()
  const document = await placementFor(control, options.cells)
  const hosts = await cellHosts(ports, { ...options, metrics, document })
  const reports = () => [...hosts.values()].map((cellHost) => cellHost.report())
  closing.add(async () => {
    await Promise.all([...hosts.values()].map((cellHost) => cellHost.stop()))
  })

  const router = new Router(document.placement, (cell) => hosts.get(cell)?.client)
  const lease = await WorkerLease.take({ control, clock })
  closing.add(inBackground({ clock, control, router, lease, log }))

  const tokens = new ConsistencyTokens(firehose.identity)
  const pages = new PageTokens(await pageTokenKeys(control), tokens)
  const reader = new CellReader({ router, limits, metrics })
  const { repeatWindowMs } = cellLimits
  const writerLimits = { ...limits, repeatWindowMs }
  const writer = new EventWriter({ firehose, clock, lease, tokens, metrics, limits: writerLimits })
  const front = new FrontDesk({ limits, metrics, log })
  const desk = { front, reader, writer, firehose, clock, tokens, pages, limits, cellLimits }
  const gateway = new Gateway(desk, { host, port: options.port })
  closing.add(() => gateway.stop())
  const port = await gateway.listen()

  const adminDesk = {
    front: new FrontDesk({ limits, metrics, log }),
    router,
    reader,
    tokens,
    clusterId: document.clusterId,
    partitionsPerTopic: firehose.identity.partitionsPerTopic,
    version: packageVersion(),
    reports,
  }
  const admin = new Admin(adminDesk, { host, port: options.adminPort })
  closing.add(() => admin.stop())
  const adminPort = await admin.start()

  metrics.watchProcess()
  metrics.watchCells(() => statusesOf(reports()))
  const isServing = () => reports().some(({ state }) => state === 'serving')
  const page = await serveStatusPage({ host, port: options.statusPort, metrics, isServing })
  closing.add(() => page.stop())

  await Promise.all([...hosts.values()].map((cellHost) => cellHost.start()))
  gateway.setServing(true)
  return {
    address: `${host}:${port}`,
    adminAddress: `${host}:${adminPort}`,
    statusAddress: `${host}:${page.port}`,
    cells: reports().map(({ cell }: CellReport) => cell),
  }
}

async function cellHosts(
  { clock, control, firehose, openStore, openCache }: ClusterPorts,
  options: ClusterOptions & { readonly metrics: Metrics; readonly document: PlacementDocument },
): Promise<Map<CellName, CellHost>> {
  const { log, metrics, cellLimits: limits } = options
  const { placement } = options.document
  const hosts = new Map<CellName, CellHost>()
  for (const name of cellsOf(placement)) {
    const ports = { firehose, store: await openStore(name), cache: openCache(name), clock }
    const cellHost = new CellHost(name, {
      clock,
      log,
      nextBoot: () => nextBoot(control),
      create: (boot) => new Cell(ports, { name, boot, placement, limits }),
      restarted: () => metrics.cellRestarts.inc({ cell: name }),
    })
    hosts.set(name, cellHost)
  }
  return hosts
}

/** Keeps placement and worker number up to date; answers with what ends that. */
function inBackground(parts: {
  readonly clock: Clock
  readonly control: ControlStore
  readonly router: Router
  readonly lease: WorkerLease
  readonly log: Logger
}): () => Promise<void> {
  const { clock, control, router, lease, log } = parts
  const ending = new AbortController()
  const { signal } = ending
  const failed = (task: string) => (error: unknown) => log.error({ task, err: error }, 'failed')
  const loops = [
    followPlacement({ control, router, clock }, { signal, failed: failed('follow placement') }),
    lease.keep(signal, failed('renew worker number')),
  ]
  return async () => {
    ending.abort()
    await Promise.all(loops)
  }
}
