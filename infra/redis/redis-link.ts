// One connection to Redis, as a cache wants it: commands go out in the order of the calls, those of one turn of the event loop
// in one piece, and every call gets its reply within `answerMs` or is told that there is none. Nothing is queued while there is
// no connection, nothing is sent twice, and what is unanswered is bounded, also when nobody waits for it any more.
//
//     call ──> batch of this turn ──> socket ──> reply in time: answered, or refused by Redis
//       │                               └──────> deadline: late (the command may still be carried out)
//       └── no connection, breaker open, too much unanswered: unasked

import { type ChainableCommander, Redis } from 'ioredis'
import { type BreakerState, CLOSED, isAdmitting, next } from './breaker.ts'
import type { CacheLimits } from './cache-limits.ts'
import type { RedisOptions } from './redis-options.ts'

export type Reply =
  | { readonly kind: 'answered'; readonly value: unknown }
  /** Redis said no; `why` is what it said. */
  | { readonly kind: 'refused'; readonly why: string }
  /** No answer in time, or the connection ended: it may have happened, or may happen yet. */
  | { readonly kind: 'late' | 'lost' }
  /** It was not sent. */
  | { readonly kind: 'unasked' }

export type LinkChange = { readonly isUp: boolean; readonly detail: string }
export type LinkOptions = RedisOptions & {
  /** What Redis lists this connection as. */
  readonly connectionName: string
  readonly limits: CacheLimits
  readonly onChange: (change: LinkChange) => void
}

type Call = { readonly bytes: number; readonly settle: (reply: Reply) => void }
type Batch = { readonly pipeline: ChainableCommander; readonly calls: Call[] }

export class RedisLink {
  readonly #redis: Redis
  readonly #limits: CacheLimits
  #isUp = false
  #breaker: BreakerState = CLOSED
  #batch: Batch | undefined
  #unanswered = 0
  #unansweredBytes = 0

  private constructor(options: LinkOptions) {
    this.#limits = options.limits
    this.#redis = clientOf(options)
    let trouble = ''
    // Without a listener ioredis prints them; the connection is made anew in any case.
    this.#redis.on('error', (error: Error) => {
      trouble = error.message
    })
    this.#redis.on('ready', () => {
      this.#isUp = true
      trouble = ''
      options.onChange({ isUp: true, detail: '' })
    })
    this.#redis.on('close', () => {
      this.#isUp = false
      options.onChange({ isUp: false, detail: trouble })
    })
  }

  /** Resolves with the first connection, or when it takes too long: it goes on trying either way. */
  static async open(options: LinkOptions): Promise<RedisLink> {
    const link = new RedisLink(options)
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, options.limits.openMs)
    })
    const connected = link.#redis.connect().catch(() => undefined)
    await Promise.race([connected, patience])
    clearTimeout(timer)
    return link
  }

  get isUp(): boolean {
    return this.#isUp
  }

  get breaker(): BreakerState['kind'] {
    return this.#breaker.kind
  }

  /** Commands that Redis has not answered yet. */
  get unanswered(): number {
    return this.#unanswered
  }

  /** Sends the one command that `add` puts into the pipeline, of about `bytes`. Calls `add` at once, or never. */
  send(bytes: number, add: (pipeline: ChainableCommander) => void): Promise<Reply> {
    const nowMs = performance.now()
    if (!this.#hasRoom(bytes) || !isAdmitting(this.#breaker, nowMs)) {
      return Promise.resolve({ kind: 'unasked' })
    }
    this.#breaker = next(this.#breaker, 'asked', nowMs, this.#limits)
    this.#unanswered++
    this.#unansweredBytes += bytes
    const batch = this.#openBatch()
    add(batch.pipeline)
    const reply = new Promise<Reply>((settle) => batch.calls.push({ bytes, settle }))
    if (batch.calls.length >= this.#limits.pipelineCommandsMax) this.#flush()
    return reply
  }

  close(): void {
    this.#isUp = false
    this.#redis.disconnect()
  }

  #hasRoom(bytes: number): boolean {
    return (
      this.#isUp &&
      this.#unanswered < this.#limits.unansweredMax &&
      this.#unansweredBytes + bytes <= this.#limits.unansweredBytesMax
    )
  }

  #openBatch(): Batch {
    if (this.#batch !== undefined) return this.#batch
    this.#batch = { pipeline: this.#redis.pipeline(), calls: [] }
    // After all that this turn still does: twenty bodies of a page that were read together are one write.
    process.nextTick(() => this.#flush())
    return this.#batch
  }

  #flush(): void {
    const batch = this.#batch
    if (batch === undefined) return
    this.#batch = undefined
    void this.#exchange(batch)
  }

  async #exchange({ pipeline, calls }: Batch): Promise<void> {
    let isLate = false
    const cancel = this.#atDeadline(() => {
      isLate = true
      this.#count('failed')
      for (const call of calls) call.settle({ kind: 'late' })
    })
    const results = (await pipeline.exec()) ?? []
    cancel()
    for (const { bytes } of calls) this.#unansweredBytes -= bytes
    this.#unanswered -= calls.length
    if (isLate) return
    const replies = calls.map((_, i) => replyOf(results[i]))
    this.#count(replies.some(({ kind }) => kind === 'lost') ? 'failed' : 'answered')
    for (const [i, call] of calls.entries()) call.settle(replies[i] ?? LOST)
  }

  #count(event: 'answered' | 'failed'): void {
    this.#breaker = next(this.#breaker, event, performance.now(), this.#limits)
  }

  /**
   * A process that was busy for `answerMs` finds its timers due before it has looked at its sockets: the answer may be there.
   * So the deadline passes only after the event loop has read them once more.
   */
  #atDeadline(passed: () => void): () => void {
    let immediate: NodeJS.Immediate | undefined
    const timer = setTimeout(() => {
      immediate = setImmediate(passed)
    }, this.#limits.answerMs)
    return () => {
      clearTimeout(timer)
      clearImmediate(immediate)
    }
  }
}

const LOST: Reply = { kind: 'lost' }

function replyOf(result: [error: Error | null, value: unknown] | undefined): Reply {
  if (result === undefined) return LOST
  const [error, value] = result
  if (error === null) return { kind: 'answered', value }
  // Any other error means that the connection ended.
  return error.name === 'ReplyError' ? { kind: 'refused', why: error.message } : LOST
}

function clientOf({ limits, tls, ...options }: LinkOptions): Redis {
  return new Redis({
    host: options.host,
    port: options.port,
    db: options.database,
    username: options.username,
    password: options.password,
    ...(tls === undefined
      ? {}
      : { tls: { ca: tls.ca, cert: tls.certificate, key: tls.key, minVersion: 'TLSv1.2' } }),
    connectionName: options.connectionName,
    disableClientInfo: true,
    // Its answers have the same shapes with both, and with this one a password needs no HELLO.
    protocol: 2,
    lazyConnect: true,
    connectTimeout: limits.connectMs,
    socketTimeout: limits.silenceMs,
    disconnectTimeout: limits.connectMs,
    // What was on its way when a connection ended is rejected at once, and never sent again on the next one.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => {
      const pauseMs = Math.min(limits.reconnectMs * 2 ** (times - 1), limits.reconnectMaxMs)
      return Math.ceil(pauseMs * (1 - Math.random() / 2))
    },
  })
}
