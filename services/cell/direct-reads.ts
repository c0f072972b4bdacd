// What clients may read from a cell without a gateway between: the dashboards of its own users, by the gateway's own handlers.
// A user who lives elsewhere is answered MOVED, which the client follows by itself.

import type { CellLimits } from '../../cells/model/cell-limits.ts'
import type { CellName } from '../../cells/model/placement.ts'
import type { Answer, Call, CellClient } from '../../cells/ports/cell-client.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import { type CellReader, lateError, type Read, unavailable } from '../gateway/cell-reader.ts'
import type { ConsistencyTokens } from '../gateway/consistency-tokens.ts'
import { dashboardReads, dashboardReadsDefinition } from '../gateway/dashboard-service.ts'
import { ApiError } from '../gateway/errors.ts'
import { FrontDesk } from '../gateway/front-desk.ts'
import type { GatewayLimits } from '../gateway/gateway-limits.ts'
import type { PageTokens } from '../gateway/page-tokens.ts'
import { addService } from '../gateway/service-book.ts'
import type { GrpcServer } from '../runtime/grpc-server.ts'
import type { Logger } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'

/** For health and reflection. */
export const DASHBOARD_SERVICE = 'cellfeed.v1.DashboardService'

export type DirectReadsParts = {
  readonly cell: CellName
  /** The cell as it serves; undefined while it does not. */
  readonly hosted: () => CellClient | undefined
  readonly clock: Clock
  readonly metrics: Metrics
  readonly log: Logger
  /** Of the cluster: a page token of a gateway is good here, and the other way round. */
  readonly tokens: ConsistencyTokens
  readonly pages: PageTokens
  readonly limits: GatewayLimits
  readonly cellLimits: CellLimits
}

export class DirectReads {
  readonly #parts: DirectReadsParts
  readonly #front: FrontDesk

  constructor(parts: DirectReadsParts) {
    this.#parts = parts
    this.#front = new FrontDesk(parts)
  }

  addTo(server: GrpcServer['server']): void {
    const { cell, hosted } = this.#parts
    const desk = { ...this.#parts, front: this.#front, reader: new OwnReader(cell, hosted) }
    addService(server, dashboardReadsDefinition, dashboardReads(desk))
  }

  /** Refuses what is new, ends watches, and resolves when the calls that were running are answered. */
  close(): Promise<void> {
    return this.#front.close()
  }
}

/** Reads from this process's cell, and from no other. */
class OwnReader implements Pick<CellReader, 'asViewer'> {
  readonly #cell: CellName
  readonly #hosted: () => CellClient | undefined

  constructor(cell: CellName, hosted: () => CellClient | undefined) {
    this.#cell = cell
    this.#hosted = hosted
  }

  async asViewer<T>(
    call: Call,
    ask: (cell: CellClient, call: Call) => Promise<Answer<T>>,
  ): Promise<Read<T>> {
    const cell = this.#hosted()
    if (cell === undefined) throw unavailable(this.#cell)
    const answer = await ask(cell, call)
    if (answer.kind === 'ok') return answer
    if (answer.kind === 'late') throw lateError(answer, this.#cell, call.signal)
    const { cell: home, epoch } = answer
    const message = `the user does not live in ${this.#cell} but in ${home}`
    throw new ApiError('MOVED', message, { metadata: { cell: home, epoch } })
  }
}
