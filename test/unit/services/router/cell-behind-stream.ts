// A cell of which a test says what it answers, behind the real stream on a free port.

import { credentials, Server, ServerCredentials } from '@grpc/grpc-js'
import type { CellClient } from '../../../../cells/ports/cell-client.ts'
import { systemClock } from '../../../../infra/system/clock.ts'
import { CellService } from '../../../../services/cell/cell-service.ts'
import {
  CELL_STREAM_LIMITS,
  type CellStreamLimits,
} from '../../../../services/cell/cell-stream-limits.ts'
import { RemoteCell } from '../../../../services/router/remote-cell.ts'
import { createLog } from '../../../../services/runtime/log.ts'

const log = createLog('silent')

export const QUICK: CellStreamLimits = {
  ...CELL_STREAM_LIMITS,
  signOfLifeMs: 20,
  reconnectMs: 10,
  reconnectMaxMs: 20,
  cancelGraceMs: 20,
}

export type ServedCell = {
  readonly address: string
  readonly service: CellService
  /** Cuts every connection off. */
  readonly stop: () => void
}

/** What a test does not say is not answered. */
export function cellThat(answers: Partial<CellClient>, cell = 'cell-1'): CellClient {
  return { cell, ...answers } as CellClient
}

export async function serveCell(
  hosted: () => CellClient | undefined,
  options: {
    readonly port?: number
    readonly cell?: string
    readonly limits?: CellStreamLimits
  } = {},
): Promise<ServedCell> {
  const { port = 0, cell = 'cell-1', limits = QUICK } = options
  const server = new Server()
  const service = new CellService({ cell, hosted, clock: systemClock, log, limits })
  service.addTo(server)
  const address = `127.0.0.1:${await listen(server, port)}`
  return { address, service, stop: () => server.forceShutdown() }
}

/** Resolves with the port. */
export function listen(server: Server, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const address = `127.0.0.1:${port}`
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound)
      else reject(error)
    })
  })
}

export function remoteCell(
  address: () => string | undefined,
  options: { readonly cell?: string; readonly limits?: CellStreamLimits } = {},
): RemoteCell {
  const { cell = 'cell-1', limits = QUICK } = options
  return new RemoteCell({
    cell,
    address,
    credentials: credentials.createInsecure(),
    clock: systemClock,
    limits,
    log,
  })
}
