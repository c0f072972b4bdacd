// Where every call to a cell comes in: a user of another cell is sent there; the others wait until the cell is ready and has applied
// what the caller has seen. The answer holds everything before the position it names.

import { ownerOf, slotOf } from '../model/placement.ts'
import { hasReached } from '../model/position.ts'
import type { Answer, Call } from '../ports/cell-client.ts'
import type { CellParts } from './cell-parts.ts'
import type { CellState, Slot } from './cell-state.ts'
import type { Viewer } from './hydrate.ts'
import type { Readiness } from './readiness.ts'

export class Gate {
  readonly #state: CellState
  readonly #readiness: Readiness
  readonly #parts: () => CellParts

  constructor(options: { state: CellState; readiness: Readiness; parts: () => CellParts }) {
    this.#state = options.state
    this.#readiness = options.readiness
    this.#parts = options.parts
  }

  /** A call for a user of this cell; `moved` for all others. `early`: answered also while a gap is open. */
  async inSlot<T>(
    call: Call,
    read: (viewer: NonNullable<Viewer>, slot: Slot, parts: CellParts) => Promise<T>,
    early = false,
  ): Promise<Answer<T>> {
    const state = this.#state
    const slot = state.slotOfUser(call.viewer)
    if (slot === undefined) {
      const { placement } = state
      const owner = ownerOf(placement, slotOf(call.viewer, placement.slots))
      return { kind: 'moved', cell: owner.cell, epoch: placement.epoch }
    }
    const readHere = (parts: CellParts): Promise<T> => {
      const number = parts.names.lookup(call.viewer)
      return read({ number, reader: state.readers.get(number) }, slot, parts)
    }
    return this.anywhere(call, readHere, early)
  }

  /** A call that any cell can answer. */
  async anywhere<T>(
    call: Omit<Call, 'viewer'>,
    read: (parts: CellParts) => Promise<T>,
    early = false,
  ): Promise<Answer<T>> {
    const state = this.#state
    const readiness = this.#readiness
    while (!readiness.isReady(early) || !hasReached(state.position, call.seen)) {
      const isThere = await readiness.ready(call.signal, early)
      // Suspended while it waits for the rest, it waits again.
      if (!isThere || !(await state.reached(call.seen, call.signal))) {
        return { kind: 'late', missing: call.seen, position: [...state.position] }
      }
    }
    const position = [...state.position]
    return { kind: 'ok', value: await read(this.#parts()), position }
  }
}
