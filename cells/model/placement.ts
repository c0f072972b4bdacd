// Which cell a user lives in. Users fall into slots by their key; the placement says which cell owns each slot, and with which
// term: every arrival of a slot in a cell is a new term, so that what an earlier stay left in the store is never met again.

import { keyWord, type UserKey } from './user-key.ts'

export type CellName = string
export type SlotTerm = { readonly slot: number; readonly term: number }
export type SlotRange = {
  readonly first: number
  readonly last: number
  readonly cell: CellName
  readonly term: number
}

/** One small versioned document; `epoch` grows with every change. Ranges cover 0 .. slots-1 exactly once. */
export type Placement = {
  readonly epoch: number
  readonly slots: number
  readonly ranges: readonly SlotRange[]
}

export const SLOTS_DEFAULT = 4096

export function slotOf(key: UserKey, slots: number): number {
  return keyWord(key, 0) % slots
}

/** The placement of a new cluster: slots dealt in equal runs. */
export function firstPlacement(cells: readonly CellName[], slots: number): Placement {
  const ranges = cells.map((cell, index) => ({
    first: Math.floor((index * slots) / cells.length),
    last: Math.floor(((index + 1) * slots) / cells.length) - 1,
    cell,
    term: 1,
  }))
  return { epoch: 1, slots, ranges }
}

export function ownerOf(placement: Placement, slot: number): SlotRange {
  const range = placement.ranges.find((r) => r.first <= slot && slot <= r.last)
  if (range === undefined)
    throw new Error(`placement epoch ${placement.epoch} has no owner for slot ${slot}`)
  return range
}

/** The slots of one cell with their terms, in slot order. */
export function slotsOf(placement: Placement, cell: CellName): SlotTerm[] {
  return placement.ranges
    .filter((range) => range.cell === cell)
    .flatMap((range) =>
      Array.from({ length: range.last - range.first + 1 }, (_, i) => ({
        slot: range.first + i,
        term: range.term,
      })),
    )
    .sort((a, b) => a.slot - b.slot)
}
