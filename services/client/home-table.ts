// Where users live, as a router said: a version of the placement that a client keeps.

import { slotOf } from '../../cells/model/placement.ts'
import { userKey } from '../../cells/model/user-key.ts'
import type { ListHomesResponse } from '../../gen/cellfeed/v1/router_service.ts'

export class HomeTable {
  readonly epoch: number
  /** By slot: where its cell is; undefined when that is not known. */
  readonly #addresses: readonly (string | undefined)[]

  constructor({ epoch, slots, ranges, cells }: ListHomesResponse) {
    const addressOf = new Map(cells.map(({ cell, address }) => [cell, address]))
    const addresses = new Array<string | undefined>(slots).fill(undefined)
    for (const { first, last, cell } of ranges) {
      addresses.fill(addressOf.get(cell), first, last + 1)
    }
    this.epoch = Number(epoch)
    this.#addresses = addresses
  }

  addressOf(userId: string): string | undefined {
    const slots = this.#addresses.length
    return slots === 0 ? undefined : this.#addresses[slotOf(userKey(userId), slots)]
  }
}
