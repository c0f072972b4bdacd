// What arrivals that were broken off have left in the store. The next arrival of the same move goes on under the same term, and copies
// the chunks only of those slots that are not marked as whole. A copy of which a part was dropped must never be taken for whole. So its
// rows stay until the move is over, or a later stay has begun in these slots: only the latest one counts. Whether a move is over can be
// told from an old placement too: its id is the epoch in which it began.

import { termOf } from '../model/move.ts'
import { type CellName, findOwner, type Placement, type SlotTerm } from '../model/placement.ts'
import { decodeReach, type Reach } from '../model/rows.ts'
import type { ReachRow } from '../ports/cell-store.ts'

export type BrokenOff = {
  readonly term: number
  /** Of each slot whose chunks are all here: what they reach, and where they come from. */
  readonly whole: ReadonlyMap<number, { readonly fromTerm: number; readonly reach: Reach }>
}

/** What the latest copy of a move has left. Undefined when there is nothing, or nothing that `isUsable`. */
export function brokenOff(
  rows: readonly ReachRow[],
  move: number,
  isUsable: (term: number) => boolean,
): BrokenOff | undefined {
  const followed = termsFollowed(rows)
  const ofMove = rows.flatMap(({ slot, term, bytes }) => {
    const { copied, ...reach } = decodeReach(bytes)
    const counts = copied?.move === move && !followed.has(term) && isUsable(term)
    return counts ? [{ slot, term, copied, reach }] : []
  })
  const term = ofMove[0]?.term
  if (term === undefined) return undefined
  const whole = ofMove
    .filter(({ copied }) => copied.hasChunks)
    .map(({ slot, copied: { fromTerm }, reach }) => [slot, { fromTerm, reach }] as const)
  return { term, whole: new Map(whole) }
}

export type Leftovers = {
  /** Of copies whose moves are not over. */
  readonly ofMoves: ReadonlyMap<number, readonly SlotTerm[]>
  /** Of each term in the order in which they have to be dropped, so that the latest is the last that can be found. */
  readonly useless: readonly (readonly SlotTerm[])[]
}

/** Stays that nobody keeps. */
export function leftovers(
  rows: readonly ReachRow[],
  placement: Placement,
  isKept: (stay: SlotTerm) => boolean,
): Leftovers {
  const followed = termsFollowed(rows)
  const moveOf = new Map<number, number>()
  for (const { term, bytes } of rows) {
    const move = decodeReach(bytes).copied?.move
    if (move === undefined || followed.has(term) || isOver(placement, move)) continue
    moveOf.set(term, move)
  }
  const ofMoves = new Map<number, SlotTerm[]>()
  const useless = new Map<number, SlotTerm[]>()
  for (const { slot, term } of rows) {
    if (isKept({ slot, term })) continue
    const move = moveOf.get(term)
    const [to, key] = move === undefined ? [useless, term] : [ofMoves, move]
    const stays = to.get(key) ?? []
    stays.push({ slot, term })
    to.set(key, stays)
  }
  const terms = [...useless.keys()].sort((a, b) => a - b)
  return { ofMoves, useless: terms.map((term) => useless.get(term) ?? []) }
}

/** Terms of which a slot has a later one. */
function termsFollowed(rows: readonly SlotTerm[]): ReadonlySet<number> {
  const latest = new Map<number, number>()
  for (const { slot, term } of rows) latest.set(slot, Math.max(term, latest.get(slot) ?? 0))
  return new Set(rows.flatMap(({ slot, term }) => (term < (latest.get(slot) ?? 0) ? [term] : [])))
}

/** Stays whose rows copies that were broken off have left, by move. */
export class LeftBehind {
  readonly #stays = new Map<number, readonly SlotTerm[]>()

  get byMove(): readonly (readonly [number, readonly SlotTerm[]])[] {
    return [...this.#stays]
  }

  add(move: number, stays: readonly SlotTerm[]): void {
    const known = this.#stays.get(move) ?? []
    const keys = new Set(known.map(({ slot, term }) => `${slot}.${term}`))
    const added = stays.filter(({ slot, term }) => !keys.has(`${slot}.${term}`))
    this.#stays.set(move, [...known, ...added])
  }

  keep(move: number, isKept: (stay: SlotTerm) => boolean): void {
    const rest = (this.#stays.get(move) ?? []).filter(isKept)
    if (rest.length === 0) this.#stays.delete(move)
    else this.#stays.set(move, rest)
  }
}

/** Whether a stay is one that the cell owns, has given away not long ago, or has ready. */
export function isNamed(placement: Placement, cell: CellName, { slot, term }: SlotTerm): boolean {
  const owner = findOwner(placement, slot)
  if (owner?.cell === cell && owner.term === term) return true
  return placement.moves.some((move) => {
    if (move.to === cell && termOf(move) === term) return true
    const { phase } = move
    const left = phase.kind === 'retiring' ? phase.left : []
    return left.some((range) => range.cell === cell && range.term === term)
  })
}

export function isOver({ epoch, moves }: Placement, move: number): boolean {
  return move <= epoch && !moves.some(({ id }) => id === move)
}
