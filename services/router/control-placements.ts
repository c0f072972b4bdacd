// The placement in the control store, as cells and whoever drives moves use it.

import type { CellName } from '../../cells/model/placement.ts'
import type { ControlEntry, ControlStore } from '../../cells/ports/control-store.ts'
import type { Moving, PlacementFound, Placements } from '../../cells/ports/placements.ts'
import type { SlotSource } from '../../cells/ports/slot-source.ts'
import { nextBoot } from '../controller/boots.ts'
import { noCluster } from '../runtime/no-cluster.ts'
import { decodePlacement, encodePlacement, PLACEMENT_KEY } from './placement-document.ts'

type Placement = PlacementFound['placement']

export class ControlPlacements implements Placements {
  readonly #control: ControlStore

  constructor(control: ControlStore) {
    this.#control = control
  }

  /** Throws StartFailure when the cluster was never set up. */
  async read(): Promise<PlacementFound> {
    const found = await this.#control.get(PLACEMENT_KEY)
    if (found === undefined) throw noCluster()
    const { placement } = decodePlacement(found.value)
    return { placement, revision: found.revision }
  }

  async replace(revision: number, placement: Placement): Promise<boolean> {
    const found = await this.#control.get(PLACEMENT_KEY)
    if (found === undefined || found.revision !== revision) return false
    const { clusterId } = decodePlacement(found.value)
    const value = encodePlacement({ clusterId, placement })
    return (await this.#control.compareAndSet(PLACEMENT_KEY, revision, value)) !== undefined
  }

  watch(signal: AbortSignal): AsyncIterable<Placement> {
    return placementsOf(this.#control.watch(PLACEMENT_KEY, signal))
  }
}

async function* placementsOf(entries: AsyncIterable<ControlEntry>): AsyncGenerator<Placement> {
  for await (const { value } of entries) yield decodePlacement(value).placement
}

/** What a cell needs to take slots in; terms are boot numbers that no cell was started with. */
export function movingBy(
  control: ControlStore,
  openSource: (cell: CellName) => Promise<SlotSource>,
): Moving {
  return {
    placements: new ControlPlacements(control),
    nextTerm: () => nextBoot(control),
    openSource,
  }
}
