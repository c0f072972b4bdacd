// Signs of life on a stream, for both ends: says something every so often, and tells when the other end has said nothing for
// several of these turns. It counts turns and not time, so that a process which itself stood still first hears what came
// meanwhile.

import type { Clock } from '../../cells/ports/clock.ts'
import type { CellStreamLimits } from './cell-stream-limits.ts'

export class Silence {
  readonly #stopping = new AbortController()
  #silentTurns = 0

  constructor(parts: {
    readonly clock: Clock
    readonly limits: Pick<CellStreamLimits, 'signOfLifeMs' | 'silentSignsMax'>
    readonly sign: () => void
    readonly broken: () => void
  }) {
    void this.#run(parts)
  }

  heard(): void {
    this.#silentTurns = 0
  }

  stop(): void {
    this.#stopping.abort()
  }

  async #run(parts: ConstructorParameters<typeof Silence>[0]): Promise<void> {
    const { clock, limits, sign, broken } = parts
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await clock.sleep(limits.signOfLifeMs, signal)
      if (signal.aborted) return
      this.#silentTurns++
      if (this.#silentTurns > limits.silentSignsMax) {
        broken()
        return
      }
      sign()
    }
  }
}
