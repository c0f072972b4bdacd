// What each slot asks of the cell that owns it, and what it weighs: its share of all readers, of all reads and of all bytes, each kind
// counting alike. All slots of a cluster together weigh 1.

import { isMoving } from './move.ts'
import { type CellName, type Placement, slotsIn } from './placement.ts'

export type SlotLoad = {
  readonly slot: number
  readonly cell: CellName
  readonly readers: number
  /** A second. */
  readonly reads: number
  readonly bytes: number
  /** On its way to `cell` already: it counts there, and is not moved again. */
  readonly isUnderWay: boolean
  /** Of one user, who is to live in `cell`. */
  readonly isPinned: boolean
}

/** As cells report it. */
export type MeasuredSlot = Pick<SlotLoad, 'slot' | 'readers' | 'reads' | 'bytes'>

/** Fewer reads a second in the whole cluster are chance, and have no say. */
const READS_MIN = 10

/** All slots of the placement, in order. A slot that no cell reports is empty. */
export function loadsOf(placement: Placement, measured: Iterable<MeasuredSlot>): SlotLoad[] {
  const bySlot = new Map<number, SlotLoad>()
  const none = { readers: 0, reads: 0, bytes: 0, isUnderWay: false }
  for (const range of placement.ranges) {
    for (const slot of slotsIn([range])) {
      bySlot.set(slot, { slot, cell: range.cell, isPinned: slot >= placement.slots, ...none })
    }
  }
  for (const { slot, readers, reads, bytes } of measured) {
    const load = bySlot.get(slot)
    if (load !== undefined) bySlot.set(slot, { ...load, readers, reads, bytes })
  }
  for (const { slots, to } of placement.moves.filter(isMoving)) {
    for (const slot of slotsIn(slots)) {
      const load = bySlot.get(slot)
      if (load !== undefined) bySlot.set(slot, { ...load, cell: to, isUnderWay: true })
    }
  }
  return [...bySlot.values()]
}

/** In the order of the loads. A kind of which there is nothing has no say; if there is nothing of any, all slots weigh alike. */
export function weightsOf(loads: readonly SlotLoad[]): number[] {
  const kinds = [
    { of: (load: SlotLoad) => load.readers, min: 1 },
    { of: (load: SlotLoad) => load.reads, min: READS_MIN },
    { of: (load: SlotLoad) => load.bytes, min: 1 },
  ]
    .map((kind) => ({ ...kind, total: loads.reduce((sum, load) => sum + kind.of(load), 0) }))
    .filter(({ total, min }) => total >= min)
  if (kinds.length === 0) return loads.map(() => 1 / loads.length)
  return loads.map((load) =>
    kinds.reduce((sum, kind) => sum + kind.of(load) / kind.total / kinds.length, 0),
  )
}
