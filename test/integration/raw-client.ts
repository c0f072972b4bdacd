// Calls as a program in another language would make them: generated messages, status details, nothing retried.

import {
  Client,
  type ClientReadableStream,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import { Audience } from '../../gen/cellfeed/v1/post.ts'
import type { CreatePostRequest } from '../../gen/cellfeed/v1/post_service.ts'
import { ErrorInfo } from '../../gen/google/rpc/error_details.ts'
import { Status } from '../../gen/google/rpc/status.ts'

export type Method<Request, Response> = {
  readonly path: string
  readonly requestSerialize: (request: Request) => Buffer
  readonly responseDeserialize: (bytes: Buffer) => Response
}

export class RawClient {
  readonly #client: Client

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure())
  }

  /** Rejects with the ServiceError. Without a deadline if `timeoutMs` is infinite. */
  ask<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    timeoutMs = 10_000,
  ): Promise<Response> {
    const { path, requestSerialize, responseDeserialize } = method
    const options = Number.isFinite(timeoutMs) ? { deadline: Date.now() + timeoutMs } : {}
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        new Metadata(),
        options,
        (error, response) => {
          if (error === null && response !== undefined) resolve(response)
          else reject(error ?? new Error('an answer without a message'))
        },
      )
    })
  }

  stream<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
  ): RawStream<Response> {
    const { path, requestSerialize, responseDeserialize } = method
    const call = this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
    )
    return new RawStream(call)
  }

  /** How a call was refused. */
  refusal<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    timeoutMs?: number,
  ): Promise<Refusal> {
    return refusalOf(this.ask(method, request, timeoutMs))
  }

  close(): void {
    this.#client.close()
  }
}

export class RawStream<Message> {
  readonly #call: ClientReadableStream<Message>
  readonly #messages: AsyncIterator<Message>

  constructor(call: ClientReadableStream<Message>) {
    this.#call = call
    // A stream that is cancelled ends with an error that nobody waits for.
    call.on('error', () => undefined)
    this.#messages = (call as AsyncIterable<Message>)[Symbol.asyncIterator]()
  }

  async next(): Promise<Message> {
    const { value, done } = await this.#messages.next()
    if (done === true) throw new Error('the stream ended')
    return value
  }

  /** Messages until one is as wanted, which comes last. */
  async until(isWanted: (message: Message) => boolean): Promise<Message[]> {
    const taken = [await this.next()]
    while (!isWanted(taken.at(-1) as Message)) taken.push(await this.next())
    return taken
  }

  cancel(): void {
    this.#call.cancel()
  }
}

export type Refusal = {
  readonly code: string
  readonly reason: string
  readonly metadata: Readonly<Record<string, string>>
  readonly details: readonly string[]
  readonly message: string
}

/** Throws when the call was not refused. */
export async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  try {
    await call
  } catch (error) {
    return detailsOf(error as ServiceError)
  }
  throw new Error('the call was not refused')
}

function detailsOf(error: ServiceError): Refusal {
  const [bytes] = error.metadata.get('grpc-status-details-bin')
  const details = bytes instanceof Buffer ? Status.decode(bytes).details : []
  const info = details.find(({ typeUrl }) => typeUrl.endsWith('google.rpc.ErrorInfo'))
  const { reason, metadata } = ErrorInfo.decode(info?.value ?? Buffer.alloc(0))
  return {
    code: status[error.code],
    reason,
    metadata,
    details: details.map(({ typeUrl }) => typeUrl.replace('type.googleapis.com/google.rpc.', '')),
    message: error.details,
  }
}

export const newPost: CreatePostRequest = {
  authorId: '',
  postId: '',
  text: '',
  tags: [],
  payload: Buffer.alloc(0),
  reblogOf: undefined,
  audience: Audience.UNSPECIFIED,
  externalId: '',
}
