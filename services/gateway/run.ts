// A gateway as a process of its own, on ports that are open already.

import { CELL_LIMITS } from '../../cells/model/cell-limits.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import type { Firehose } from '../../cells/ports/firehose.ts'
import { openCells } from '../router/open-cells.ts'
import { addressAt } from '../runtime/address-at.ts'
import type { Closing } from '../runtime/closing.ts'
import { inBackground } from '../runtime/in-background.ts'
import type { Logger } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { Probe } from '../runtime/probe.ts'
import type { ListenConfig } from '../runtime/process-flags.ts'
import type { Running } from '../runtime/run-process.ts'
import { serveStatusPage } from '../runtime/status-page.ts'
import { GATEWAY_LIMITS } from './gateway-limits.ts'
import { openGateway } from './open-gateway.ts'

const PROBE_EVERY_MS = 2_000
const PROBE_PATIENCE_MS = 5_000

/** Resolves when it serves, or could but for its engines. What it opened is in `closing`, also when it throws. */
export async function startGateway(
  ports: {
    readonly clock: Clock
    readonly control: ControlStore
    readonly firehose: Firehose
  },
  config: ListenConfig & { readonly metrics: Metrics; readonly log: Logger },
  closing: Closing,
): Promise<Running> {
  const { clock, firehose } = ports
  const { host, tls, metrics, log } = config
  metrics.watchProcess()
  let isDraining = false
  const health = {
    isLive: () => true,
    notReady: () => {
      if (isDraining) return ['it is about to stop']
      return probe.why === undefined ? [] : [`the firehose: ${probe.why}`]
    },
  }
  let setServing: (works: boolean) => void = () => undefined
  const probe = new Probe({
    ask: () => firehose.bounds(),
    clock,
    everyMs: PROBE_EVERY_MS,
    patienceMs: PROBE_PATIENCE_MS,
    changed: (works) => setServing(works),
  })
  const page = await serveStatusPage({ host, port: config.statusPort, metrics, health })
  closing.add(() => page.stop())
  const { router, registry } = await openCells({ ...ports, log, tls }, closing)
  const { gateway, port } = await openGateway(
    { ...ports, router, addressOf: (cell) => registry.addressOf(cell), metrics, log },
    { host, port: config.port, tls, limits: GATEWAY_LIMITS, cellLimits: CELL_LIMITS },
    closing,
  )
  setServing = (works) => gateway.setServing(works)
  closing.add(inBackground(log, { 'ask the firehose': (signal) => probe.run(signal) }))
  closing.add(async () => {
    isDraining = true
    setServing = () => undefined
  })
  const status = addressAt(host, page.port)
  return { ready: `gateway, API ${addressAt(host, port)}, metrics http://${status}/metrics` }
}
