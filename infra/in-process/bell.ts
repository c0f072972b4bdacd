// Wakes everyone in this process who waits for "something changed". A ring is never missed: who waits names the number of
// rings heard before looking, and does not wait when there was another since.

export class Bell {
  readonly #waiting = new Set<() => void>()
  #rings = 0

  /** How often it rang. Read it before looking at what may have changed. */
  get rings(): number {
    return this.#rings
  }

  ring(): void {
    this.#rings++
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }

  /** Resolves at the first ring after `heard`, or when the signal aborts. */
  rungSince(heard: number, signal: AbortSignal): Promise<void> {
    if (this.#rings !== heard || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      signal.addEventListener('abort', wake)
      this.#waiting.add(wake)
    })
  }
}
