// A firehose that counts what was applied: a batch is, when whoever follows asks for the next one.

import type {
  Appended,
  Firehose,
  FollowOptions,
  LogBatch,
  LogBounds,
  LogIdentity,
  ProducedEvent,
} from '../../../cells/ports/firehose.ts'
import type { Position } from '../../../cells/model/position.ts'

export class CountedFirehose implements Firehose {
  readonly #inner: Firehose
  #applied = 0

  constructor(inner: Firehose) {
    this.#inner = inner
  }

  get identity(): LogIdentity {
    return this.#inner.identity
  }

  /** Records, since it was made. */
  get applied(): number {
    return this.#applied
  }

  async *follow(from: Position, options: FollowOptions): AsyncGenerator<LogBatch> {
    for await (const batch of this.#inner.follow(from, options)) {
      yield batch
      this.#applied += batch.records.length
    }
  }

  append(events: readonly ProducedEvent[]): Promise<Appended[]> {
    return this.#inner.append(events)
  }

  bounds(): Promise<LogBounds> {
    return this.#inner.bounds()
  }

  offsetsAt(timeMs: number): Promise<Position> {
    return this.#inner.offsetsAt(timeMs)
  }

  fetch(partition: number, fromOffset: number, recordsMax: number): Promise<LogBatch> {
    return this.#inner.fetch(partition, fromOffset, recordsMax)
  }
}
