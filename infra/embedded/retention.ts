// Retention of the embedded firehose by age, as Kafka does it by itself: what is older is dropped, now and then, in slices.

import type { Clock } from '../../cells/ports/clock.ts'
import type { EmbeddedFirehose } from './firehose.ts'

export type RetentionOptions = {
  readonly clock: Clock
  readonly ageMs: number
  readonly everyMs: number
  readonly signal: AbortSignal
  /** Nothing is dropped while it says no. */
  readonly isDue?: () => boolean
}

export const RETENTION_AGE_MS_DEFAULT = 7 * 86_400_000
export const RETENTION_EVERY_MS_DEFAULT = 60_000

/** Runs until the signal aborts. Rejects when the store could not commit. */
export async function retain(
  firehose: Pick<EmbeddedFirehose, 'dropBefore'>,
  { clock, ageMs, everyMs, signal, isDue = () => true }: RetentionOptions,
): Promise<void> {
  while (!signal.aborted) {
    if (isDue()) await firehose.dropBefore(clock.nowMs() - ageMs)
    await clock.sleep(everyMs, signal)
  }
}
