// The cell's end of one stream: answers asks as they are done, in any order; pushes the items of watches as far as there is
// credit; cancels what the gateway no longer waits for, and everything when the stream ends.
//
// Nothing here grows with what a gateway does not take: calls, answers on their way and items ahead are bounded, a watch waits
// in the cell, whose own queue for it is bounded too.

import type { ServerDuplexStream } from '@grpc/grpc-js'
import type { CellName } from '../../cells/model/placement.ts'
import type { Position } from '../../cells/model/position.ts'
import type { UserKey } from '../../cells/model/user-key.ts'
import type { CellClient } from '../../cells/ports/cell-client.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { Ask, ConverseRequest } from '../../gen/cellfeed/internal/v1/cell_service.ts'
import type { Logger } from '../runtime/log.ts'
import { Outbox } from '../runtime/outbox.ts'
import { CorruptMessage } from '../runtime/protobuf-fields.ts'
import { answerAsk, answered, asViewer, type UnaryAsk } from './answer-ask.ts'
import { keyOfBytes } from './cell-messages.ts'
import type { CellStreamLimits } from './cell-stream-limits.ts'
import { positionOfBytes } from './position-bytes.ts'
import { bytesOfReply, type CellReply, type CellResponse } from './reply-codec.ts'
import { Silence } from './silence.ts'
import { WatchFeed } from './watch-feed.ts'

type Stream = ServerDuplexStream<ConverseRequest, CellResponse>
type Parts = {
  readonly cell: CellName
  readonly hosted: () => CellClient | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly limits: CellStreamLimits
}

export class Conversation {
  readonly ended: Promise<void>
  readonly #stream: Stream
  readonly #parts: Parts
  readonly #outbox: Outbox<CellReply>
  readonly #silence: Silence
  readonly #calls = new Map<number, AskedCall>()
  readonly #watches = new Map<number, WatchFeed>()
  #isServing: boolean | undefined
  #isEnded = false
  #isClosing = false
  #end: () => void = () => {}
  #idle: () => void = () => {}

  constructor(stream: Stream, parts: Parts) {
    this.#stream = stream
    this.#parts = parts
    const { clock, limits } = parts
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
    this.#outbox = new Outbox({
      write: (replies) => stream.write({ replies, state: undefined }),
      bytesOf: bytesOfReply,
      batchBytes: limits.batchBytes,
    })
    this.#silence = new Silence({
      clock,
      limits,
      sign: () => this.#sayState(),
      broken: () => this.#giveUp('the gateway fell silent'),
    })
    stream.on('data', (request: ConverseRequest) => this.#heard(request))
    stream.on('drain', () => this.#outbox.drained())
    stream.on('end', () => this.#finish())
    stream.on('error', () => this.#finish())
    stream.on('cancelled', () => this.#finish())
    this.#sayState()
  }

  /** Says that the cell no longer serves, waits for the calls that run, ends watches and stream. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#sayState()
    // One that waits for an event would wait for long: it is answered `late`, and repeated elsewhere.
    for (const call of this.#calls.values()) call.cancel()
    for (const watch of this.#watches.values()) watch.stop()
    if (this.#calls.size > 0 || this.#watches.size > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#idle = resolve
      })
      await Promise.race([idle, this.ended])
    }
    this.#outbox.flush()
    this.#finish()
  }

  #heard({ asks, cancels, credits }: ConverseRequest): void {
    this.#silence.heard()
    for (const ask of asks) this.#asked(ask)
    for (const id of cancels) {
      this.#calls.get(id)?.cancel()
      this.#watches.get(id)?.cancel()
    }
    for (const { id, items } of credits) this.#watches.get(id)?.grant(items)
  }

  #asked(ask: Ask): void {
    const cell = this.#parts.hosted()
    if (this.#isServing !== (cell !== undefined)) this.#sayState()
    if (cell === undefined) {
      this.#fail(ask.id, new CellCallRefused('CELL_UNAVAILABLE', 'it does not serve at the moment'))
      return
    }
    const { callsInFlightMax, repliesBytesMax } = this.#parts.limits
    const isFull = this.#calls.size >= callsInFlightMax
    if (isFull || this.#outbox.queuedBytes > repliesBytesMax) {
      this.#fail(ask.id, new CellCallRefused('CELL_BUSY', 'too much is asked of it'))
      return
    }
    const id = ask.id
    const call = askedCall(ask)
    if (call === undefined || this.#calls.has(id) || this.#watches.has(id)) {
      this.#fail(id, new CorruptMessage('a call that cannot be read, or whose id is taken'))
      return
    }
    this.#calls.set(id, call)
    const work = ask.call?.$case === 'watch' ? this.#watch(cell, ask) : this.#answer(cell, ask)
    void work.then(undefined, (error: unknown) => this.#fail(id, error)).then(() => this.#left(id))
  }

  async #answer(cell: CellClient, { id, call }: Ask): Promise<void> {
    const asked = this.#calls.get(id)
    if (call === undefined || call.$case === 'watch' || asked === undefined) {
      throw new CorruptMessage('a call of a kind that this version does not know')
    }
    const unary: UnaryAsk = call
    this.#say({ id, ...(await answerAsk(cell, unary, asked)) })
  }

  /** Resolves when the watch is open: from then on it is no call any more. */
  async #watch(cell: CellClient, { id, call }: Ask): Promise<void> {
    const asked = this.#calls.get(id)
    if (asked === undefined || call?.$case !== 'watch') return
    const { since } = call.value
    const answer = await cell.watch(
      asViewer(asked),
      since === undefined ? undefined : positionOfBytes(since),
    )
    this.#say({ id, ...answered(answer, () => ({ $case: 'watch', value: {} })) })
    if (answer.kind !== 'ok') return
    const feed = new WatchFeed({
      id,
      items: answer.value,
      credit: call.value.credit,
      say: (reply) => this.#say(reply),
      fail: (error) => this.#fail(id, error),
      over: () => {
        asked.cancel()
        this.#watches.delete(id)
        this.#left(id)
      },
    })
    this.#watches.set(id, feed)
    if (this.#isEnded) feed.cancel()
    else if (this.#isClosing) feed.stop()
    void feed.run()
  }

  #left(id: number): void {
    this.#calls.delete(id)
    if (this.#calls.size === 0 && this.#watches.size === 0) this.#idle()
  }

  #say(reply: CellReply): void {
    if (!this.#isEnded) this.#outbox.push(reply)
  }

  /** Errors with a stable code are the gateway's to judge; all others are faults, and told here with their stack. */
  #fail(id: number, error: unknown): void {
    const isKnown = error instanceof Error && 'code' in error && typeof error.code === 'string'
    const code = isKnown ? String(error.code) : 'CELL_FAULT'
    const message = error instanceof Error ? error.message : String(error)
    if (!isKnown) this.#parts.log.error({ cell: this.#parts.cell, err: error }, 'a call failed')
    const outcome = { $case: 'failure', value: { code, message } } as const
    this.#say({ id, position: NO_POSITION, outcome, posts: [] })
  }

  #sayState(): void {
    if (this.#isEnded) return
    const serving = !this.#isClosing && this.#parts.hosted() !== undefined
    this.#isServing = serving
    this.#stream.write({ replies: [], state: { cell: this.#parts.cell, serving } })
  }

  #giveUp(why: string): void {
    this.#parts.log.info({ cell: this.#parts.cell, why }, 'stream given up')
    this.#finish()
  }

  #finish(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#silence.stop()
    this.#outbox.close()
    for (const call of this.#calls.values()) call.cancel()
    for (const watch of this.#watches.values()) watch.cancel()
    this.#stream.end()
    this.#end()
  }
}

const NO_POSITION = Buffer.alloc(0)

class CellCallRefused extends Error {
  override readonly name = 'CellCallRefused'
  readonly code: 'CELL_UNAVAILABLE' | 'CELL_BUSY'

  constructor(code: CellCallRefused['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** A call that came on the stream. Most never wait, so the signal is made only when somebody looks. */
class AskedCall {
  readonly viewer: UserKey | undefined
  readonly epoch: number
  readonly seen: Position
  #abort: AbortController | undefined
  #isCancelled = false

  constructor({ viewer, epoch, seen }: Ask) {
    this.viewer = keyOfBytes(viewer)
    this.epoch = epoch
    this.seen = positionOfBytes(seen)
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.#isCancelled) this.#abort.abort()
    return this.#abort.signal
  }

  cancel(): void {
    this.#isCancelled = true
    this.#abort?.abort()
  }
}

function askedCall(ask: Ask): AskedCall | undefined {
  try {
    return new AskedCall(ask)
  } catch {
    return undefined
  }
}
