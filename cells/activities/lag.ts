// How far the cell is behind the firehose, as far as it has looked.

import { eventsBetween, hasReached, type Position } from '../model/position.ts'
import type { Loading } from '../ports/cell-client.ts'
import type { Clock } from '../ports/clock.ts'
import type { LogBatch, Firehose } from '../ports/firehose.ts'

export class Lag {
  readonly #firehose: Pick<Firehose, 'bounds'>
  readonly #clock: Pick<Clock, 'nowMs'>
  #begun: Position | undefined
  #logEnd: Position = []
  #lastAppendedMs = 0

  constructor(ports: {
    readonly firehose: Pick<Firehose, 'bounds'>
    readonly clock: Pick<Clock, 'nowMs'>
  }) {
    this.#firehose = ports.firehose
    this.#clock = ports.clock
  }

  /** As read last. */
  get logEnd(): Position {
    return this.#logEnd
  }

  /** The cell applies events from here on. */
  begin(position: Position): void {
    this.#begun = [...position]
  }

  /** Of the events that there were when the log's end was read last; undefined before they are known. */
  loading(position: Position): Loading | undefined {
    if (this.#begun === undefined || this.#logEnd.length === 0) return undefined
    const done = eventsBetween(this.#begun, position)
    const all = eventsBetween(this.#begun, this.#logEnd)
    return { step: 'events', done, part: all === 0 ? 1 : Math.min(1, done / all) }
  }

  applied({ records }: LogBatch): void {
    this.#lastAppendedMs = Math.max(this.#lastAppendedMs, records.at(-1)?.appendedAtMs ?? 0)
  }

  async readLogEnd(): Promise<Position> {
    this.#logEnd = (await this.#firehose.bounds()).end
    return this.#logEnd
  }

  /** Events that are not applied, if the log answers as of now. */
  async events(position: Position): Promise<number> {
    return eventsBetween(position, await this.readLogEnd().catch(() => this.#logEnd))
  }

  /** How long ago the newest applied event was appended, while there are newer ones; if the log answers, as of now. */
  async ms(position: Position): Promise<number> {
    await this.readLogEnd().catch(() => this.#logEnd)
    if (hasReached(position, this.#logEnd)) return 0
    return Math.max(1, this.#clock.nowMs() - this.#lastAppendedMs)
  }
}
