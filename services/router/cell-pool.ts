// The cells that a gateway or another process has to do with: one connection to each, made at first use and kept.

import type { ChannelCredentials } from '@grpc/grpc-js'
import type { CellName } from '../../cells/model/placement.ts'
import type { CellClient } from '../../cells/ports/cell-client.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { CellStreamLimits } from '../cell/cell-stream-limits.ts'
import type { Logger } from '../runtime/log.ts'
import { RemoteCell } from './remote-cell.ts'

export type CellPoolParts = {
  /** host:port where a cell said last that it is; undefined when it never did. Asked often: it must be at hand. */
  readonly addressOf: (cell: CellName) => string | undefined
  readonly credentials: ChannelCredentials
  readonly clock: Clock
  readonly limits: CellStreamLimits
  readonly log: Logger
}

export class CellPool {
  readonly #parts: CellPoolParts
  readonly #cells = new Map<CellName, RemoteCell>()
  #isClosed = false

  constructor(parts: CellPoolParts) {
    this.#parts = parts
  }

  /** The cell; undefined while it does not serve, or nobody knows where it is. */
  connect(cell: CellName): CellClient | undefined {
    const address = this.#parts.addressOf(cell)
    const known = this.#cells.get(cell)
    if (known !== undefined) {
      if (address !== undefined) known.followTo(address)
      return known.isUsable ? known : undefined
    }
    if (address === undefined || this.#isClosed) return undefined
    const made = new RemoteCell({
      ...this.#parts,
      cell,
      address: () => this.#parts.addressOf(cell),
    })
    this.#cells.set(cell, made)
    return made
  }

  close(): void {
    this.#isClosed = true
    for (const cell of this.#cells.values()) cell.close()
  }
}
