// The placement as all processes of a cluster agree on it, and what cells need besides to move slots: terms, and each other's stores.
// All calls may fail while the control store is away; who knows a placement goes on with it.

import type { Busyness } from '../model/copy-pace.ts'
import type { CellName, Placement } from '../model/placement.ts'
import type { SlotSource } from './slot-source.ts'

/** `revision` names the version that was read, for `replace`. */
export type PlacementFound = { readonly placement: Placement; readonly revision: number }

export interface Placements {
  read(): Promise<PlacementFound>
  /** Replaces the placement if it is still the one of that revision; false when it is not. After a failure it may be either. */
  replace(revision: number, placement: Placement): Promise<boolean>
  /** Tells of changes after it was called, at least of the latest one; ends when the signal aborts. */
  watch(signal: AbortSignal): AsyncIterable<Placement>
}

/** What a cell needs to take slots in. */
export interface Moving {
  readonly placements: Pick<Placements, 'read' | 'watch'>
  /** A number that was never given before, in the whole cluster. */
  nextTerm(): Promise<number>
  /** The store of another cell, to be read only. */
  openSource(cell: CellName): Promise<SlotSource>
  /** How a cell fares, as it said last; undefined when it says nothing. */
  busynessOf(cell: CellName): Promise<Busyness | undefined>
}
