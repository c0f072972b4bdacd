// The machine's clock and timers.

import { setImmediate, setTimeout } from 'node:timers/promises'
import type { Clock } from '../../cells/ports/clock.ts'

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
