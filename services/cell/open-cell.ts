// Puts a cell's process together, on ports that are open already: the cell and what keeps it running, its lease, the gRPC server
// that gateways connect to, the status page. Its own ports open first, then the cell loads.

import { Cell } from '../../cells/activities/cell.ts'
import type { CellLimits } from '../../cells/model/cell-limits.ts'
import type { CellName, Placement } from '../../cells/model/placement.ts'
import type { BodyCache } from '../../cells/ports/body-cache.ts'
import type { Loading } from '../../cells/ports/cell-client.ts'
import type { CellStore } from '../../cells/ports/cell-store.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import type { Firehose } from '../../cells/ports/firehose.ts'
import type { SlotSource } from '../../cells/ports/slot-source.ts'
import { pageTokenKeys } from '../controller/cluster-secrets.ts'
import { ConsistencyTokens } from '../gateway/consistency-tokens.ts'
import { GATEWAY_LIMITS } from '../gateway/gateway-limits.ts'
import { PageTokens } from '../gateway/page-tokens.ts'
import { movingBy } from '../router/control-placements.ts'
import { addressAt } from '../runtime/address-at.ts'
import type { Closing } from '../runtime/closing.ts'
import { GrpcServer } from '../runtime/grpc-server.ts'
import { inBackground } from '../runtime/in-background.ts'
import type { Logger } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { ProcessTls } from '../runtime/process-flags.ts'
import { serveStatusPage } from '../runtime/status-page.ts'
import { packageVersion } from '../runtime/version.ts'
import { announcedBusyness, OwnBusyness } from './busyness.ts'
import { CellHost, type HostState } from './cell-host.ts'
import { CellLease } from './cell-lease.ts'
import { statusesOf } from './cell-report.ts'
import { CELL_SERVICE, CellService } from './cell-service.ts'
import { CELL_STREAM_LIMITS } from './cell-stream-limits.ts'
import { DASHBOARD_SERVICE, DirectReads } from './direct-reads.ts'
import type { LeaseState } from './lease-state.ts'
import { LeasedCell } from './leased-cell.ts'

export type CellProcessPorts = {
  readonly clock: Clock
  readonly monotonicMs: () => number
  readonly control: ControlStore
  readonly firehose: Firehose
  readonly store: CellStore
  readonly cache: BodyCache
  /** The store of another cell, to be read only. */
  readonly openSource: (cell: CellName) => Promise<SlotSource>
}
export type CellProcessOptions = {
  readonly name: CellName
  readonly placement: Placement
  readonly host: string
  readonly port: number
  readonly statusPort: number
  readonly advertise: string | undefined
  readonly tls: ProcessTls | undefined
  readonly leaseMs: number
  readonly limits: CellLimits
  readonly metrics: Metrics
  /** With the cell's name bound. */
  readonly log: Logger
}
export type CellProcess = {
  /** Resolves when the cell serves. Rejects with what keeps it from that. */
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
  /** A boot number for work on the cell's store before it starts. Throws CellTakenOver. */
  readonly nextBoot: () => Promise<number>
  /** How far its store is filled before it starts. */
  readonly noteFilling: (loading: Loading) => void
  /** The one that runs; undefined before the first start. */
  readonly cell: () => Cell | undefined
  /** Where others reach it, and its status page. */
  readonly address: string
  readonly statusAddress: string
  /** Resolves with a line when another process has taken over this cell. */
  readonly takenOver: Promise<string>
}

const STOP_GRACE_MS = 250
const WITHDRAW_MS = 2_000

/** Resolves when its ports are open; `start()` loads the cell. What it opened is in `closing`, also when it throws. */
export async function openCell(
  ports: CellProcessPorts,
  options: CellProcessOptions,
  closing: Closing,
): Promise<CellProcess> {
  const { clock, control } = ports
  const { openSource } = ports
  const busynessOf = (cell: CellName) => announcedBusyness(control, cell)
  const cellPorts = { ...ports, moving: movingBy(control, { openSource, busynessOf }) }
  const { name, placement, limits, host: at, port, tls, metrics, log } = options
  const version = packageVersion()
  let address = options.advertise ?? ''
  let started: { readonly cell: Cell; readonly leased: LeasedCell } | undefined
  const busyness = new OwnBusyness()

  const lease = new CellLease({
    control,
    clock,
    monotonicMs: ports.monotonicMs,
    log,
    leaseMs: options.leaseMs,
    cell: name,
    address: () => address,
    version,
    about: () => ({ ...host.report(), ...busyness.latest }),
    suspend: () => started?.cell.suspend(),
  })
  const host = new CellHost(name, {
    clock,
    log,
    version,
    nextBoot: () => lease.nextBoot(),
    create: (boot) => {
      const cell = new Cell(cellPorts, { name, boot, placement, limits })
      started = { cell, leased: new LeasedCell(cell, lease) }
      return cell
    },
    restarted: () => metrics.cellRestarts.inc({ cell: name }),
  })
  const hosted = () => (host.client === undefined ? undefined : started?.leased)
  const service = new CellService({ cell: name, hosted, clock, log, limits: CELL_STREAM_LIMITS })
  const tokens = new ConsistencyTokens(ports.firehose.identity)
  const direct = new DirectReads({
    cell: name,
    hosted,
    clock,
    metrics,
    log,
    tokens,
    pages: new PageTokens(await pageTokenKeys(control), tokens),
    limits: GATEWAY_LIMITS,
    cellLimits: limits,
  })

  metrics.watchProcess()
  metrics.watchCells(() => statusesOf([host.report()]))
  metrics.watchLease(name, () => lease.state)
  const health = {
    isLive: () => true,
    notReady: () => whyNotReady(host.report().state, lease.state, started?.cell),
  }
  const page = await serveStatusPage({ host: at, port: options.statusPort, metrics, health })
  closing.add(() => page.stop())
  closing.add(() => host.stop())
  const requestBytesMax = CELL_STREAM_LIMITS.messageBytesMax
  const services = [CELL_SERVICE, DASHBOARD_SERVICE]
  const grpc = new GrpcServer({ host: at, port, tls, services, requestBytesMax })
  service.addTo(grpc.server)
  direct.addTo(grpc.server)
  closing.add(async () => {
    grpc.setServing(false)
    await Promise.all([service.close(), direct.close()])
    await grpc.stop(STOP_GRACE_MS)
  })
  const listening = await grpc.listen()
  address = options.advertise ?? addressAt(at, listening)
  closing.add(() => withdrawn(lease, clock, log))
  closing.add(
    inBackground(log, {
      'renew lease': (signal, failed) => lease.keep(signal, failed),
      'look how the cell fares': busyness.looking(() => started?.cell.busyness(), clock),
    }),
  )
  const takenOver = lease.takenOver.then(({ message }) => message)
  return {
    start: async () => {
      await host.start()
      grpc.setServing(true)
    },
    stop: () => host.stop(),
    nextBoot: () => lease.nextBoot(),
    noteFilling: (loading) => host.noteFilling(loading),
    cell: () => started?.cell,
    address,
    statusAddress: addressAt(at, page.port),
    takenOver,
  }
}

function whyNotReady(host: HostState, lease: LeaseState['kind'], cell: Cell | undefined): string[] {
  if (host !== 'serving') return [`the cell is ${host}`]
  if (lease === 'unconfirmed')
    return ['it stood still, and does not know yet whether it was replaced']
  if (lease === 'superseded') return ['another process has taken over']
  if (cell?.hasOpenGap === true) return ['it was rebuilt, and nobody saw what it missed']
  return cell?.isReady === true ? [] : ["it has not reached the log's end yet"]
}

/** Tells the others that the cell is gone; without a control store its lease tells them a little later. */
async function withdrawn(lease: CellLease, clock: Clock, log: Logger): Promise<void> {
  const patience = new AbortController()
  const withdrawal = lease.withdraw().catch((error: unknown) => {
    log.warn({ err: error }, 'could not withdraw the announcement')
  })
  await Promise.race([withdrawal, clock.sleep(WITHDRAW_MS, patience.signal)])
  patience.abort()
}
