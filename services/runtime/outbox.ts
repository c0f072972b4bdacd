// What is to be sent on a stream: everything said in one turn of the event loop goes out as one message, because a message has
// a price of its own, whatever it holds. While the stream takes no more, what is said waits
// here, and its owner sees by `queuedBytes` that it should say less.

export type OutboxParts<T> = {
  /** Writes one message. False: the stream wants no more until `drained` is called. */
  readonly write: (batch: readonly T[]) => boolean
  readonly bytesOf: (item: T) => number
  /** A batch ends with the item that reaches this size. */
  readonly batchBytes: number
}

export class Outbox<T> {
  readonly #parts: OutboxParts<T>
  #queue: T[] = []
  #queuedBytes = 0
  #scheduled: NodeJS.Immediate | undefined
  #isBlocked = false

  constructor(parts: OutboxParts<T>) {
    this.#parts = parts
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  push(item: T): void {
    this.#queue.push(item)
    this.#queuedBytes += this.#parts.bytesOf(item)
    if (!this.#isBlocked) this.#scheduled ??= setImmediate(() => this.flush())
  }

  /** The stream takes more again. */
  drained(): void {
    this.#isBlocked = false
    this.flush()
  }

  /** Sends what waits now, as far as the stream takes it. */
  flush(): void {
    clearImmediate(this.#scheduled)
    this.#scheduled = undefined
    while (!this.#isBlocked && this.#queue.length > 0) {
      this.#isBlocked = !this.#parts.write(this.#nextBatch())
    }
  }

  /** Drops what waits and sends nothing more; answers with what was dropped. */
  close(): readonly T[] {
    clearImmediate(this.#scheduled)
    this.#isBlocked = true
    const unsent = this.#queue
    this.#queue = []
    this.#queuedBytes = 0
    return unsent
  }

  #nextBatch(): readonly T[] {
    const { batchBytes, bytesOf } = this.#parts
    let bytes = 0
    let count = 0
    for (const item of this.#queue) {
      bytes += bytesOf(item)
      count++
      if (bytes >= batchBytes) break
    }
    this.#queuedBytes -= bytes
    if (count === this.#queue.length) {
      const batch = this.#queue
      this.#queue = []
      return batch
    }
    return this.#queue.splice(0, count)
  }
}
