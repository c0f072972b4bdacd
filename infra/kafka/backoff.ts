// How long to wait before the next attempt: doubling between two bounds, with jitter, so that many processes that lost the same
// broker do not come back all at once.

import { setTimeout } from 'node:timers/promises'

export class Backoff {
  readonly #fromMs: number
  readonly #toMs: number
  #nextMs: number

  constructor({ retryMs, retryMaxMs }: { readonly retryMs: number; readonly retryMaxMs: number }) {
    this.#fromMs = retryMs
    this.#toMs = retryMaxMs
    this.#nextMs = retryMs
  }

  reset(): void {
    this.#nextMs = this.#fromMs
  }

  nextMs(): number {
    const ms = this.#nextMs * (0.5 + Math.random() / 2)
    this.#nextMs = Math.min(this.#toMs, this.#nextMs * 2)
    return ms
  }

  /** Returns early when the signal aborts. */
  async wait(signal?: AbortSignal): Promise<void> {
    try {
      await setTimeout(this.nextMs(), undefined, signal === undefined ? {} : { signal })
    } catch (error) {
      if (signal?.aborted !== true) throw error
    }
  }
}
