// The placement of cells that live in one process, and their stores, in memory.

import type { Busyness } from '../../cells/model/copy-pace.ts'
import type { CellName, Placement } from '../../cells/model/placement.ts'
import type { Moving, PlacementFound, Placements } from '../../cells/ports/placements.ts'
import type { SlotSource } from '../../cells/ports/slot-source.ts'
import { Bell } from '../in-process/bell.ts'

type Source = { readonly store: SlotSource; readonly busyness: () => Promise<Busyness | undefined> }

export class MemoryPlacements implements Placements, Moving {
  readonly placements = this
  readonly #sources = new Map<CellName, Source>()
  readonly #changed = new Bell()
  #placement: Placement
  #revision = 1
  /** Terms of arrivals are above those that cells begin with. */
  #term = 1

  constructor(placement: Placement) {
    this.#placement = placement
  }

  /** From now on slots can be copied from this cell. `busyness`: how it fares, if anybody knows. */
  addSource(
    cell: CellName,
    store: SlotSource,
    busyness: Source['busyness'] = async () => undefined,
  ): void {
    this.#sources.set(cell, { store, busyness })
  }

  async read(): Promise<PlacementFound> {
    return { placement: this.#placement, revision: this.#revision }
  }

  async replace(revision: number, placement: Placement): Promise<boolean> {
    if (revision !== this.#revision) return false
    this.#placement = placement
    this.#revision++
    this.#changed.ring()
    return true
  }

  watch(signal: AbortSignal): AsyncIterable<Placement> {
    return this.#changesSince(this.#changed.rings, signal)
  }

  async *#changesSince(rings: number, signal: AbortSignal): AsyncGenerator<Placement> {
    let heard = rings
    while (!signal.aborted) {
      await this.#changed.rungSince(heard, signal)
      if (heard === this.#changed.rings) continue
      heard = this.#changed.rings
      yield this.#placement
    }
  }

  async nextTerm(): Promise<number> {
    return ++this.#term
  }

  async openSource(cell: CellName): Promise<SlotSource> {
    const source = this.#sources.get(cell)
    if (source === undefined) throw new Error(`the store of ${cell} is not known`)
    return source.store
  }

  async busynessOf(cell: CellName): Promise<Busyness | undefined> {
    return this.#sources.get(cell)?.busyness()
  }
}
