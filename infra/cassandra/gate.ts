// Lets so many through at once, the others wait in the order they came. What waits is held by its caller, who waits too: so a
// slow Cassandra slows whoever writes, and holds no memory of its own.

export class Gate {
  readonly #atOnce: number
  readonly #waiting: (() => void)[] = []
  #inside = 0

  constructor(atOnce: number) {
    this.#atOnce = atOnce
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside < this.#atOnce) this.#inside++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      this.#leave()
    }
  }

  /** Whoever waits longest takes the place over. */
  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#inside--
    else next()
  }
}

/** Works through the items, so many at once. Ends with the first failure, after what had begun has ended. */
export async function inParallel<I>(
  items: readonly I[],
  atOnce: number,
  work: (item: I) => Promise<unknown>,
): Promise<void> {
  let next = 0
  let failed = false
  const worker = async () => {
    while (next < items.length && !failed) {
      const item = items[next++] as I
      try {
        await work(item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const workers = Array.from({ length: Math.min(atOnce, items.length) }, worker)
  const ended = await Promise.allSettled(workers)
  const failure = ended.find((end) => end.status === 'rejected')
  if (failure !== undefined) throw failure.reason
}
