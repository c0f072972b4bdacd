// Which cells are dead: their announcement has not changed for longer than any lease, as watched here, though the control store
// answered all the time. No two clocks are compared.

import type { CellName } from '../../cells/model/placement.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import { announcementKey, decodeAnnouncement } from '../cell/cell-announcement.ts'
import type { Task } from '../runtime/in-background.ts'

type Watched = {
  readonly revision: number
  readonly sinceMs: number
  readonly lookedMs: number
  readonly isStopped: boolean
}

const LOOK_MS = 1_000

export class DeadCells {
  readonly #control: ControlStore
  readonly #monotonicMs: () => number
  readonly #patienceMs: number
  readonly #watched = new Map<CellName, Watched>()

  constructor(parts: {
    readonly control: ControlStore
    readonly monotonicMs: () => number
    /** Longer than any lease. */
    readonly patienceMs: number
  }) {
    this.#control = parts.control
    this.#monotonicMs = parts.monotonicMs
    this.#patienceMs = parts.patienceMs
  }

  /** For `inBackground`: looks at all cells, again and again. */
  watching(cells: () => readonly CellName[], clock: Clock): Task {
    return async (signal, failed) => {
      while (!signal.aborted) {
        for (const cell of cells()) await this.#look(cell).catch(failed)
        await clock.sleep(LOOK_MS, signal)
      }
    }
  }

  /** Whether it is known to be dead by now. */
  isDead(cell: CellName): boolean {
    const watched = this.#watched.get(cell)
    if (watched === undefined || this.#monotonicMs() - watched.lookedMs > this.#patienceMs / 2) {
      return false
    }
    return watched.isStopped || watched.lookedMs - watched.sinceMs > this.#patienceMs
  }

  async #look(cell: CellName): Promise<void> {
    const entry = await this.#control.get(announcementKey(cell))
    const nowMs = this.#monotonicMs()
    if (entry === undefined) return
    const isStopped = decodeAnnouncement(entry.value).state === 'stopped'
    const watched = this.#watched.get(cell)
    // Nobody looked for a while: what happened meanwhile is not known.
    const isFresh = watched !== undefined && nowMs - watched.lookedMs < this.#patienceMs / 2
    const isSame = isFresh && watched.revision === entry.revision
    const sinceMs = isSame ? watched.sinceMs : nowMs
    this.#watched.set(cell, { revision: entry.revision, sinceMs, lookedMs: nowMs, isStopped })
  }
}
