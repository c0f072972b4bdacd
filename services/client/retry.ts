// Which failed attempts are made again, and when. Decides only: waiting is the caller's.

import type { CellfeedError } from './cellfeed-error.ts'

export interface RetryPolicy {
  /** How many attempts a call makes at most. 1: none is repeated. */
  readonly attemptsMax: number
  /** The pause after the first failed attempt; each further one may be twice as long. */
  readonly firstPauseMs: number
  readonly pauseMaxMs: number
}

export const defaultRetryPolicy: RetryPolicy = {
  attemptsMax: 4,
  firstPauseMs: 50,
  pauseMaxMs: 2_000,
}

/**
 * For a stream that was answered and broke: its server is there, and is given about a minute to come
 * back. Who wants no attempt made again gets none here either.
 */
export function resumePolicyOf(policy: RetryPolicy): RetryPolicy {
  if (policy.attemptsMax === 1) return policy
  return { ...policy, attemptsMax: Math.max(policy.attemptsMax, 40) }
}

/** The server says that it accepted nothing, so that any call may be made again. */
const nothingHappened = new Set([
  'OVERLOADED',
  'CELL_UNAVAILABLE',
  'MOVED',
  'FIREHOSE_UNAVAILABLE',
  'SHUTTING_DOWN',
  'IDS_UNAVAILABLE',
  'TOO_MANY_STREAMS',
])

/** It may have happened: only what changes nothing when repeated may be made again. */
const outcomeUnknown = new Set(['UNREACHABLE', 'WRITE_OUTCOME_UNKNOWN', 'CLOCK_SKEW'])

export interface FailedAttempt {
  readonly error: CellfeedError
  /** How many attempts were made, this one included. */
  readonly attempts: number
  /** Whether the call, made twice, is the same as made once. */
  readonly idempotent: boolean
  /** What is left of the call's time. */
  readonly leftMs: number
  /** In [0, 1): spreads clients that failed together. */
  readonly random: number
}

/** How long to pause before the next attempt; undefined if the failure is final. */
export function pauseBeforeRetry(failed: FailedAttempt, policy: RetryPolicy): number | undefined {
  const { error, attempts } = failed
  if (attempts >= policy.attemptsMax) return undefined
  const repeatable =
    nothingHappened.has(error.reason) || (failed.idempotent && outcomeUnknown.has(error.reason))
  if (!repeatable) return undefined
  const backoffMs = Math.min(policy.firstPauseMs * 2 ** (attempts - 1), policy.pauseMaxMs)
  const pauseMs = Math.max(backoffMs * (0.5 + failed.random / 2), error.retryAfterMs ?? 0)
  return pauseMs < failed.leftMs ? pauseMs : undefined
}
