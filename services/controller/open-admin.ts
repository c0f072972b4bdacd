// Puts the admin API together and opens its port, in `serve` and in the controller's process alike.

import type { ControlStore } from '../../cells/ports/control-store.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import { packageVersion } from '../runtime/version.ts'
import type { CellReport } from '../cell/cell-report.ts'
import type { CellReader } from '../gateway/cell-reader.ts'
import type { ConsistencyTokens } from '../gateway/consistency-tokens.ts'
import { FrontDesk } from '../gateway/front-desk.ts'
import type { GatewayLimits } from '../gateway/gateway-limits.ts'
import type { Router } from '../router/router.ts'
import type { Closing } from '../runtime/closing.ts'
import type { Logger } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { ProcessTls } from '../runtime/process-flags.ts'
import { Admin } from './admin.ts'
import type { AdminDesk } from './admin-desk.ts'

export type AdminParts = {
  readonly router: Router
  readonly reader: CellReader
  readonly tokens: ConsistencyTokens
  readonly clusterId: bigint
  readonly partitionsPerTopic: number
  readonly reports: () => readonly CellReport[]
  readonly clock: Clock
  readonly control: ControlStore
  readonly reportOf: AdminDesk['reportOf']
  readonly metrics: Metrics
  readonly log: Logger
}
export type AdminOptions = {
  readonly host: string
  readonly port: number
  readonly tls: ProcessTls | undefined
  readonly limits: GatewayLimits
}

/** Resolves with the port. What it opened is in `closing`, also when it throws. Throws ListenError. */
export async function openAdmin(
  parts: AdminParts,
  { host, port, tls, limits }: AdminOptions,
  closing: Closing,
): Promise<number> {
  const { metrics, log } = parts
  const front = new FrontDesk({ limits, metrics, log })
  const admin = new Admin({ ...parts, front, version: packageVersion() }, { host, port, tls })
  closing.add(() => admin.stop())
  return admin.start()
}
