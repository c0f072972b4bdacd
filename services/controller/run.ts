// The controller as a process of its own, on a control store that is open already.

import { hostname } from 'node:os'
import type { CellName } from '../../cells/model/placement.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import { CellReader } from '../gateway/cell-reader.ts'
import { ConsistencyTokens } from '../gateway/consistency-tokens.ts'
import { GATEWAY_LIMITS } from '../gateway/gateway-limits.ts'
import { openCells } from '../router/open-cells.ts'
import { followPlacement } from '../router/router.ts'
import { addressAt } from '../runtime/address-at.ts'
import type { Closing } from '../runtime/closing.ts'
import { inBackground } from '../runtime/in-background.ts'
import type { Logger } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { ListenConfig } from '../runtime/process-flags.ts'
import type { Running } from '../runtime/run-process.ts'
import { serveStatusPage } from '../runtime/status-page.ts'
import { DeadCells } from './dead-cells.ts'
import { DRIVE_LIMITS, driveMoves, reportOf } from './drive-moves.ts'
import { readLogIdentity } from './log-identity.ts'
import { openAdmin } from './open-admin.ts'

/** Resolves when it serves. What it opened is in `closing`, also when it throws. */
export async function startController(
  ports: { readonly clock: Clock; readonly control: ControlStore },
  config: ListenConfig & {
    readonly adoptAfterMs: number
    readonly metrics: Metrics
    readonly log: Logger
  },
  closing: Closing,
): Promise<Running> {
  const { clock, control } = ports
  const { host, tls, metrics, log } = config
  const limits = GATEWAY_LIMITS
  metrics.watchProcess()
  const health = { isLive: () => true, notReady: () => [] }
  const page = await serveStatusPage({ host, port: config.statusPort, metrics, health })
  closing.add(() => page.stop())
  const identity = await readLogIdentity(control)
  const { document, router, reports, connect } = await openCells({ ...ports, log, tls }, closing)
  metrics.watchPlacement(() => router.placement)
  const dead = new DeadCells({ control, monotonicMs: () => performance.now() })
  const isDead = async (cell: CellName) => dead.isDead(cell)
  const isLost = async (cell: CellName) => dead.isGone(cell, config.adoptAfterMs)
  const by = `controller on ${hostname()}, process ${process.pid}`
  closing.add(
    inBackground(log, {
      'follow placement': (signal, failed) =>
        followPlacement({ control, router, clock }, { signal, failed }),
      'look for dead cells': dead.watching(() => router.placement.cells, clock),
      ...driveMoves({ clock, control, connect, isDead, isLost, by }),
    }),
  )
  const port = await openAdmin(
    {
      router,
      reader: new CellReader({ router, limits, metrics }),
      tokens: new ConsistencyTokens(identity),
      clusterId: document.clusterId,
      partitionsPerTopic: identity.partitionsPerTopic,
      reports,
      clock,
      control,
      reportOf: (cell, query) => reportOf(connect(cell), query, DRIVE_LIMITS.reportMs),
      metrics,
      log,
    },
    { host, port: config.port, tls, limits },
    closing,
  )
  const status = addressAt(host, page.port)
  return { ready: `controller, admin ${addressAt(host, port)}, metrics http://${status}/metrics` }
}
