// A server of the cluster as a fault sees it: a process with data and an address that survive it.

export interface Server {
  readonly name: string
  /** Again, on its data and at its address; ready when it resolves. Rejects when it ended by itself. */
  start(): Promise<void>
  /** kill -9. */
  kill(): Promise<void>
  /** SIGSTOP: its connections stay, and nothing is answered. */
  pause(): void
  /** SIGCONT. */
  resume(): void
}

const triesMax = 3

/** As whoever supervises it would: a start that fails while an engine is slow is made again. */
export async function supervised<T>(start: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await start()
    } catch (error) {
      if (tries === triesMax) throw error
    }
  }
}
