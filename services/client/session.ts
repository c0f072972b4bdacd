// Calls that see what was written and seen before through the same session: every answer's
// consistency token is kept, and every read carries them.

import { FirehoseServiceService } from '../../gen/cellfeed/v1/firehose_service.ts'
import { type CellfeedError, toCellfeedError } from './cellfeed-error.ts'
import type { CallOptions, Channel, Method } from './channel.ts'
import type { DirectReads } from './direct-reads.ts'
import type { TokenFrontier } from './token-frontier.ts'

interface Answer {
  readonly consistencyToken: string
}

interface TokenedRequest {
  readonly consistencyTokens: string[]
}

/** `ofUser`: whose cell can answer, if cells are asked directly. */
export type ReadOptions = CallOptions & { readonly ofUser?: string | undefined }

/** A stream that goes on by itself after a broken connection. */
export interface ResumableStream<Request> {
  /** The request that goes on where the stream is now. */
  readonly request: () => Request
  /** A stream that had answers ended so. */
  readonly broke?: (error: CellfeedError) => void
  /** The connection broke and is back: what happened meanwhile may be missing. */
  readonly resumed?: () => void
}

export class Session {
  readonly channel: Channel
  /** Undefined if reads need not see what was written: nothing is kept then. */
  readonly #frontier: TokenFrontier | undefined
  /** Undefined if every call goes through the gateway. */
  readonly #direct: DirectReads | undefined
  #startingOver: Promise<void> | undefined

  constructor(channel: Channel, frontier: TokenFrontier | undefined, direct?: DirectReads) {
    this.channel = channel
    this.#frontier = frontier
    this.#direct = direct
  }

  get tokens(): string[] {
    return this.#frontier?.tokens ?? []
  }

  /** A call that changes something. All writes but the publish without an id may be repeated. */
  async write<Request, Response extends Answer>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions & { readonly idempotent?: boolean } = {},
  ): Promise<Response> {
    const answer = await this.channel.unary(method, request, { idempotent: true, ...options })
    this.#frontier?.add(answer.consistencyToken)
    return answer
  }

  /** A call that takes consistency tokens, to which the session's are added. */
  async read<Request extends TokenedRequest, Response extends Answer>(
    method: Method<Request, Response>,
    request: Omit<Request, 'consistencyTokens'>,
    { ofUser, ...options }: ReadOptions = {},
  ): Promise<Response> {
    const consistencyTokens = await this.#tokensForRead()
    const full = { ...request, consistencyTokens } as Request
    const answer =
      ofUser === undefined || this.#direct === undefined
        ? await this.channel.unary(method, full, { ...options, idempotent: true })
        : await this.#direct.read(ofUser, { method, request: full }, options)
    this.#frontier?.advance(consistencyTokens, answer.consistencyToken)
    return answer
  }

  /** A call that neither waits for anything nor is waited for. */
  ask<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): Promise<Response> {
    return this.channel.unary(method, request, { ...options, idempotent: true })
  }

  /** A stream of answers; opened again where it was when the connection breaks. */
  async *stream<Request, Response extends Answer>(
    method: Method<Request, Response>,
    stream: ResumableStream<Request>,
    { ofUser, ...options }: ReadOptions,
  ): AsyncGenerator<Response, void, void> {
    let seen: string[] = []
    let failedAttempts = 0
    let wasAnswered = false
    for (;;) {
      const channel = await this.#channelFor(ofUser)
      let isAnswered = false
      try {
        const answers = channel.stream(method, stream.request(), options)
        for await (const answer of answers) {
          if (failedAttempts > 0) stream.resumed?.()
          failedAttempts = 0
          wasAnswered = true
          isAnswered = true
          if (answer.consistencyToken !== '') {
            // Of one stream a later token covers the earlier ones.
            this.#frontier?.advance(seen, answer.consistencyToken)
            seen = [answer.consistencyToken]
          }
          yield answer
        }
        return
      } catch (thrown) {
        const error: CellfeedError = toCellfeedError(thrown, channel.address)
        this.#direct?.failed(channel, error)
        if (isAnswered) stream.broke?.(error)
        failedAttempts += 1
        const failed = { attempts: failedAttempts, broken: wasAnswered }
        await this.channel.pauseOrThrow(error, failed, options)
      }
    }
  }

  /** From now on reads see everything that anyone has written up to now. */
  async seeEverything(options: CallOptions = {}): Promise<void> {
    this.#frontier?.startOver()
    try {
      const positions = await this.ask(FirehoseServiceService.getPositions, {}, options)
      this.#frontier?.add(positions.consistencyToken)
    } catch (thrown) {
      this.#frontier?.overflow()
      throw thrown
    }
  }

  /** Tokens for a stream's request. */
  tokensForStream(): Promise<string[]> {
    return this.#tokensForRead()
  }

  async #channelFor(userId: string | undefined): Promise<Channel> {
    if (userId === undefined || this.#direct === undefined) return this.channel
    return this.#direct.channelOf(userId)
  }

  async #tokensForRead(): Promise<string[]> {
    if (this.#frontier?.overflown) {
      this.#startingOver ??= this.seeEverything().finally(() => {
        this.#startingOver = undefined
      })
    }
    await this.#startingOver
    return this.tokens
  }
}
