// Makes post ids and event ids. Monotonic also when the clock steps back: an allocator never goes below what it
// made. One allocator per worker number; worker numbers are leased, so no two live allocators share one.

import { composeId, ID_EPOCH_MS, SEQUENCE_MAX, WORKER_MAX } from './post-id.ts'

export class IdAllocator {
  readonly #worker: number
  /** Not below what an id can hold: all earlier clock readings make ids of one millisecond. */
  #ms = ID_EPOCH_MS
  #sequence = -1

  constructor(worker: number) {
    if (!Number.isInteger(worker) || worker < 0 || worker > WORKER_MAX) {
      throw new RangeError(`worker ${worker} is not in 0..${WORKER_MAX}`)
    }
    this.#worker = worker
  }

  /** The next id. `nowMs` is the caller's clock; a full millisecond borrows the next one. */
  allocate(nowMs: number): bigint {
    if (nowMs > this.#ms) {
      this.#ms = nowMs
      this.#sequence = 0
    } else if (this.#sequence < SEQUENCE_MAX) {
      this.#sequence++
    } else {
      this.#ms++
      this.#sequence = 0
    }
    return composeId({ ms: this.#ms, worker: this.#worker, sequence: this.#sequence })
  }

  /** The millisecond of the newest id: how far the allocator has run ahead of a clock that stepped back. */
  get newestMs(): number {
    return this.#ms
  }
}
