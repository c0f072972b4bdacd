// The machine's clock and timers.

import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Clock } from '../../cells/ports/clock.ts'

/** Milliseconds with fractions since some moment: never goes back, whatever is done to the clock. */
export const monotonicMs = (): number => performance.now()

export const systemClock: Clock = {
  nowMs: () => Date.now(),

  async sleep(ms, signal) {
    try {
      await setTimeout(ms, undefined, signal === undefined ? {} : { signal })
    } catch (error) {
      if (signal?.aborted !== true) throw error
    }
  },

  yield: () => setImmediate(),
}
