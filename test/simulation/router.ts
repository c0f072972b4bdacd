// A router as the outside world asks it: knows a placement, learns newer ones sometimes, or never, and follows cells that say `moved`.

import { type Home, Homes, type Told } from '../../cells/model/homes.ts'
import type { UserKey } from '../../cells/model/user-key.ts'
import type { PlacementStore } from './placement-store.ts'
import type { Dice } from './random.ts'

export class SimulatedRouter {
  readonly #store: PlacementStore
  readonly #dice: Dice
  /** How likely it looks at the control store before a call. */
  readonly #freshness: number
  readonly #homes: Homes

  constructor(store: PlacementStore, dice: Dice) {
    this.#store = store
    this.#dice = dice
    this.#freshness = dice.pick([0, 0.1, 0.7])
    this.#homes = new Homes(store.placement)
  }

  /** Where the user lives, as far as it knows, and by which epoch. */
  homeOf(user: UserKey): Home {
    if (!this.#store.isDown && this.#dice.chance(this.#freshness)) {
      this.#homes.take(this.#store.placement)
    }
    return this.#homes.of(user)
  }

  moved(user: UserKey, told: Told): void {
    this.#homes.told(user, told)
  }
}
