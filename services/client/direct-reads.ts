// Reads from the user's cell itself, without a gateway between. Where users live is asked once and kept until a cell says
// otherwise; whatever a cell can not answer, the gateway is asked for instead, so that no read fails for being direct.
//
//     cell of the user -- answers ----------------------------> done
//          |-- MOVED ------------> ask for the table again ---> the other cell, once, else the gateway
//          |-- does not answer --> leave that cell alone for a second -----> the gateway
//          `-- refuses for good (what was asked is wrong) ---> the error

import { RouterServiceService } from '../../gen/cellfeed/v1/router_service.ts'
import { type CellfeedError, type ErrorCode, toCellfeedError } from './cellfeed-error.ts'
import type { CallOptions, Channel, Method } from './channel.ts'
import { HomeTable } from './home-table.ts'

/** For so long a cell that did not answer is not asked, nor the table asked for that could not be had. */
const pauseMs = 1_000
const tableTimeoutMs = 2_000
/** The share of a call's time that its cell gets before the gateway is asked. */
const cellShare = 0.5
const final = new Set<ErrorCode>([
  'INVALID_ARGUMENT',
  'FAILED_PRECONDITION',
  'NOT_FOUND',
  'CANCELLED',
  'INTERNAL',
])

export interface DirectReadsParts {
  readonly gateway: Channel
  /** Whom to ask where users live: the gateway, or a router. */
  readonly router: Channel
  /** Opens a connection that repeats nothing by itself. */
  readonly open: (address: string) => Channel
  readonly timeoutMs: number
  readonly nowMs: () => number
}

export class DirectReads {
  readonly #parts: DirectReadsParts
  readonly #channels = new Map<string, Channel>()
  /** Until when an address is left alone. */
  readonly #doubted = new Map<string, number>()
  #table: HomeTable | undefined
  #asking: Promise<void> | undefined
  #askNotBeforeMs = 0
  /** The newest table that a cell spoke of. */
  #askedForEpoch = 0
  #isClosed = false

  constructor(parts: DirectReadsParts) {
    this.#parts = parts
  }

  /** A read of the user's; throws only what the gateway would throw too. */
  async read<Request, Response>(
    userId: string,
    call: { readonly method: Method<Request, Response>; readonly request: Request },
    options: CallOptions,
  ): Promise<Response> {
    const { method, request } = call
    const { gateway, nowMs } = this.#parts
    const endMs = nowMs() + (options.timeoutMs ?? this.#parts.timeoutMs)
    const leftMs = () => Math.max(1, endMs - nowMs())
    let asked: Channel | undefined
    for (let tries = 0; tries < 2; tries++) {
      const channel = await this.channelOf(userId, leftMs() * cellShare)
      if (channel === gateway || channel === asked) break
      asked = channel
      try {
        const timeoutMs = leftMs() * cellShare
        return await channel.unary(method, request, { ...options, timeoutMs, idempotent: true })
      } catch (thrown) {
        const error = toCellfeedError(thrown, channel.address)
        this.failed(channel, error)
        if (error.reason === 'MOVED') continue
        if (final.has(error.code)) throw error
        break
      }
    }
    return gateway.unary(method, request, { ...options, timeoutMs: leftMs(), idempotent: true })
  }

  /** To the user's cell, or to the gateway if that is not known or did not answer lately. */
  async channelOf(userId: string, patienceMs = tableTimeoutMs): Promise<Channel> {
    const { gateway, nowMs } = this.#parts
    const address = (await this.#tableNow(patienceMs))?.addressOf(userId)
    if (address === undefined || this.#isClosed) return gateway
    const untilMs = this.#doubted.get(address)
    if (untilMs === undefined) return this.#channelTo(address)
    if (nowMs() < untilMs) return gateway
    // It may be elsewhere by now.
    this.#doubted.delete(address)
    this.#table = undefined
    return this.channelOf(userId, patienceMs)
  }

  /** What a call on a channel failed with: decides where the next one goes. */
  failed(channel: Channel, error: CellfeedError): void {
    if (channel === this.#parts.gateway) return
    if (error.reason === 'MOVED') {
      const epoch = Number(error.metadata['epoch'])
      // A router that knows less than the cell is not asked at every call.
      if (epoch > Math.max(this.#table?.epoch ?? 0, this.#askedForEpoch)) this.#table = undefined
      else this.#doubt(channel.address)
      this.#askedForEpoch = Math.max(epoch, this.#askedForEpoch)
    } else if (!final.has(error.code)) {
      this.#doubt(channel.address)
    }
  }

  close(): void {
    this.#isClosed = true
    for (const channel of this.#channels.values()) channel.close()
  }

  #doubt(address: string): void {
    this.#doubted.set(address, this.#parts.nowMs() + pauseMs)
  }

  async #tableNow(patienceMs: number): Promise<HomeTable | undefined> {
    if (this.#table === undefined && this.#parts.nowMs() >= this.#askNotBeforeMs) {
      this.#asking ??= this.#ask(patienceMs).finally(() => {
        this.#asking = undefined
      })
      await this.#asking
    }
    return this.#table
  }

  async #ask(patienceMs: number): Promise<void> {
    const options = { timeoutMs: Math.min(patienceMs, tableTimeoutMs), idempotent: true }
    try {
      const homes = await this.#parts.router.unary(RouterServiceService.listHomes, {}, options)
      this.#table = new HomeTable(homes)
    } catch {
      // The gateway is asked meanwhile: if that fails too, its error is the one that tells.
      this.#askNotBeforeMs = this.#parts.nowMs() + pauseMs
    }
  }

  #channelTo(address: string): Channel {
    const known = this.#channels.get(address)
    if (known !== undefined) return known
    const made = this.#parts.open(address)
    this.#channels.set(address, made)
    return made
  }
}
