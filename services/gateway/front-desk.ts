// Where every call comes in: admission (bounds on calls and streams), deadline, error to status, metrics, and the drain at
// the end. Handlers are plain async functions; none of them knows gRPC.

import { randomBytes } from 'node:crypto'
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  ServerUnaryCall,
  ServerWritableStream,
  StatusObject,
} from '@grpc/grpc-js'
import type { Logger } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { CallDeadline, type LateReason } from './call-deadline.ts'
import { ApiError, apiErrorOf, statusOf } from './errors.ts'
import type { GatewayLimits } from './gateway-limits.ts'

export type CallContext = {
  /** Aborts when the client went away, when waiting no longer helps, or when the server stops. */
  readonly signal: AbortSignal
}
export type Handle<Request, Response> = (
  request: Request,
  context: CallContext,
) => Promise<Response>
type CallKind = { readonly method: string; readonly late: LateReason }
export type Open<Request, Message> = (
  request: Request,
  context: CallContext,
) => AsyncIterable<Message>

export class FrontDesk {
  readonly #limits: GatewayLimits
  readonly #metrics: Metrics
  readonly #log: Logger
  readonly #streams = new Set<AbortController>()
  #callsInFlight = 0
  #isClosing = false
  #idle: (() => void) | undefined

  constructor(parts: {
    readonly limits: GatewayLimits
    readonly metrics: Metrics
    readonly log: Logger
  }) {
    this.#limits = parts.limits
    this.#metrics = parts.metrics
    this.#log = parts.log
  }

  get limits(): GatewayLimits {
    return this.#limits
  }

  /** A call that changes nothing. */
  unary<Request, Response>(
    method: string,
    handle: Handle<Request, Response>,
  ): handleUnaryCall<Request, Response> {
    return this.#unary({ method, late: 'TOO_LATE' }, handle)
  }

  /** A call that changes something: if it takes too long, it may have done so. */
  write<Request, Response>(
    method: string,
    handle: Handle<Request, Response>,
  ): handleUnaryCall<Request, Response> {
    return this.#unary({ method, late: 'WRITE_OUTCOME_UNKNOWN' }, handle)
  }

  /** `streamsMax` bounds the streams of this method; `open` ends its iteration when the signal aborts. */
  stream<Request, Message>(
    method: string,
    streamsMax: number,
    open: Open<Request, Message>,
  ): handleServerStreamingCall<Request, Message> {
    let openNow = 0
    return (call) => {
      const full = openNow >= streamsMax
      const refusal = this.#isClosing ? shuttingDown() : full ? tooMany(streamsMax) : undefined
      if (refusal !== undefined) {
        endWith(call, this.#failed(method, refusal))
        return
      }
      openNow++
      this.#metrics.streams.set({ method }, openNow)
      void this.#serve(method, call, open).finally(() => {
        openNow--
        this.#metrics.streams.set({ method }, openNow)
        this.#left()
      })
    }
  }

  /** Refuses what is new, ends streams, and resolves when the calls that were running are answered. */
  close(): Promise<void> {
    this.#isClosing = true
    for (const stream of this.#streams) stream.abort()
    return new Promise((resolve) => {
      this.#idle = resolve
      this.#left()
    })
  }

  #unary<Request, Response>(
    kind: CallKind,
    handle: Handle<Request, Response>,
  ): handleUnaryCall<Request, Response> {
    return (call, reply) => {
      void this.#answer(kind, call, handle).then((outcome) =>
        'error' in outcome ? reply(outcome.error) : reply(null, outcome.response),
      )
    }
  }

  /** Never rejects: what goes wrong is a status. */
  async #answer<Request, Response>(
    { method, late }: CallKind,
    call: ServerUnaryCall<Request, Response>,
    handle: Handle<Request, Response>,
  ): Promise<{ readonly response: Response } | { readonly error: StatusObject }> {
    const refusal = this.#refusal()
    if (refusal !== undefined) return { error: this.#failed(method, refusal) }
    const deadline = new CallDeadline(call.getDeadline(), Date.now(), this.#limits, late)
    call.on('cancelled', () => deadline.cancel())
    const ended = this.#began(method)
    try {
      const work = async () => handle(call.request, { signal: deadline.signal })
      const response = await deadline.race(work())
      this.#metrics.calls.inc({ method, code: 'OK' })
      return { response }
    } catch (error) {
      // Nobody hears the answer to a call that was cancelled, so its code would mislead.
      return { error: this.#failed(method, error, call.cancelled ? 'CANCELLED' : undefined) }
    } finally {
      ended()
    }
  }

  async #serve<Request, Message>(
    method: string,
    call: ServerWritableStream<Request, Message>,
    open: Open<Request, Message>,
  ): Promise<void> {
    const ending = new AbortController()
    this.#streams.add(ending)
    call.on('cancelled', () => ending.abort())
    try {
      for await (const message of open(call.request, { signal: ending.signal })) {
        if (ending.signal.aborted) break
        if (!call.write(message)) await drained(call, ending.signal, this.#limits.streamStallMs)
      }
      if (this.#isClosing) throw shuttingDown()
      this.#metrics.calls.inc({ method, code: 'OK' })
      call.end()
    } catch (error) {
      if (call.cancelled) this.#metrics.calls.inc({ method, code: 'CANCELLED' })
      else endWith(call, this.#failed(method, this.#isClosing ? shuttingDown() : error))
    } finally {
      this.#streams.delete(ending)
    }
  }

  #refusal(): ApiError | undefined {
    if (this.#isClosing) return shuttingDown()
    if (this.#callsInFlight < this.#limits.callsInFlightMax) return undefined
    return new ApiError('OVERLOADED', 'too many calls are being answered', {
      metadata: { what: 'calls' },
    })
  }

  #began(method: string): () => void {
    const startedMs = performance.now()
    this.#callsInFlight++
    this.#metrics.callsInFlight.set(this.#callsInFlight)
    return () => {
      this.#callsInFlight--
      this.#metrics.callsInFlight.set(this.#callsInFlight)
      this.#metrics.callSeconds.observe({ method }, (performance.now() - startedMs) / 1000)
      this.#left()
    }
  }

  #left(): void {
    if (this.#callsInFlight === 0 && this.#streams.size === 0) this.#idle?.()
  }

  /** The status to answer with; faults of the server's own are logged here, once. */
  #failed(method: string, error: unknown, counted?: 'CANCELLED'): StatusObject {
    const incident = randomBytes(4).toString('hex')
    const failure = apiErrorOf(error, incident)
    if (failure.code === 'INTERNAL_ERROR')
      this.#log.error({ method, incident, err: error }, 'call failed')
    this.#metrics.calls.inc({ method, code: counted ?? failure.code })
    return statusOf(failure)
  }
}

/** Resolves when the client took what was written; rejects when it takes too long, resolves when the signal aborts. */
function drained<Request, Message>(
  call: ServerWritableStream<Request, Message>,
  signal: AbortSignal,
  stallMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (error?: ApiError) => {
      clearTimeout(timer)
      call.off('drain', onDrain)
      signal.removeEventListener('abort', onDrain)
      if (error === undefined) resolve()
      else reject(error)
    }
    const onDrain = () => finish()
    const timer = setTimeout(() => {
      finish(new ApiError('SUBSCRIBER_TOO_SLOW', `nothing was taken for ${stallMs} ms`))
    }, stallMs)
    call.on('drain', onDrain)
    signal.addEventListener('abort', onDrain)
    if (signal.aborted) finish()
  })
}

function endWith<Request, Message>(
  call: ServerWritableStream<Request, Message>,
  status: StatusObject,
): void {
  call.emit('error', status)
}

function shuttingDown(): ApiError {
  return new ApiError('SHUTTING_DOWN', 'this server is about to stop')
}

function tooMany(limit: number): ApiError {
  const message = `${limit} streams of this kind are open, as many as this server serves`
  return new ApiError('TOO_MANY_STREAMS', message, { metadata: { limit } })
}
