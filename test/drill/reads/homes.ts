// Which cell may have answered a user when: seen from outside, where a change is known only to lie between two looks.
//
//     look: cell-1      look: cell-2
//         |     cell-1 ... |<- stale ->|
//         |<--- cell-2 ................
//
// After a cutover a gateway may not have learned of it yet, and asks the cell that it knows.

import { slotOf, SLOTS_DEFAULT } from '../../../cells/model/placement.ts'
import { userKey } from '../../../cells/model/user-key.ts'

/** A quarter of all slots. They move together, so one user tells where all of its users live. */
export type Quarter = 0 | 1 | 2 | 3
export const QUARTERS: readonly Quarter[] = [0, 1, 2, 3]

/** A control store's change is learned by polling it, twice a second. */
const STALE_MS = 1_000

type Stay = { readonly cell: string; readonly fromMs: number; toMs: number }

export class Homes {
  readonly #stays = new Map<Quarter, Stay[]>()
  readonly #lookedMs = new Map<Quarter, number>()

  /** Somebody who asked at `askedMs` was told at `toldMs` that the cell owns the quarter. */
  told(
    quarter: Quarter,
    cell: string,
    { askedMs, toldMs }: { askedMs: number; toldMs: number },
  ): void {
    const stays = this.#stays.get(quarter) ?? []
    this.#stays.set(quarter, stays)
    const last = stays.at(-1)
    if (last?.cell !== cell) {
      const fromMs = last === undefined ? 0 : (this.#lookedMs.get(quarter) ?? 0) - STALE_MS
      if (last !== undefined) last.toMs = toldMs + STALE_MS
      stays.push({ cell, fromMs, toMs: Number.POSITIVE_INFINITY })
    }
    this.#lookedMs.set(quarter, askedMs)
  }

  /** Cells that may have been asked for a user of the quarter in this time. */
  mayOwn(quarter: Quarter, fromMs: number, toMs: number): string[] {
    const stays = this.#stays.get(quarter) ?? []
    return stays
      .filter((stay) => stay.fromMs <= toMs && fromMs <= stay.toMs)
      .map(({ cell }) => cell)
  }

  /** Whether the quarter may have got another owner in this time. */
  mayChange(quarter: Quarter, fromMs: number, toMs: number): boolean {
    const stays = this.#stays.get(quarter) ?? []
    return stays.some((stay, at) => {
      const before = stays[at - 1]
      return before !== undefined && stay.fromMs <= toMs && fromMs <= before.toMs
    })
  }

  /** The owner as far as is known now. */
  ownerOf(quarter: Quarter): string | undefined {
    return this.#stays.get(quarter)?.at(-1)?.cell
  }
}

export function quarterOf(user: string): Quarter {
  return quarterOfSlot(slotOf(userKey(user), SLOTS_DEFAULT))
}

export function slotsOf(quarter: Quarter): { readonly first: number; readonly last: number } {
  const size = SLOTS_DEFAULT / QUARTERS.length
  return { first: quarter * size, last: (quarter + 1) * size - 1 }
}

function quarterOfSlot(slot: number): Quarter {
  return Math.floor((slot * QUARTERS.length) / SLOTS_DEFAULT) as Quarter
}
