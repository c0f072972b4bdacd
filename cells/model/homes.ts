// Where users live, as far as one process knows: by the newest placement that it has, and by what cells have said since of single slots
// and of users who got a slot of their own.

import { type CellName, homeSlotOf, ownerOf, type Placement } from './placement.ts'
import type { UserKey } from './user-key.ts'

export type Home = { readonly cell: CellName; readonly epoch: number }
/** What a cell without the user's slot says: who owns it, in its epoch. */
export type Told = Home & { readonly slot: number }

export class Homes {
  #placement: Placement
  /** Bounded by the number of slots, and of users with a slot of their own. */
  readonly #slots = new Map<number, Home>()
  readonly #users = new Map<UserKey, Told>()

  constructor(placement: Placement) {
    this.#placement = placement
  }

  get placement(): Placement {
    return this.#placement
  }

  /** The owner of the user's slot, and the epoch by which it is that. */
  of(user: UserKey): Home {
    const placement = this.#placement
    const own = this.#users.get(user)
    const slot = own?.slot ?? homeSlotOf(placement, user)
    const told = this.#slots.get(slot) ?? own
    if (told !== undefined) return told
    return { cell: ownerOf(placement, slot).cell, epoch: placement.epoch }
  }

  /** An older epoch than known is no news. */
  told(user: UserKey, { cell, epoch, slot }: Told): void {
    if (epoch <= this.#placement.epoch) return
    if (epoch > (this.#slots.get(slot)?.epoch ?? 0)) this.#slots.set(slot, { cell, epoch })
    if (epoch < (this.#users.get(user)?.epoch ?? 0)) return
    if (slot === homeSlotOf(this.#placement, user)) this.#users.delete(user)
    else this.#users.set(user, { cell, epoch, slot })
  }

  /** Replaces the placement if this one is newer. */
  take(placement: Placement): void {
    if (placement.epoch <= this.#placement.epoch) return
    this.#placement = placement
    for (const known of [this.#slots, this.#users] as Map<unknown, Home>[]) {
      for (const [key, { epoch }] of known) if (epoch <= placement.epoch) known.delete(key)
    }
  }
}
