// A cell owns only what it keeps: a slot that came to it was named by its checkpoint before the placement gave it to the cell.

import { runsOf, slotsOf } from '../model/placement.ts'
import type { CellState } from './cell-state.ts'
import type { Claim } from './claim.ts'

/** The store of a cell lacks what the placement says that it has. */
export class SlotsMissing extends Error {
  readonly code = 'SLOTS_MISSING'
  override readonly name = 'SlotsMissing'
}

/** Throws SlotsMissing; or CellSuperseded, if what is missing was given away by a later process of this cell. */
export async function assertKept(state: CellState, claim: Claim): Promise<void> {
  const all = slotsOf(state.placement, state.cell)
  const missing = all.filter(({ slot, term }) => {
    const kept = state.slots.get(slot)
    return kept?.term !== term || !kept.isComplete
  })
  if (missing.length === 0) return
  await claim.confirm()
  const runs = runsOf(missing.map(({ slot }) => slot))
  const which = runs.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
  throw new SlotsMissing(
    `the placement gives slots ${which.join(', ')} to ${state.cell} (${missing.length} of its ${all.length}), but its store does not hold them: the store is not the one that this cell last ran on, or was restored from an older backup; docs/operations.md says what to do when it is lost`,
  )
}
