// Everything the public API can answer besides success, in one table: a reason (documented in cellfeed/v1/errors.proto)
// and the gRPC status it travels under. Handlers throw ApiError; nothing else decides on a status.

import { Metadata, type StatusObject, status } from '@grpc/grpc-js'
import type { ErrorReason } from '../../gen/cellfeed/v1/errors.ts'
import type { Any } from '../../gen/google/protobuf/any.ts'
import { BadRequest, ErrorInfo, RetryInfo } from '../../gen/google/rpc/error_details.ts'
import { Status } from '../../gen/google/rpc/status.ts'

export type Reason = Exclude<keyof typeof ErrorReason, 'UNSPECIFIED' | 'UNRECOGNIZED'>

export const ERROR_DOMAIN = 'cellfeed'
const RETRY_AFTER_MS = 250

const STATUS_OF: Readonly<Record<Reason, status>> = {
  USER_ID_INVALID: status.INVALID_ARGUMENT,
  POST_ID_INVALID: status.INVALID_ARGUMENT,
  POST_ID_IN_FUTURE: status.INVALID_ARGUMENT,
  FIELD_REQUIRED: status.INVALID_ARGUMENT,
  ENUM_VALUE_UNKNOWN: status.INVALID_ARGUMENT,
  TEXT_TOO_LONG: status.INVALID_ARGUMENT,
  TAGS_INVALID: status.INVALID_ARGUMENT,
  PAYLOAD_TOO_LONG: status.INVALID_ARGUMENT,
  EXTERNAL_ID_INVALID: status.INVALID_ARGUMENT,
  REBLOG_OF_ITSELF: status.INVALID_ARGUMENT,
  SELF_RELATION: status.INVALID_ARGUMENT,
  PAGE_SIZE_INVALID: status.INVALID_ARGUMENT,
  PAGE_TOKEN_INVALID: status.INVALID_ARGUMENT,
  PAGE_TOKEN_MISMATCH: status.INVALID_ARGUMENT,
  PAGE_TOKEN_VERSION_UNSUPPORTED: status.INVALID_ARGUMENT,
  CONSISTENCY_TOKEN_INVALID: status.INVALID_ARGUMENT,
  COUNT_OUT_OF_RANGE: status.INVALID_ARGUMENT,
  BATCH_TOO_LARGE: status.INVALID_ARGUMENT,
  TIME_OUT_OF_RANGE: status.INVALID_ARGUMENT,
  POSITION_INVALID: status.INVALID_ARGUMENT,
  POST_NOT_FOUND: status.NOT_FOUND,
  POST_EXISTS: status.ALREADY_EXISTS,
  POST_DELETED: status.FAILED_PRECONDITION,
  USER_DELETED: status.FAILED_PRECONDITION,
  OTHER_LOG: status.FAILED_PRECONDITION,
  AS_OF_TOO_OLD: status.FAILED_PRECONDITION,
  MOVED: status.FAILED_PRECONDITION,
  MOVE_REFUSED: status.FAILED_PRECONDITION,
  POSITION_OUT_OF_RANGE: status.OUT_OF_RANGE,
  OVERLOADED: status.RESOURCE_EXHAUSTED,
  TOO_MANY_STREAMS: status.RESOURCE_EXHAUSTED,
  SUBSCRIBER_TOO_SLOW: status.RESOURCE_EXHAUSTED,
  CELL_UNAVAILABLE: status.UNAVAILABLE,
  FIREHOSE_UNAVAILABLE: status.UNAVAILABLE,
  SHUTTING_DOWN: status.UNAVAILABLE,
  CLOCK_SKEW: status.UNAVAILABLE,
  IDS_UNAVAILABLE: status.UNAVAILABLE,
  CONSISTENCY_NOT_REACHED: status.DEADLINE_EXCEEDED,
  WRITE_OUTCOME_UNKNOWN: status.DEADLINE_EXCEEDED,
  TOO_LATE: status.DEADLINE_EXCEEDED,
  INTERNAL_ERROR: status.INTERNAL,
}

export type ApiErrorDetails = {
  /** Path of the bad field in the request, for INVALID_ARGUMENT. */
  readonly field?: string
  readonly metadata?: Readonly<Record<string, string | number>>
  readonly cause?: unknown
}

/** A failed call, as the client is to see it. The message is one line for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: Reason
  readonly field: string | undefined
  readonly metadata: Readonly<Record<string, string | number>>

  constructor(code: Reason, message: string, details: ApiErrorDetails = {}) {
    super(message, { cause: details.cause })
    this.code = code
    this.field = details.field
    this.metadata = details.metadata ?? {}
  }

  get status(): status {
    return STATUS_OF[this.code]
  }
}

/** What went wrong, as an ApiError: known codes of ports by name, all else as INTERNAL_ERROR with this incident. */
export function apiErrorOf(error: unknown, incident: string): ApiError {
  if (error instanceof ApiError) return error
  const cause = { cause: error }
  switch (codeOf(error)) {
    case 'FIREHOSE_BUSY':
      return new ApiError('OVERLOADED', 'the firehose takes no more at the moment', {
        ...cause,
        metadata: { what: 'firehose' },
      })
    case 'CELL_BUSY':
      return new ApiError('OVERLOADED', "the user's cell takes no more at the moment", {
        ...cause,
        metadata: { what: 'cell' },
      })
    case 'STORE_UNAVAILABLE':
    case 'CELL_STOPPED':
    case 'CELL_UNAVAILABLE':
      return new ApiError('CELL_UNAVAILABLE', "the user's cell does not serve at the moment", cause)
    case 'TOO_MANY_WATCHERS':
      return new ApiError('TOO_MANY_STREAMS', 'this cell has as many watchers as it may', cause)
    case 'FIREHOSE_GAP':
      return new ApiError('POSITION_OUT_OF_RANGE', 'the log no longer holds this position', cause)
    default:
      return new ApiError('INTERNAL_ERROR', `internal error, incident ${incident}`, {
        ...cause,
        metadata: { incident },
      })
  }
}

/** The gRPC status of an error, with its details in the trailer that clients of every language know. */
export function statusOf(error: ApiError): StatusObject {
  const details = [
    packed(
      'google.rpc.ErrorInfo',
      ErrorInfo.encode({
        reason: error.code,
        domain: ERROR_DOMAIN,
        metadata: Object.fromEntries(
          Object.entries(error.metadata).map(([name, value]) => [name, String(value)]),
        ),
      }).finish(),
    ),
  ]
  if (error.status === status.INVALID_ARGUMENT) {
    const violation = {
      field: error.field ?? '',
      description: error.message,
      reason: error.code,
      localizedMessage: undefined,
    }
    details.push(
      packed('google.rpc.BadRequest', BadRequest.encode({ fieldViolations: [violation] }).finish()),
    )
  }
  if (error.status === status.RESOURCE_EXHAUSTED || error.status === status.UNAVAILABLE) {
    const retryDelay = { seconds: 0n, nanos: RETRY_AFTER_MS * 1_000_000 }
    details.push(packed('google.rpc.RetryInfo', RetryInfo.encode({ retryDelay }).finish()))
  }
  const metadata = new Metadata()
  const encoded = Status.encode({ code: error.status, message: error.message, details }).finish()
  metadata.set('grpc-status-details-bin', Buffer.from(encoded))
  return { code: error.status, details: error.message, metadata }
}

function packed(type: string, value: Uint8Array): Any {
  return { typeUrl: `type.googleapis.com/${type}`, value: Buffer.from(value) }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
