// Keeps a link to one cell open: connects, and connects again after growing pauses when that fails or the link breaks.
//
//     connecting --> open --> (breaks) --> connecting
//         |                                    a call that comes meanwhile waits for the outcome
//         +--> down --(pause)--> trying --> open | down
//                                              a call that comes meanwhile is refused at once
//     closed: from everywhere

import type { ChannelCredentials } from '@grpc/grpc-js'
import type { CellName } from '../../cells/model/placement.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { CellStreamLimits } from '../cell/cell-stream-limits.ts'
import type { Logger } from '../runtime/log.ts'
import { CellLink } from './cell-link.ts'
import { CellUnavailable } from './router.ts'

export type ConnectionParts = {
  readonly cell: CellName
  /** Where the cell is said to be now. */
  readonly address: () => string | undefined
  readonly credentials: ChannelCredentials
  readonly clock: Clock
  readonly limits: CellStreamLimits
  readonly log: Logger
}
type State =
  | { readonly kind: 'connecting'; readonly outcome: Promise<CellLink | undefined> }
  | { readonly kind: 'open'; readonly link: CellLink }
  | { readonly kind: 'down' }
  | { readonly kind: 'closed' }

export class CellConnection {
  readonly #parts: ConnectionParts
  readonly #closing = new AbortController()
  #state: State
  #settle: (link: CellLink | undefined) => void = () => {}

  constructor(parts: ConnectionParts) {
    this.#parts = parts
    this.#state = this.#connecting()
    void this.#run()
  }

  /** Whether it is worth asking: the cell serves, or that will be known in a moment. */
  get isUsable(): boolean {
    const state = this.#state
    return state.kind === 'connecting' || (state.kind === 'open' && state.link.isServing)
  }

  /** The link, at once if there is one. Throws CellUnavailable. */
  link(): CellLink | Promise<CellLink> {
    const state = this.#state
    switch (state.kind) {
      case 'open':
        return state.link
      case 'connecting':
        return this.#once(state.outcome)
      case 'down':
      case 'closed':
        throw this.#unavailable()
    }
  }

  /** A cell that started anew elsewhere is followed there at once. */
  followTo(address: string): void {
    if (this.#state.kind === 'open' && this.#state.link.address !== address) {
      this.#state.link.close()
    }
  }

  close(): void {
    const state = this.#state
    this.#state = { kind: 'closed' }
    this.#closing.abort()
    this.#settle(undefined)
    if (state.kind === 'open') state.link.close()
  }

  async #once(outcome: Promise<CellLink | undefined>): Promise<CellLink> {
    const link = await outcome
    if (link === undefined) throw this.#unavailable()
    return link
  }

  async #run(): Promise<void> {
    const { clock, limits, log, cell } = this.#parts
    const { signal } = this.#closing
    let pauseMs = limits.reconnectMs
    while (!signal.aborted) {
      const link = await this.#open()
      if (signal.aborted) {
        link?.close()
        return
      }
      if (link !== undefined) {
        const openedMs = clock.nowMs()
        this.#state = { kind: 'open', link }
        this.#settle(link)
        log.info({ cell, address: link.address }, 'connected to cell')
        const error = await link.broken
        if (signal.aborted) return
        log.warn({ cell, address: link.address, why: error.message }, 'connection to cell broke')
        // One that held is connected again at once, one that breaks at once is not.
        if (clock.nowMs() - openedMs > limits.reconnectMaxMs) {
          pauseMs = limits.reconnectMs
          this.#state = this.#connecting()
          continue
        }
      }
      this.#state = { kind: 'down' }
      this.#settle(undefined)
      await clock.sleep(pauseMs * (0.5 + Math.random() / 2), signal)
      pauseMs = Math.min(pauseMs * 2, limits.reconnectMaxMs)
    }
  }

  /** Undefined when nobody answers, or nobody knows where the cell is. */
  async #open(): Promise<CellLink | undefined> {
    const address = this.#parts.address()
    if (address === undefined) return undefined
    const { cell, credentials, clock, limits } = this.#parts
    return CellLink.open({ cell, address, credentials, clock, limits }).catch(() => undefined)
  }

  #connecting(): State {
    const outcome = new Promise<CellLink | undefined>((resolve) => {
      this.#settle = resolve
    })
    return { kind: 'connecting', outcome }
  }

  #unavailable(): CellUnavailable {
    return new CellUnavailable(`cell ${this.#parts.cell} does not serve at the moment`)
  }
}
