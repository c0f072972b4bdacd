// Retention: drops from the firehose what is older than it is kept. Runs only once every cell serves: what a cell that was
// down for long still has to replay is there until then.

import type { Clock } from '../../cells/ports/clock.ts'

const ROUNDS = 100
const ROUND_MAX_MS = 60_000

/** Starts it; answers with what ends it. */
export function keepRetention(
  parts: {
    readonly firehose: { dropBefore(timeMs: number): Promise<void> }
    readonly clock: Clock
  },
  options: { readonly retentionMs: number; readonly failed: (error: unknown) => void },
): () => Promise<void> {
  const { firehose, clock } = parts
  const { retentionMs, failed } = options
  const ending = new AbortController()
  const { signal } = ending
  const roundMs = Math.min(Math.ceil(retentionMs / ROUNDS), ROUND_MAX_MS)
  const rounds = async () => {
    while (!signal.aborted) {
      await firehose.dropBefore(clock.nowMs() - retentionMs).catch(failed)
      await clock.sleep(roundMs, signal)
    }
  }
  const running = rounds()
  return () => {
    ending.abort()
    return running
  }
}
