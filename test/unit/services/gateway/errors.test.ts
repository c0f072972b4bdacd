// Errors on the wire: a status, and details that clients of every language can read.

import { status } from '@grpc/grpc-js'
import { describe, expect, test } from 'vitest'
import { BadRequest, ErrorInfo, RetryInfo } from '../../../../gen/google/rpc/error_details.ts'
import { Status } from '../../../../gen/google/rpc/status.ts'
import { ApiError, apiErrorOf, statusOf } from '../../../../services/gateway/errors.ts'

function detailsOf(error: ApiError) {
  const sent = statusOf(error)
  const [bytes] = sent.metadata.get('grpc-status-details-bin')
  if (!(bytes instanceof Buffer)) throw new Error('no details')
  const { code, message, details } = Status.decode(bytes)
  const find = (type: string) =>
    details.find(({ typeUrl }) => typeUrl === `type.googleapis.com/google.rpc.${type}`)?.value
  return { sent, code, message, find }
}

describe('a refused argument', () => {
  const error = new ApiError('TEXT_TOO_LONG', 'text: too long', {
    field: 'text',
    metadata: { limit_bytes: 65_536 },
  })
  const { sent, code, message, find } = detailsOf(error)

  test('is INVALID_ARGUMENT with its message, in both places', () => {
    expect([sent.code, sent.details]).toEqual([status.INVALID_ARGUMENT, 'text: too long'])
    expect([code, message]).toEqual([status.INVALID_ARGUMENT, 'text: too long'])
  })

  test('names domain, reason and figures', () => {
    expect(ErrorInfo.decode(find('ErrorInfo') ?? Buffer.alloc(0))).toEqual({
      domain: 'cellfeed',
      reason: 'TEXT_TOO_LONG',
      metadata: { limit_bytes: '65536' },
    })
  })

  test('names the bad field', () => {
    const { fieldViolations } = BadRequest.decode(find('BadRequest') ?? Buffer.alloc(0))
    expect(fieldViolations.map(({ field }) => field)).toEqual(['text'])
    expect(find('RetryInfo')).toBeUndefined()
  })
})

test.each(['OVERLOADED', 'CELL_UNAVAILABLE'] as const)('%s says when to repeat', (code) => {
  const { find } = detailsOf(new ApiError(code, 'not now'))
  const { retryDelay } = RetryInfo.decode(find('RetryInfo') ?? Buffer.alloc(0))
  expect(retryDelay?.nanos).toBeGreaterThan(0)
  expect(find('BadRequest')).toBeUndefined()
})

test('errors of ports are known by their code, all others are internal', () => {
  const known = (code: string) =>
    apiErrorOf(Object.assign(new Error('no'), { code }), 'incident').code
  expect(known('FIREHOSE_BUSY')).toBe('OVERLOADED')
  expect(known('STORE_UNAVAILABLE')).toBe('CELL_UNAVAILABLE')
  expect(known('CELL_UNAVAILABLE')).toBe('CELL_UNAVAILABLE')
  expect(known('ENOENT')).toBe('INTERNAL_ERROR')
  const internal = apiErrorOf(new Error('the password is 1234'), 'cafe')
  expect(internal.message).toBe('internal error, incident cafe')
})
