// The placement as it stands in the control store: one document, replaced as a whole by compare-and-set.

import type { Placement } from '../../cells/model/placement.ts'
import { Placement as PlacementMessage } from '../../gen/cellfeed/internal/v1/placement.ts'

export const PLACEMENT_KEY = 'placement'

export type PlacementDocument = { readonly clusterId: bigint; readonly placement: Placement }

export function encodePlacement(document: PlacementDocument): Uint8Array {
  const { clusterId, placement } = document
  return PlacementMessage.encode({
    clusterId,
    epoch: BigInt(placement.epoch),
    slots: placement.slots,
    ranges: placement.ranges.map((range) => ({ ...range })),
    pins: [],
  }).finish()
}

/** Throws when the document is not one that covers every slot exactly once. */
export function decodePlacement(bytes: Uint8Array): PlacementDocument {
  const message = PlacementMessage.decode(bytes)
  if (message.pins.length > 0)
    throw new Error('the placement pins users, which needs a newer version')
  const placement: Placement = {
    epoch: Number(message.epoch),
    slots: message.slots,
    ranges: message.ranges.map(({ first, last, cell, term }) => ({ first, last, cell, term })),
  }
  assertCovers(placement)
  return { clusterId: message.clusterId, placement }
}

/** The names of the cells that own slots, in order of their first slot. */
export function cellsOf(placement: Placement): string[] {
  return [...new Set(placement.ranges.map((range) => range.cell))]
}

function assertCovers(placement: Placement): void {
  let next = 0
  for (const { first, last } of placement.ranges) {
    if (first !== next || last < first)
      throw new Error(`the placement leaves slot ${next} to nobody`)
    next = last + 1
  }
  if (next !== placement.slots) throw new Error(`the placement leaves slot ${next} to nobody`)
}
