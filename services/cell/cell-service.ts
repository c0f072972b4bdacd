// The gateways' way into a cell: every connection has one stream, and one Conversation at this end of it. Stopping tells the
// gateways first, then lets the calls that run be answered.

import type { Server, ServerDuplexStream } from '@grpc/grpc-js'
import type { CellName } from '../../cells/model/placement.ts'
import type { CellClient } from '../../cells/ports/cell-client.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import {
  CellServiceService,
  type ConverseRequest,
} from '../../gen/cellfeed/internal/v1/cell_service.ts'
import type { Logger } from '../runtime/log.ts'
import type { CellStreamLimits } from './cell-stream-limits.ts'
import { Conversation } from './conversation.ts'
import { type CellResponse, encodeResponse } from './reply-codec.ts'

/** For health and reflection. */
export const CELL_SERVICE = 'cellfeed.internal.v1.CellService'

export type CellServiceParts = {
  readonly cell: CellName
  /** The cell as it serves; undefined while it does not. */
  readonly hosted: () => CellClient | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly limits: CellStreamLimits
}

export class CellService {
  readonly #parts: CellServiceParts
  readonly #conversations = new Set<Conversation>()
  #isClosing = false

  constructor(parts: CellServiceParts) {
    const { hosted } = parts
    this.#parts = { ...parts, hosted: () => (this.#isClosing ? undefined : hosted()) }
  }

  addTo(server: Server): void {
    const converse = { ...CellServiceService.converse, responseSerialize: encodeResponse }
    server.addService({ converse }, { converse: (call: CellStream) => this.#begin(call) })
  }

  /** Resolves when the calls that were running are answered and the streams are ended. */
  async close(): Promise<void> {
    this.#isClosing = true
    await Promise.all([...this.#conversations].map((conversation) => conversation.close()))
  }

  #begin(call: CellStream): void {
    const conversation = new Conversation(call, this.#parts)
    this.#conversations.add(conversation)
    void conversation.ended.then(() => this.#conversations.delete(conversation))
    if (this.#isClosing) void conversation.close()
  }
}

export type CellStream = ServerDuplexStream<ConverseRequest, CellResponse>
