// Which cells are dead: their announcement has not changed for longer than any lease, as watched here, though the control store
// answered all the time. No two clocks are compared.

import type { CellName } from '../../cells/model/placement.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import { announcementKey, decodeAnnouncement } from '../cell/cell-announcement.ts'

type Watched = { readonly revision: number; readonly sinceMs: number; lookedMs: number }

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

  /** Whether it is known to be dead by now; asked often. Rejects while the control store is away. */
  async isDead(cell: CellName): Promise<boolean> {
    const entry = await this.#control.get(announcementKey(cell))
    const nowMs = this.#monotonicMs()
    if (entry === undefined) return false
    if (decodeAnnouncement(entry.value).state === 'stopped') return true
    const watched = this.#watched.get(cell)
    // Nobody looked for a while: what happened meanwhile is not known.
    const isFresh = watched !== undefined && nowMs - watched.lookedMs < this.#patienceMs / 2
    if (!isFresh || watched.revision !== entry.revision) {
      this.#watched.set(cell, { revision: entry.revision, sinceMs: nowMs, lookedMs: nowMs })
      return false
    }
    watched.lookedMs = nowMs
    return nowMs - watched.sinceMs > this.#patienceMs
  }
}
