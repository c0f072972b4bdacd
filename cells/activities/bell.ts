// Wakes whoever waits for something to have changed. Waiting is for a condition: look, wait, look again.

export class Bell {
  #waiting: (() => void)[] = []

  ring(): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }

  /** Resolves at the next ring, or when the signal aborts. */
  wait(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve()
    return new Promise((resolve) => {
      if (signal === undefined) {
        this.#waiting.push(resolve)
        return
      }
      const wake = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((waiter) => waiter !== wake)
        resolve()
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#waiting.push(wake)
    })
  }
}
