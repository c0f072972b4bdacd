// One gRPC connection, and calls on it as promises and async iterables: deadlines, AbortSignals,
// retries, and every failure as a CellfeedError. Knows nothing of what the calls mean.

import {
  type ChannelCredentials,
  Client,
  type ClientOptions,
  credentials,
  Metadata,
} from '@grpc/grpc-js'
import { CellfeedError, cancelled, toCellfeedError } from './cellfeed-error.ts'
import { pause } from './pause.ts'
import { pauseBeforeRetry, type RetryPolicy, resumePolicyOf } from './retry.ts'

/** What every call takes. */
export interface CallOptions {
  /** Ends the call, which then fails with code 'CANCELLED'. */
  readonly signal?: AbortSignal | undefined
  /** How long the call may take, all its attempts together. Streams have no limit. */
  readonly timeoutMs?: number | undefined
}

/** TLS to the server, in PEM texts. */
export interface ClientTls {
  /** Whom to trust. Unless given, whom the system trusts. */
  readonly ca?: string | undefined
  /** What to show, to a server that asks for it: both or none. */
  readonly certificate?: string | undefined
  readonly key?: string | undefined
}

export interface ChannelSettings {
  readonly address: string
  /** Undefined: a plain connection. */
  readonly tls?: ClientTls | undefined
  readonly timeoutMs: number
  readonly retry: RetryPolicy
}

/** A method of a generated service definition. */
export interface Method<Request, Response> {
  readonly path: string
  readonly requestSerialize: (request: Request) => Buffer
  readonly responseDeserialize: (bytes: Buffer) => Response
}

/** A page may hold 4 MiB of posts, and a batch to import as much; envelopes come on top. */
const messageBytesMax = 8 << 20

const channelOptions: ClientOptions = {
  'grpc.max_receive_message_length': messageBytesMax,
  'grpc.max_send_message_length': messageBytesMax,
  // Pages are some 20 KB: with the default window of 64 KB a few at once stall each other.
  'grpc-node.flow_control_window': 4 << 20,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
  // Retries are made in one layer only: here.
  'grpc.enable_retries': 0,
}

export class Channel {
  readonly address: string
  readonly retries: boolean
  readonly #settings: ChannelSettings
  readonly #client: Client
  /** What ends each call and pause that is under way. */
  readonly #ends = new Set<() => void>()
  #isClosed = false

  constructor(settings: ChannelSettings) {
    this.#settings = settings
    this.address = settings.address
    this.retries = settings.retry.attemptsMax > 1
    this.#client = new Client(settings.address, credentialsOf(settings.tls), channelOptions)
  }

  /** A unary call. `idempotent`: made twice it is the same as made once. */
  async unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions & { readonly idempotent: boolean },
  ): Promise<Response> {
    const { signal } = options
    const deadlineMs = Date.now() + (options.timeoutMs ?? this.#settings.timeoutMs)
    for (let attempts = 1; ; attempts += 1) {
      this.#throwIfEnded(signal)
      try {
        return await this.#attempt(method, request, { signal, deadlineMs })
      } catch (thrown) {
        this.#throwIfEnded(signal, thrown)
        const error = toCellfeedError(thrown, this.address)
        await this.#pauseOrThrow(error, {
          attempts,
          idempotent: options.idempotent,
          leftMs: deadlineMs - Date.now(),
          signal,
        })
      }
    }
  }

  /**
   * The answers of one server stream, until it ends. The stream is cancelled when the loop over it is
   * left, and is read no faster than the loop goes.
   */
  async *stream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions,
  ): AsyncGenerator<Response, void, void> {
    const { signal } = options
    this.#throwIfEnded(signal)
    const call = this.#client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      new Metadata(),
      {},
    )
    // A cancelled call still reports that it was cancelled, maybe when nobody reads any more.
    call.on('error', () => {})
    const release = this.#onEnd(signal, () => call.cancel())
    try {
      for await (const response of call) yield response as Response
    } catch (thrown) {
      this.#throwIfEnded(signal, thrown)
      throw toCellfeedError(thrown, this.address)
    } finally {
      release()
      call.cancel()
    }
  }

  /**
   * Waits before a stream is opened again; throws its error if it is not to be. `broken`: a stream
   * that was answered before, in contrast to one that never was.
   */
  async pauseOrThrow(
    error: CellfeedError,
    failed: { readonly attempts: number; readonly broken: boolean },
    { signal }: CallOptions,
  ): Promise<void> {
    const { retry } = this.#settings
    const attempt = { attempts: failed.attempts, idempotent: true, leftMs: Infinity, signal }
    await this.#pauseOrThrow(error, attempt, failed.broken ? resumePolicyOf(retry) : retry)
  }

  /** Ends all calls and the connection. */
  close(): void {
    this.#isClosed = true
    for (const end of this.#ends) end()
    this.#client.close()
  }

  #attempt<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    limits: { readonly signal: AbortSignal | undefined; readonly deadlineMs: number },
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        new Metadata(),
        { deadline: limits.deadlineMs },
        (error, response) => {
          release()
          if (error) reject(error)
          else if (response === undefined) reject(new Error('an answer without a message'))
          else resolve(response)
        },
      )
      const release = this.#onEnd(limits.signal, () => call.cancel())
    })
  }

  async #pauseOrThrow(
    error: CellfeedError,
    failed: {
      attempts: number
      idempotent: boolean
      leftMs: number
      signal: AbortSignal | undefined
    },
    policy = this.#settings.retry,
  ): Promise<void> {
    const { signal, ...attempt } = failed
    const facts = { error, random: Math.random(), ...attempt }
    const pauseMs = pauseBeforeRetry(facts, policy)
    if (pauseMs === undefined) throw error
    await pause(pauseMs, (end) => this.#onEnd(signal, end))
    this.#throwIfEnded(signal, error)
  }

  /** Calls `end` when the signal fires or the channel is closed, until what it returns is called. */
  #onEnd(signal: AbortSignal | undefined, end: () => void): () => void {
    this.#ends.add(end)
    signal?.addEventListener('abort', end, { once: true })
    return () => {
      this.#ends.delete(end)
      signal?.removeEventListener('abort', end)
    }
  }

  #throwIfEnded(signal: AbortSignal | undefined, cause?: unknown): void {
    if (this.#isClosed) {
      const message = 'the connection was closed by close()'
      throw new CellfeedError({ code: 'CANCELLED', reason: 'CLIENT_CLOSED', message, cause })
    }
    if (signal?.aborted) throw cancelled(signal.reason)
  }
}

function credentialsOf(tls: ClientTls | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure()
  const bytes = (pem: string | undefined) => (pem === undefined ? null : Buffer.from(pem))
  return credentials.createSsl(bytes(tls.ca), bytes(tls.key), bytes(tls.certificate))
}
