// The gateway's end of one stream to a cell: calls out, answers in, by number. A link is used until it breaks, and never again
// after that; CellConnection makes the next one.
//
//     opening --(the cell says who it is)--> open --(error, end, silence, close)--> broken

import { type ChannelCredentials, Client, Metadata } from '@grpc/grpc-js'
import type { CellName } from '../../cells/model/placement.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import {
  type Ask,
  CellServiceService,
  ConverseRequest,
  type Credit,
} from '../../gen/cellfeed/internal/v1/cell_service.ts'
import type { CellStreamLimits } from '../cell/cell-stream-limits.ts'
import { type CellReply, type CellResponse, decodeResponse } from '../cell/reply-codec.ts'
import { Silence } from '../cell/silence.ts'
import { encoded } from '../runtime/encoded.ts'
import { Outbox } from '../runtime/outbox.ts'
import { CellUnavailable } from './router.ts'

export type LinkParts = {
  readonly cell: CellName
  readonly address: string
  readonly credentials: ChannelCredentials
  readonly clock: Clock
  readonly limits: CellStreamLimits
}

/** Hears what comes for one call. */
export type Listener = {
  readonly reply: (reply: CellReply) => void
  /** No more comes. `sent` tells whether the cell may have heard of the call. */
  readonly broken: (error: CellUnavailable, sent: boolean) => void
}
type Frame =
  | { readonly kind: 'ask'; readonly ask: Ask }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'credit'; readonly credit: Credit }

const STREAM_WINDOW_BYTES = 4 * 1024 * 1024
const FRAME_BYTES = 256
const ID_MAX = 0xffff_ffff

export class CellLink {
  readonly address: string
  /** Resolves with why, when it is broken. */
  readonly broken: Promise<Error>
  readonly #parts: LinkParts
  readonly #client: Client
  readonly #stream
  readonly #outbox: Outbox<Frame>
  readonly #silence: Silence
  readonly #listeners = new Map<number, Listener>()
  /** Written to the stream: the cell may have heard of it. */
  readonly #unsent = new Set<number>()
  #isServing = false
  #isBroken = false
  #lastId = 0
  #opened: () => void = () => {}
  #break: (error: Error) => void = () => {}

  /** Resolves when the cell has said who it is. Throws CellUnavailable. */
  static async open(parts: LinkParts): Promise<CellLink> {
    const link = new CellLink(parts)
    const opened = new Promise<'open'>((resolve) => {
      link.#opened = () => resolve('open')
    })
    const ended = new AbortController()
    const tooLong = parts.clock.sleep(parts.limits.connectMs, ended.signal)
    const first = await Promise.race([opened, link.broken, tooLong])
    ended.abort()
    if (first === 'open') return link
    link.close()
    throw new CellUnavailable(`no cell ${parts.cell} answers at ${parts.address}`, {
      cause: first,
    })
  }

  private constructor(parts: LinkParts) {
    const { address, credentials, clock, limits } = parts
    this.#parts = parts
    this.address = address
    this.broken = new Promise((resolve) => {
      this.#break = resolve
    })
    this.#client = new Client(address, credentials, {
      'grpc.max_receive_message_length': limits.messageBytesMax,
      'grpc-node.flow_control_window': STREAM_WINDOW_BYTES,
      // Attempts and pauses are CellConnection's: this channel is for one connection.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
    })
    const { path } = CellServiceService.converse
    this.#stream = this.#client.makeBidiStreamRequest<ConverseRequest, CellResponse>(
      path,
      (request) => encoded(ConverseRequest, request),
      decodeResponse,
      new Metadata(),
      {},
    )
    this.#outbox = new Outbox({
      write: (frames) => this.#write(frames),
      bytesOf: () => FRAME_BYTES,
      batchBytes: limits.batchBytes,
    })
    this.#silence = new Silence({
      clock,
      limits,
      sign: () => this.#stream.write(NOTHING_TO_SAY),
      broken: () => this.#breakOff(new Error('the cell fell silent')),
    })
    this.#stream.on('data', (response: CellResponse) => this.#heard(response))
    this.#stream.on('drain', () => this.#outbox.drained())
    this.#stream.on('error', (error: Error) => this.#breakOff(error))
    this.#stream.on('end', () => this.#breakOff(new Error('the cell ended the stream')))
  }

  /** As the cell said last. */
  get isServing(): boolean {
    return this.#isServing && !this.#isBroken
  }

  get callsInFlight(): number {
    return this.#listeners.size
  }

  /** Asks; what comes for it goes to the listener until `forget`. Answers with the call's number. */
  ask(ask: Omit<Ask, 'id'>, listener: Listener): number {
    const id = this.#nextId()
    this.#listeners.set(id, listener)
    this.#unsent.add(id)
    this.#outbox.push({ kind: 'ask', ask: { ...ask, id } })
    return id
  }

  /** Tells the cell that nobody waits any more. */
  cancel(id: number): void {
    this.#outbox.push({ kind: 'cancel', id })
  }

  /** Lets a watch send so many more items. */
  grant(id: number, items: number): void {
    this.#outbox.push({ kind: 'credit', credit: { id, items } })
  }

  forget(id: number): void {
    this.#listeners.delete(id)
  }

  /** The cell refused a call because it does not serve: so it is until it says otherwise. */
  noteNotServing(): void {
    this.#isServing = false
  }

  close(): void {
    this.#breakOff(new Error('the connection was closed'))
  }

  #heard({ replies, state }: CellResponse): void {
    this.#silence.heard()
    for (const reply of replies) this.#listeners.get(reply.id)?.reply(reply)
    if (state === undefined) return
    if (state.cell !== this.#parts.cell) {
      this.#breakOff(new Error(`cell ${state.cell} answers there`))
      return
    }
    this.#isServing = state.serving
    this.#opened()
  }

  #write(frames: readonly Frame[]): boolean {
    const request: ConverseRequest = { asks: [], cancels: [], credits: [] }
    for (const frame of frames) {
      if (frame.kind === 'ask') {
        request.asks.push(frame.ask)
        this.#unsent.delete(frame.ask.id)
      } else if (frame.kind === 'cancel') request.cancels.push(frame.id)
      else request.credits.push(frame.credit)
    }
    return this.#stream.write(request)
  }

  #breakOff(error: Error): void {
    if (this.#isBroken) return
    this.#isBroken = true
    this.#silence.stop()
    this.#outbox.close()
    this.#stream.cancel()
    this.#client.close()
    const told = new CellUnavailable(`the connection to cell ${this.#parts.cell} broke`, {
      cause: error,
    })
    const listeners = [...this.#listeners]
    this.#listeners.clear()
    for (const [id, listener] of listeners) listener.broken(told, !this.#unsent.has(id))
    this.#break(error)
  }

  #nextId(): number {
    do this.#lastId = this.#lastId === ID_MAX ? 1 : this.#lastId + 1
    while (this.#listeners.has(this.#lastId))
    return this.#lastId
  }
}

const NOTHING_TO_SAY: ConverseRequest = { asks: [], cancels: [], credits: [] }
