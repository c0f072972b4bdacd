// Work that nobody waits for until the end, such as closing a connection that was replaced.

export class Background {
  readonly #running = new Map<object, Promise<void>>()

  /** The work must not fail. */
  add(work: () => Promise<void>): void {
    const key = {}
    this.#running.set(key, this.#run(key, work))
  }

  async ended(): Promise<void> {
    await Promise.all(this.#running.values())
  }

  async #run(key: object, work: () => Promise<void>): Promise<void> {
    await work()
    this.#running.delete(key)
  }
}
