// Makes a cluster's placement when there is none yet. Several processes may try: compare-and-set lets one of them win, and
// the others take what it made.

import { randomBytes } from 'node:crypto'
import { type CellName, firstPlacement, SLOTS_DEFAULT } from '../../cells/model/placement.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import {
  decodePlacement,
  encodePlacement,
  PLACEMENT_KEY,
  type PlacementDocument,
} from '../router/placement-document.ts'

const CELLS_DEFAULT = 2

/** The cluster was made with other cells than it is started with. */
export class OtherCells extends Error {
  readonly code = 'OTHER_CELLS'
  override readonly name = 'OtherCells'
  readonly cells: readonly CellName[]

  constructor(cells: readonly CellName[]) {
    super(`this cluster has the cells ${cells.join(', ')}`)
    this.cells = cells
  }
}

/** The placement there is, or a first one that deals the slots to so many cells. Throws OtherCells. */
export async function placementFor(
  control: ControlStore,
  cellCount: number | undefined,
): Promise<PlacementDocument> {
  const found = await control.get(PLACEMENT_KEY)
  if (found === undefined) {
    const clusterId = randomBytes(8).readBigUInt64BE()
    const placement = firstPlacement(cellNames(cellCount ?? CELLS_DEFAULT), SLOTS_DEFAULT)
    const document = { clusterId, placement }
    const made = await control.compareAndSet(PLACEMENT_KEY, 0, encodePlacement(document))
    return made === undefined ? placementFor(control, cellCount) : document
  }
  const document = decodePlacement(found.value)
  const known = document.placement.cells
  if (cellCount !== undefined && known.length !== cellCount) throw new OtherCells(known)
  return document
}

/** The names of a cluster's first cells: cell-1, cell-2, ... */
function cellNames(count: number): CellName[] {
  return Array.from({ length: count }, (_, index) => `cell-${index + 1}`)
}
