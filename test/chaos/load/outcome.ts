// What a client knows after an attempt failed, by the API's own promise (proto/cellfeed/v1/errors.proto): after these
// reasons a write may have happened or not; one that failed in any other way has changed nothing.

import type { CellfeedError } from '../../../services/client/connect.ts'
import type { Outcome } from '../history/operation.ts'

/** The last two are the client library's own: the connection broke, no answer came in time. */
const mayHaveHappened = new Set([
  'WRITE_OUTCOME_UNKNOWN',
  'CLOCK_SKEW',
  'UNREACHABLE',
  'TIMED_OUT',
  'CLIENT_CLOSED',
])

export function outcomeOf(error: CellfeedError): Outcome {
  const isCut = error.code === 'CANCELLED' || error.reason === ''
  return isCut || mayHaveHappened.has(error.reason) ? 'unknown' : 'refused'
}
