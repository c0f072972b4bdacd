// How cells fare, as they tell each other in the control store: whoever copies from a busy one slows down.

import type { Busyness } from '../../cells/model/copy-pace.ts'
import type { CellName } from '../../cells/model/placement.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import type { Task } from '../runtime/in-background.ts'
import { announcementKey, decodeAnnouncement } from './cell-announcement.ts'

const LOOK_MS = 1_000

/** Undefined of a cell that does not serve, or never did. */
export async function announcedBusyness(
  control: ControlStore,
  cell: CellName,
): Promise<Busyness | undefined> {
  const found = await control.get(announcementKey(cell))
  if (found === undefined) return undefined
  const { state, readP99Ms, lagMs } = decodeAnnouncement(found.value)
  return state === 'serving' ? { readP99Ms, lagMs } : undefined
}

/** Of the cell of this process, to be announced. */
export class OwnBusyness {
  #latest: Busyness = { readP99Ms: 0, lagMs: 0 }

  get latest(): Busyness {
    return this.#latest
  }

  /** For `inBackground`. `now`: undefined while there is no cell. */
  looking(now: () => Promise<Busyness> | undefined, clock: Clock): Task {
    return async (signal, failed) => {
      while (!signal.aborted) {
        try {
          this.#latest = (await now()) ?? this.#latest
        } catch (error) {
          failed(error)
        }
        await clock.sleep(LOOK_MS, signal)
      }
    }
  }
}
