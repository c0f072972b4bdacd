// Writing what must become durable: asks the store again until it is. The one layer of a cell that retries. Store writes are
// idempotent and versioned, so asking again is safe; a cell whose store stays away applies no more and keeps serving.

import type { CellLimits } from '../model/cell-limits.ts'
import type { Clock } from '../ports/clock.ts'

export class Stopped extends Error {
  readonly code = 'CELL_STOPPED'
  override readonly name = 'Stopped'
}

export class Persistence {
  readonly #clock: Clock
  readonly #limits: CellLimits
  readonly #signal: AbortSignal
  failures = 0

  constructor(options: { clock: Clock; limits: CellLimits; signal: AbortSignal }) {
    this.#clock = options.clock
    this.#limits = options.limits
    this.#signal = options.signal
  }

  /** Resolves once `write` did. Throws Stopped when the cell stops before. */
  async untilDurable<T>(write: () => Promise<T>): Promise<T> {
    let pauseMs = this.#limits.retryMs
    for (;;) {
      if (this.#signal.aborted) throw new Stopped('the cell is stopping')
      try {
        return await write()
      } catch (error) {
        if (error instanceof TypeError || error instanceof RangeError) throw error
        this.failures++
      }
      await this.#clock.sleep(pauseMs, this.#signal)
      pauseMs = Math.min(pauseMs * 2, this.#limits.retryMaxMs)
    }
  }

  /** The same for as many times; false when the store refused each of them. */
  async tryFor(times: number, write: () => Promise<void>): Promise<boolean> {
    for (let i = 0; i < times; i++) {
      if (this.#signal.aborted) throw new Stopped('the cell is stopping')
      try {
        await write()
        return true
      } catch (error) {
        if (error instanceof TypeError || error instanceof RangeError) throw error
        this.failures++
      }
      await this.#clock.sleep(this.#limits.retryMs, this.#signal)
    }
    return false
  }
}
