// Which records this cell has found to count, since it started: whoever comes to them later need not remember ids from before them. What
// counts is the same in every cell, as it follows from the log alone (event-memory.ts); so those few that do not are kept.

import type { Position } from './position.ts'

const KEPT_MAX = 65_536

export class JudgementsForgotten extends Error {
  readonly code = 'JUDGEMENTS_FORGOTTEN'
  override readonly name = 'JudgementsForgotten'
}

export class Judgements {
  /** Per partition: from which offset on they are known. */
  readonly #from: number[]
  /** Per partition, ascending: offsets of records that do not count. */
  readonly #others: number[][]

  /** `position`: where the cell begins to judge. */
  constructor(position: Position) {
    this.#from = [...position]
    this.#others = position.map(() => [])
  }

  /** The record does not count. Offsets only grow. */
  passOver(partition: number, offset: number): void {
    const others = this.#others[partition]
    if (others === undefined) return
    others.push(offset)
    if (others.length <= KEPT_MAX) return
    const forgotten = others.splice(0, KEPT_MAX / 2)
    this.#from[partition] = (forgotten.at(-1) ?? 0) + 1
  }

  /** Whether all judgements from this position on are known. */
  reachBackTo(position: Position): boolean {
    return this.#from.every((from, partition) => from <= (position[partition] ?? 0))
  }

  /** Whether a record that the cell has passed counts. Throws JudgementsForgotten. */
  counts(partition: number, offset: number): boolean {
    const from = this.#from[partition] ?? 0
    if (offset < from) throw new JudgementsForgotten(`partition ${partition}: ${offset} of ${from}`)
    const others = this.#others[partition] ?? []
    let [low, high] = [0, others.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((others[middle] as number) < offset) low = middle + 1
      else high = middle
    }
    return others[low] !== offset
  }
}
