// Writes what inboxes reach: slots that are done while others' rows are under way go together into the next write.

import { encodeReach } from '../model/rows.ts'
import type { Position } from '../model/position.ts'
import type { ReaderTable, ReachRow } from '../ports/cell-store.ts'
import type { Slot } from './cell-state.ts'
import type { Persistence } from './persist.ts'

const BATCH = 256

export type Reached = {
  readonly slot: Slot
  /** Its inboxes have everything before the position; of what lies before the floor's second they say that they do not. */
  readonly position: Position
  readonly floor: number
  /** The place in the window that stands for the position. */
  readonly seq: number
}

export class ReachWriter {
  readonly #table: Pick<ReaderTable, 'putReach'>
  readonly #persistence: Persistence
  readonly #boot: number
  #versions = 0
  #waiting: Reached[] = []
  #writing: Promise<void> | undefined

  constructor(options: {
    table: Pick<ReaderTable, 'putReach'>
    persistence: Persistence
    boot: number
  }) {
    this.#table = options.table
    this.#persistence = options.persistence
    this.#boot = options.boot
  }

  /** It counts in memory once it is durable. */
  note(reached: Reached): void {
    this.#waiting.push(reached)
    if (this.#writing !== undefined) return
    this.#writing = this.#writeAll()
    // Whoever asks whether all is written gets to know.
    this.#writing.catch(() => undefined)
  }

  /** Resolves when all that was noted counts. */
  async settled(): Promise<void> {
    await this.#writing
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH)
      const rows = batch.map((reached) => this.#rowOf(reached))
      await this.#persistence.untilDurable(() => this.#table.putReach(rows))
      for (const { slot, floor, seq } of batch) {
        slot.floor = floor
        slot.reachSeq = seq
      }
    }
    this.#writing = undefined
  }

  #rowOf({ slot: { slot, term }, floor, position }: Reached): ReachRow {
    const version = { boot: this.#boot, count: ++this.#versions }
    return { slot, term, version, bytes: encodeReach({ floor, position }) }
  }
}
