// The audit trail: who changed the placement, when, and how. The newest change stands in the placement itself, so none is made without
// being told; it gets a document of its own before the next one takes its place.

import type { PlacementChange } from '../../cells/model/placement-change.ts'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import { decodeChange, decodePlacement, encodeChange, PLACEMENT_KEY } from './placement-document.ts'

export async function keepChange(control: ControlStore, change: PlacementChange): Promise<void> {
  // Whoever was here before has written the same.
  await control.compareAndSet(keyOf(change.epoch), 0, encodeChange(change))
}

/** Newest first. */
export async function changesOf(control: ControlStore, limit: number): Promise<PlacementChange[]> {
  const found = await control.get(PLACEMENT_KEY)
  let change = found && decodePlacement(found.value).change
  const changes: PlacementChange[] = []
  while (change !== undefined && changes.length < limit) {
    changes.push(change)
    const before = await control.get(keyOf(change.previous))
    change = before && decodeChange(before.value)
  }
  return changes
}

function keyOf(epoch: number): string {
  return `placement/changes/${epoch}`
}
