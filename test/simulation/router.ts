// A router as the outside world asks it: knows a placement, learns newer ones sometimes, or never, and follows cells that say `moved`.

import { type CellName, ownerOf, type Placement, slotOf } from '../../cells/model/placement.ts'
import type { UserKey } from '../../cells/model/user-key.ts'
import type { PlacementStore } from './placement-store.ts'
import type { Dice } from './random.ts'

type Told = { readonly cell: CellName; readonly epoch: number }

export class SimulatedRouter {
  readonly #store: PlacementStore
  readonly #dice: Dice
  /** How likely it looks at the control store before a call. */
  readonly #freshness: number
  readonly #told = new Map<number, Told>()
  #placement: Placement

  constructor(store: PlacementStore, dice: Dice) {
    this.#store = store
    this.#dice = dice
    this.#freshness = dice.pick([0, 0.1, 0.7])
    this.#placement = store.placement
  }

  /** Where the user lives, as far as it knows, and by which epoch. */
  homeOf(user: UserKey): Told {
    if (!this.#store.isDown && this.#dice.chance(this.#freshness)) this.#learn()
    const slot = slotOf(user, this.#placement.slots)
    const { cell } = ownerOf(this.#placement, slot)
    return this.#told.get(slot) ?? { cell, epoch: this.#placement.epoch }
  }

  moved(user: UserKey, told: Told): void {
    const slot = slotOf(user, this.#placement.slots)
    const known = this.#told.get(slot)?.epoch ?? this.#placement.epoch
    if (told.epoch > known) this.#told.set(slot, told)
  }

  #learn(): void {
    this.#placement = this.#store.placement
    for (const [slot, { epoch }] of this.#told) {
      if (epoch <= this.#placement.epoch) this.#told.delete(slot)
    }
  }
}
