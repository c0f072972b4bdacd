// The one error of the client library: what went wrong, in the words of the API, whatever layer it
// comes from. What each reason means is in proto/cellfeed/v1/errors.proto.

import { type Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { BadRequest, ErrorInfo, RetryInfo } from '../../gen/google/rpc/error_details.ts'
import { Status } from '../../gen/google/rpc/status.ts'

/** A gRPC status code by name. */
export type ErrorCode = Exclude<keyof typeof status, 'OK'>

/** What a CellfeedError is made of. */
export interface ErrorFacts {
  readonly code: ErrorCode
  readonly message: string
  readonly reason?: string | undefined
  readonly field?: string | undefined
  readonly retryAfterMs?: number | undefined
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly cause?: unknown
}

/** Every failure of a call: `code` and `reason` are stable and for programs, `message` is one line for people. */
export class CellfeedError extends Error {
  override readonly name = 'CellfeedError'

  /** The gRPC code, for example 'NOT_FOUND'. 'CANCELLED' when the caller's AbortSignal fired. */
  readonly code: ErrorCode

  /**
   * A reason of the API's `ErrorReason`, for example 'POST_NOT_FOUND'; or one of this library's own:
   * 'UNREACHABLE' (no server answers there), 'TIMED_OUT' (no answer within `timeoutMs`),
   * 'CLIENT_CLOSED', 'ADDRESS_INVALID'. Empty when the server gave none.
   */
  readonly reason: string

  /** The path of the bad field, for example 'post.author_id', when one is to blame. */
  readonly field: string | undefined

  /** How long to wait at least before trying again, when the server said so. */
  readonly retryAfterMs: number | undefined

  /** What the server added to the reason, as documented there. */
  readonly metadata: Readonly<Record<string, string>>

  constructor(facts: ErrorFacts) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.code = facts.code
    this.reason = facts.reason ?? ''
    this.field = facts.field
    this.retryAfterMs = facts.retryAfterMs
    this.metadata = facts.metadata ?? {}
  }
}

/** Anything a call may fail with, as a CellfeedError. `address` is for messages. */
export function toCellfeedError(thrown: unknown, address: string): CellfeedError {
  if (thrown instanceof CellfeedError) return thrown
  if (!isServiceError(thrown)) {
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    return new CellfeedError({ code: 'INTERNAL', message, cause: thrown })
  }
  const code = codeName(thrown.code)
  const details = readDetails(thrown.metadata)
  if (details.reason === undefined) return fromGrpcItself(code, thrown, address)
  return new CellfeedError({ code, message: thrown.details, cause: thrown, ...details })
}

/** The failure of a call whose AbortSignal fired. */
export function cancelled(cause: unknown): CellfeedError {
  return new CellfeedError({ code: 'CANCELLED', message: 'the call was cancelled', cause })
}

function isServiceError(thrown: unknown): thrown is ServiceError {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'number'
}

function codeName(code: number): ErrorCode {
  const name = status[code]
  return name === undefined || name === 'OK' ? 'UNKNOWN' : (name as ErrorCode)
}

/** Errors that gRPC makes by itself carry no details: give those that a caller meets a reason. */
function fromGrpcItself(code: ErrorCode, error: ServiceError, address: string): CellfeedError {
  const facts = { code, cause: error }
  if (code === 'UNAVAILABLE') {
    const message = `no cellfeed server answers at ${address} (${lastErrorOf(error.details)})`
    return new CellfeedError({ ...facts, reason: 'UNREACHABLE', message })
  }
  if (code === 'DEADLINE_EXCEEDED') {
    const message = `${address} did not answer in time`
    return new CellfeedError({ ...facts, reason: 'TIMED_OUT', message })
  }
  if (code === 'UNIMPLEMENTED') {
    const message = `${address} does not know this call: is it a cellfeed server of this version?`
    return new CellfeedError({ ...facts, message })
  }
  return new CellfeedError({ ...facts, message: error.details || error.message })
}

function lastErrorOf(details: string): string {
  const connecting = /Last error: (?:Error: )?(.*?)\.? Resolution note/.exec(details)?.[1]
  // gRPC adds the time, which whoever reads it knows.
  return (connecting ?? (details || 'the connection broke')).replace(/ \(\d{4}-[\w:.-]+Z\)$/, '')
}

interface Details {
  reason?: string
  metadata?: Record<string, string>
  field?: string
  retryAfterMs?: number
}

const typeUrl = (type: string) => `type.googleapis.com/google.rpc.${type}`

function readDetails(metadata: Metadata | undefined): Details {
  const encoded = metadata?.get('grpc-status-details-bin')[0]
  if (!Buffer.isBuffer(encoded)) return {}
  const details: Details = {}
  for (const { typeUrl: type, value } of Status.decode(encoded).details) {
    if (type === typeUrl('ErrorInfo')) {
      const info = ErrorInfo.decode(value)
      details.reason = info.reason
      details.metadata = info.metadata
    } else if (type === typeUrl('BadRequest')) {
      const field = BadRequest.decode(value).fieldViolations[0]?.field
      if (field) details.field = field
    } else if (type === typeUrl('RetryInfo')) {
      const delay = RetryInfo.decode(value).retryDelay
      if (delay) details.retryAfterMs = Number(delay.seconds) * 1000 + delay.nanos / 1e6
    }
  }
  return details
}
