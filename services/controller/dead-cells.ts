// Which cells are dead: for longer than their lease they have not said that they serve, as watched here, though the control store
// answered all the time; or they said that they stopped, or refuse to run. A cell that loads serves nobody, but is not gone: it is
// worth while to wait for it. No two clocks are compared.

import type { CellName } from '../../cells/model/placement.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import { announcementKey, decodeAnnouncement } from '../cell/cell-announcement.ts'
import type { Task } from '../runtime/in-background.ts'

type Watched = {
  readonly revision: number
  readonly lookedMs: number
  /** From when on nobody is served, and nobody is there, if nothing changes. */
  readonly deadFromMs: number
  readonly goneFromMs: number
}

const LOOK_MS = 300
/** Clocks that run a little apart, and the time between two looks. */
const LEASE_FACTOR = 1.1
/** Of not looking: what happened meanwhile is not known. */
const BLIND_MS = 2_000
/** Of a cell that was loading when it was first looked at. */
const LOADING_MS = 60_000

export class DeadCells {
  readonly #control: ControlStore
  readonly #monotonicMs: () => number
  readonly #watched = new Map<CellName, Watched>()

  constructor(parts: { readonly control: ControlStore; readonly monotonicMs: () => number }) {
    this.#control = parts.control
    this.#monotonicMs = parts.monotonicMs
  }

  /** For `inBackground`: looks at all cells, again and again. */
  watching(cells: () => readonly CellName[], clock: Clock): Task {
    return async (signal, failed) => {
      while (!signal.aborted) {
        await Promise.all(cells().map((cell) => this.look(cell).catch(failed)))
        await clock.sleep(LOOK_MS, signal)
      }
    }
  }

  /** Whether it is known that it serves nobody. */
  isDead(cell: CellName): boolean {
    const seen = this.#seen(cell)
    return seen !== undefined && seen.lookedMs > seen.deadFromMs
  }

  /** Whether it is known that for so long there has been no process of it. */
  isGone(cell: CellName, forMs: number): boolean {
    const seen = this.#seen(cell)
    return seen !== undefined && seen.lookedMs - seen.goneFromMs > forMs
  }

  /** Undefined when nobody has looked for a while. */
  #seen(cell: CellName): Watched | undefined {
    const watched = this.#watched.get(cell)
    if (watched === undefined) return undefined
    return this.#monotonicMs() - watched.lookedMs > BLIND_MS ? undefined : watched
  }

  async look(cell: CellName): Promise<void> {
    const entry = await this.#control.get(announcementKey(cell))
    const lookedMs = this.#monotonicMs()
    if (entry === undefined) return
    const { revision } = entry
    const before = this.#watched.get(cell)
    const known = before && lookedMs - before.lookedMs < BLIND_MS ? before : undefined
    if (known?.revision === revision) {
      this.#watched.set(cell, { ...known, lookedMs })
      return
    }
    const { state, leaseMs } = decodeAnnouncement(entry.value)
    const leaseEndsMs = lookedMs + leaseMs * LEASE_FACTOR
    const isDown = state === 'stopped' || state === 'refusing'
    const goneFromMs = isDown ? lookedMs : leaseEndsMs
    const deadFromMs = isDown
      ? lookedMs
      : state === 'loading'
        ? (known?.deadFromMs ?? lookedMs + LOADING_MS)
        : leaseEndsMs
    this.#watched.set(cell, { revision, lookedMs, deadFromMs, goneFromMs })
  }
}
