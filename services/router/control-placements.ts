// The placement in the control store, as cells and whoever drives moves use it.

import { changeText } from '../../cells/model/placement-change.ts'
import type { ControlEntry, ControlStore } from '../../cells/ports/control-store.ts'
import type { Moving, PlacementFound, Placements } from '../../cells/ports/placements.ts'
import { nextBoot } from '../controller/boots.ts'
import { noCluster } from '../runtime/no-cluster.ts'
import { decodePlacement, encodePlacement, PLACEMENT_KEY } from './placement-document.ts'
import { keepChange } from './placement-trail.ts'

type Placement = PlacementFound['placement']

/** Who changes placements: a process, or an operator as their client names them. */
export type ChangeAuthor = { readonly by: string; readonly nowMs: () => number }

/** Of who only reads. */
const NOBODY: ChangeAuthor = { by: '', nowMs: () => 0 }

export class ControlPlacements implements Placements {
  readonly #control: ControlStore
  readonly #author: ChangeAuthor

  constructor(control: ControlStore, author: ChangeAuthor) {
    this.#control = control
    this.#author = author
  }

  /** Throws StartFailure when the cluster was never set up. */
  async read(): Promise<PlacementFound> {
    const found = await this.#control.get(PLACEMENT_KEY)
    if (found === undefined) throw noCluster()
    const { placement } = decodePlacement(found.value)
    return { placement, revision: found.revision }
  }

  /** With an entry of the audit trail. */
  async replace(revision: number, placement: Placement): Promise<boolean> {
    const found = await this.#control.get(PLACEMENT_KEY)
    if (found === undefined || found.revision !== revision) return false
    const before = decodePlacement(found.value)
    if (before.change !== undefined) await keepChange(this.#control, before.change)
    const { by, nowMs } = this.#author
    const what = changeText(before.placement, placement)
    const { epoch } = placement
    const change = { epoch, previous: before.change?.epoch ?? 0, atMs: nowMs(), by, what }
    const value = encodePlacement({ clusterId: before.clusterId, placement, change })
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
  sources: Pick<Moving, 'openSource' | 'busynessOf'>,
): Moving {
  return {
    placements: new ControlPlacements(control, NOBODY),
    nextTerm: () => nextBoot(control),
    ...sources,
  }
}
