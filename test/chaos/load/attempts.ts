// Makes a write as the client library would, attempt by attempt, so that each one's outcome is known: the library's own rule
// says when it is tried again.

import { setTimeout as wait } from 'node:timers/promises'
import { CellfeedError } from '../../../services/client/connect.ts'
import { defaultRetryPolicy, pauseBeforeRetry } from '../../../services/client/retry.ts'
import type { History } from '../history/history.ts'
import type { Operation } from '../history/operation.ts'
import { outcomeOf } from './outcome.ts'

export type Attempting = {
  readonly history: History
  readonly timeoutMs: number
  /** In [0, 1). */
  readonly random: () => number
  readonly signal: AbortSignal
}

/** Whether it was acknowledged. Throws only what is not an answer of the API. */
export async function attempt(
  { history, timeoutMs, random, signal }: Attempting,
  operation: Operation,
  call: (timeoutMs: number) => Promise<unknown>,
): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs
  for (let attempts = 1; ; attempts += 1) {
    try {
      await call(Math.max(1, deadlineMs - performance.now()))
      operation.attempted('acknowledged', 'acknowledged')
      operation.end(history.tick())
      return true
    } catch (error) {
      if (!(error instanceof CellfeedError)) throw error
      operation.attempted(outcomeOf(error), error.reason || error.code)
      const leftMs = deadlineMs - performance.now()
      const failed = { error, attempts, idempotent: true, leftMs, random: random() }
      const pauseMs = pauseBeforeRetry(failed, defaultRetryPolicy)
      if (pauseMs === undefined || signal.aborted) {
        operation.end(history.tick())
        return false
      }
      await wait(pauseMs)
    }
  }
}
