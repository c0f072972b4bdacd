// A cell owns only what it keeps: a slot that came to it was named by its checkpoint before the placement gave it to the cell.

import { slotsOf } from '../model/placement.ts'
import type { CellState } from './cell-state.ts'
import type { Claim } from './claim.ts'

/** The store of a cell lacks what the placement says that it has. */
export class SlotsMissing extends Error {
  readonly code = 'SLOTS_MISSING'
  override readonly name = 'SlotsMissing'
}

/** Throws SlotsMissing; or CellSuperseded, if what is missing was given away by a later process of this cell. */
export async function assertKept(state: CellState, claim: Claim): Promise<void> {
  const missing = slotsOf(state.placement, state.cell).find(({ slot, term }) => {
    const kept = state.slots.get(slot)
    return kept?.term !== term || !kept.isComplete
  })
  if (missing === undefined) return
  await claim.confirm()
  throw new SlotsMissing(
    `the placement gives slot ${missing.slot} to ${state.cell} under term ${missing.term}, but its store does not hold that: the store is not the one that this cell last ran on, or was restored from an older backup`,
  )
}
