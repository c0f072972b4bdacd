// Which failed calls are made again: never one that might then have happened twice.

import { describe, expect, test } from 'vitest'
import { CellfeedError, type ErrorFacts } from '../../../../services/client/cellfeed-error.ts'
import {
  defaultRetryPolicy,
  type FailedAttempt,
  pauseBeforeRetry,
  resumePolicyOf,
} from '../../../../services/client/retry.ts'

const failed = (facts: Partial<ErrorFacts>, attempt: Partial<FailedAttempt> = {}) =>
  pauseBeforeRetry(
    {
      error: new CellfeedError({ code: 'UNAVAILABLE', message: '', ...facts }),
      attempts: 1,
      idempotent: true,
      leftMs: 10_000,
      random: 0.5,
      ...attempt,
    },
    defaultRetryPolicy,
  )

describe('retries', () => {
  test.each(['UNREACHABLE', 'WRITE_OUTCOME_UNKNOWN', 'CLOCK_SKEW'])(
    'after %s only what may be made twice is made again',
    (reason) => {
      expect(failed({ reason })).toBeGreaterThan(0)
      expect(failed({ reason }, { idempotent: false })).toBeUndefined()
    },
  )

  test.each(['OVERLOADED', 'CELL_UNAVAILABLE', 'FIREHOSE_UNAVAILABLE', 'SHUTTING_DOWN'])(
    'after %s nothing happened, so any call is made again',
    (reason) => {
      expect(failed({ reason }, { idempotent: false })).toBeGreaterThan(0)
    },
  )

  test.each(['POST_NOT_FOUND', 'USER_ID_INVALID', 'CONSISTENCY_NOT_REACHED', 'TIMED_OUT', ''])(
    'after "%s" no call is made again',
    (reason) => {
      expect(failed({ reason })).toBeUndefined()
    },
  )

  test('there are only so many attempts', () => {
    const reason = 'UNREACHABLE'
    const { attemptsMax } = defaultRetryPolicy
    expect(failed({ reason }, { attempts: attemptsMax - 1 })).toBeGreaterThan(0)
    expect(failed({ reason }, { attempts: attemptsMax })).toBeUndefined()
  })

  test('a stream that broke is given a minute, unless nothing is to be made again', () => {
    const { attemptsMax } = resumePolicyOf(defaultRetryPolicy)
    const facts = { reason: 'UNREACHABLE' }
    let waitedMs = 0
    for (let attempts = 1; attempts < attemptsMax; attempts += 1) {
      const policy = resumePolicyOf(defaultRetryPolicy)
      const error = new CellfeedError({ code: 'UNAVAILABLE', message: '', ...facts })
      const attempt = { error, attempts, idempotent: true, leftMs: Infinity, random: 0.5 }
      waitedMs += pauseBeforeRetry(attempt, policy) ?? 0
    }
    expect(waitedMs).toBeGreaterThan(45_000)
    expect(waitedMs).toBeLessThan(90_000)
    expect(resumePolicyOf({ ...defaultRetryPolicy, attemptsMax: 1 }).attemptsMax).toBe(1)
  })

  test("the server's wish is heeded, and a pause that outlasts the deadline is not begun", () => {
    const facts = { reason: 'OVERLOADED', retryAfterMs: 500 }
    expect(failed(facts)).toBe(500)
    expect(failed(facts, { leftMs: 400 })).toBeUndefined()
  })
})
