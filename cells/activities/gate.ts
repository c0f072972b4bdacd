// Where every call to a cell comes in: a user of another cell is sent there; the others wait until the cell is ready and has applied
// what the caller has seen. The answer holds everything before the position it names.

import { ANY_EPOCH, homeSlotOf, ownerOf } from '../model/placement.ts'
import { hasReached, largerOf } from '../model/position.ts'
import type { Answer, Call } from '../ports/cell-client.ts'
import type { Clock } from '../ports/clock.ts'
import type { CellParts } from './cell-parts.ts'
import { type CellState, lookedAt, type Slot } from './cell-state.ts'
import type { Viewer } from './hydrate.ts'
import type { Readiness } from './readiness.ts'

type ReadOptions = {
  /** Answered also while a gap is open. */
  readonly early?: boolean
  /** How the cell fares is told by such reads. */
  readonly isVital?: boolean
  /** Somebody else asks: that says nothing about when the reader was there. */
  readonly isOperators?: boolean
}
export type ReadInSlot<T> = (
  viewer: NonNullable<Viewer>,
  slot: Slot,
  parts: CellParts,
) => Promise<T>

export class Gate {
  readonly #state: CellState
  readonly #readiness: Readiness
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #parts: () => CellParts

  constructor(options: {
    state: CellState
    readiness: Readiness
    clock: Pick<Clock, 'nowMs'>
    parts: () => CellParts
  }) {
    this.#state = options.state
    this.#clock = options.clock
    this.#readiness = options.readiness
    this.#parts = options.parts
  }

  /** A call for a user of this cell; `moved` for all others. A comparison of copies (ANY_EPOCH) counts as nobody's read. */
  async inSlot<T>(call: Call, read: ReadInSlot<T>, options: ReadOptions = {}): Promise<Answer<T>> {
    for (;;) {
      const slot = this.#slotFor(call)
      if (slot === undefined && !(await this.#newer(call))) return this.#elsewhere(call)
      if (slot === undefined) continue
      const answer = await this.anywhere(
        slot.reflects === undefined ? call : { ...call, seen: largerOf(slot.reflects, call.seen) },
        (parts) => this.#readIn(slot, call, parts, { ...options, read }),
        options.early,
      )
      if (answer.kind !== 'ok') return answer
      // Given away and dropped while the call waited.
      if (answer.value !== undefined) return { ...answer, value: answer.value.read }
    }
  }

  /**
   * The caller's slot, if it may be read here: as its owner, or because the caller knows that this cell is since. Of a user with a slot of
   * their own a caller may know less: that the slot where they lived before has moved here.
   */
  #slotFor({ viewer, epoch = 0 }: Call): Slot | undefined {
    const state = this.#state
    const slot = state.slotOfUser(viewer)
    if (slot?.isComplete !== true) return undefined
    if (slot.isOwned || epoch === ANY_EPOCH) return slot
    const { slots, epoch: known } = state.placement
    return epoch > known && slot.slot < slots ? slot : undefined
  }

  /** Waits for the placement that the caller knows, if that is a newer one; false when this cell knows it, or time is over. */
  async #newer({ epoch = 0, signal }: Call): Promise<boolean> {
    const state = this.#state
    if (epoch <= state.placement.epoch || signal.aborted) return false
    await state.replaced.wait(signal)
    return true
  }

  #elsewhere<T>({ viewer, epoch = 0, seen }: Call): Answer<T> {
    const { placement, position } = this.#state
    // The caller sent it here by what this cell has not heard of yet.
    if (epoch > placement.epoch) return { kind: 'late', missing: seen, position: [...position] }
    const slot = homeSlotOf(placement, viewer)
    const { cell } = ownerOf(placement, slot)
    return { kind: 'moved', cell, epoch: placement.epoch, slot }
  }

  /** Undefined when the slot is not here any more. */
  async #readIn<T>(
    slot: Slot,
    { viewer, epoch }: Call,
    parts: CellParts,
    { read, isVital = false, isOperators = false }: ReadOptions & { readonly read: ReadInSlot<T> },
  ): Promise<{ readonly read: T } | undefined> {
    const state = this.#state
    if (state.slots.get(slot.slot) !== slot) return undefined
    const number = parts.names.lookup(viewer)
    const begunMs = this.#clock.nowMs()
    // Who compares copies looks in the reader's place, who did nothing.
    const isTheirs = epoch !== ANY_EPOCH
    slot.reads++
    let isFailed = true
    try {
      if (isTheirs) slot.readRate.note(begunMs)
      const isAway = slot.away.has(number)
      const reader = isAway ? await parts.away.bring(number, slot) : slot.readers.get(number)
      if (state.slots.get(slot.slot) !== slot) {
        isFailed = false
        return undefined
      }
      if (reader !== undefined && isTheirs && !isOperators) state.noteSeen(reader, begunMs)
      const value = await read({ number, reader }, isTheirs ? slot : lookedAt(slot), parts)
      isFailed = false
      return { read: value }
    } finally {
      const nowMs = this.#clock.nowMs()
      if (isVital && isTheirs) state.vitals.note(nowMs, nowMs - begunMs, isFailed)
      slot.reads--
      if (slot.reads === 0 && state.slots.get(slot.slot) !== slot) state.replaced.ring()
    }
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
