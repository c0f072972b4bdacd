// A router as a process of its own, on a control store that is open already: it tells clients in which cell a user lives, so that
// they may read from there without a gateway between.

import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import { RouterServiceService } from '../../gen/cellfeed/v1/router_service.ts'
import { FrontDesk } from '../gateway/front-desk.ts'
import { GATEWAY_LIMITS } from '../gateway/gateway-limits.ts'
import { addService } from '../gateway/service-book.ts'
import { addressAt } from '../runtime/address-at.ts'
import type { Closing } from '../runtime/closing.ts'
import { GrpcServer } from '../runtime/grpc-server.ts'
import { inBackground } from '../runtime/in-background.ts'
import type { Logger } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { ListenConfig } from '../runtime/process-flags.ts'
import type { Running } from '../runtime/run-process.ts'
import { serveStatusPage } from '../runtime/status-page.ts'
import { openCells } from './open-cells.ts'
import { followPlacement } from './router.ts'
import { ROUTER_SERVICE, routerService } from './router-service.ts'

const REQUEST_BYTES_MAX = 64 * 1024
const STOP_GRACE_MS = 250

/** Resolves when it serves. What it opened is in `closing`, also when it throws. */
export async function startRouter(
  ports: { readonly clock: Clock; readonly control: ControlStore },
  config: ListenConfig & { readonly metrics: Metrics; readonly log: Logger },
  closing: Closing,
): Promise<Running> {
  const { clock, control } = ports
  const { host, tls, metrics, log } = config
  metrics.watchProcess()
  const health = { isLive: () => true, notReady: () => [] }
  const page = await serveStatusPage({ host, port: config.statusPort, metrics, health })
  closing.add(() => page.stop())
  const { router, registry } = await openCells({ ...ports, log, tls }, closing)
  closing.add(
    inBackground(log, {
      'follow placement': (signal, failed) =>
        followPlacement({ control, router, clock }, { signal, failed }),
    }),
  )
  const grpc = new GrpcServer({
    host,
    port: config.port,
    tls,
    services: [ROUTER_SERVICE],
    requestBytesMax: REQUEST_BYTES_MAX,
  })
  const front = new FrontDesk({ limits: GATEWAY_LIMITS, metrics, log })
  const homes = { router, addressOf: (cell: string) => registry.addressOf(cell) }
  addService(grpc.server, RouterServiceService, routerService(front, homes))
  closing.add(async () => {
    grpc.setServing(false)
    await front.close()
    await grpc.stop(STOP_GRACE_MS)
  })
  const port = await grpc.listen()
  grpc.setServing(true)
  const status = addressAt(host, page.port)
  return { ready: `router at ${addressAt(host, port)}, metrics http://${status}/metrics` }
}
