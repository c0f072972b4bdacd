// Puts a gateway together and opens its port, in `serve` and in a process of its own alike. Health says NOT_SERVING until it is
// told otherwise.

import type { CellLimits } from '../../cells/model/cell-limits.ts'
import type { CellName } from '../../cells/model/placement.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import type { Firehose } from '../../cells/ports/firehose.ts'
import { pageTokenKeys } from '../controller/cluster-secrets.ts'
import { followPlacement, type Router } from '../router/router.ts'
import type { Closing } from '../runtime/closing.ts'
import { inBackground } from '../runtime/in-background.ts'
import type { Logger } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { ProcessTls } from '../runtime/process-flags.ts'
import { CellReader } from './cell-reader.ts'
import { ConsistencyTokens } from './consistency-tokens.ts'
import { EventWriter } from './event-writer.ts'
import { FrontDesk } from './front-desk.ts'
import { Gateway } from './gateway.ts'
import type { GatewayLimits } from './gateway-limits.ts'
import { PageTokens } from './page-tokens.ts'
import { WorkerLease } from './worker-lease.ts'

export type GatewayParts = {
  readonly clock: Clock
  readonly control: ControlStore
  readonly firehose: Firehose
  readonly router: Router
  /** host:port of a cell that clients may read from by themselves. */
  readonly addressOf: (cell: CellName) => string | undefined
  readonly metrics: Metrics
  readonly log: Logger
}
export type GatewayOptions = {
  readonly host: string
  readonly port: number
  readonly tls: ProcessTls | undefined
  readonly limits: GatewayLimits
  readonly cellLimits: CellLimits
}
export type OpenedGateway = {
  readonly gateway: Gateway
  readonly port: number
  readonly reader: CellReader
  readonly tokens: ConsistencyTokens
}

/** What it opened is in `closing`, also when it throws. Throws ListenError. */
export async function openGateway(
  parts: GatewayParts,
  options: GatewayOptions,
  closing: Closing,
): Promise<OpenedGateway> {
  const { clock, control, firehose, router, addressOf, metrics, log } = parts
  const { limits, cellLimits } = options
  const lease = await WorkerLease.take({ control, clock })
  closing.add(
    inBackground(log, {
      'follow placement': (signal, failed) =>
        followPlacement({ control, router, clock }, { signal, failed }),
      'renew worker number': (signal, failed) => lease.keep(signal, failed),
    }),
  )

  const tokens = new ConsistencyTokens(firehose.identity)
  const pages = new PageTokens(await pageTokenKeys(control), tokens)
  const reader = new CellReader({ router, limits, metrics })
  const { repeatWindowMs } = cellLimits
  const writerLimits = { ...limits, repeatWindowMs }
  const writer = new EventWriter({ firehose, clock, lease, tokens, metrics, limits: writerLimits })
  const front = new FrontDesk({ limits, metrics, log })
  const homes = { router, addressOf }
  const desk = { front, reader, homes, writer, firehose, clock, tokens, pages, limits, cellLimits }
  const { host, port: wanted, tls } = options
  const gateway = new Gateway(desk, { host, port: wanted, tls })
  closing.add(() => gateway.stop())
  return { gateway, port: await gateway.listen(), reader, tokens }
}
