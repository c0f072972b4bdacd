// What a placement asks of one cell, as activities/slot-keeper.ts. Two placements that ask the same of a cell are one to it.

import { termOf } from '../../cells/model/move.ts'
import { ownerOf, type Placement } from '../../cells/model/placement.ts'
import type { Copy, Name } from './cluster.ts'

/** Terms and ids of moves; 0 is none. */
export type View = {
  /** The term under which it owns the slot. */
  readonly owns: number
  /** The move whose slot is to be copied, and the source's term. */
  readonly takesIn: number
  readonly from: number
  /** The move to here that is not cut over, and its term once there is one. */
  readonly target: number
  readonly term: number
  /** The move that is cut over from here, and the term that can be taken back. */
  readonly retains: number
  readonly left: number
}

const NONE: View = {
  owns: 0,
  takesIn: 0,
  from: 0,
  target: 0,
  term: 0,
  retains: 0,
  left: 0,
}

const KEYS = Object.keys(NONE) as (keyof View)[]
const views = { A: new WeakMap<Placement, View>(), B: new WeakMap<Placement, View>() }

export function viewOf(placement: Placement, name: Name): View {
  let view = views[name].get(placement)
  if (view === undefined) {
    view = viewed(placement, name)
    views[name].set(placement, view)
  }
  return view
}

function viewed(placement: Placement, name: Name): View {
  const owner = ownerOf(placement, 0)
  const owns = owner.cell === name ? owner.term : 0
  const [move] = placement.moves
  if (move === undefined) return { ...NONE, owns }
  const { id, phase } = move
  if (phase.kind === 'retiring') {
    const left = phase.left.find(({ cell }) => cell === name)
    return left === undefined ? { ...NONE, owns } : { ...NONE, owns, retains: id, left: left.term }
  }
  if (move.from === name || phase.kind === 'preparing') return { ...NONE, owns }
  const term = termOf(move) ?? 0
  if (phase.kind !== 'copying') return { ...NONE, target: id, term }
  const takesIn = move.isPaused ? 0 : id
  return { ...NONE, target: id, term, takesIn, from: takesIn === 0 ? 0 : owner.term }
}

export function isSame(one: View, other: View): boolean {
  return one === other || KEYS.every((key) => one[key] === other[key])
}

/** Whether a copy is anybody's business in the cell. */
export function isWanted(view: View, { term, move, isDurable }: Copy): boolean {
  if (!isDurable) return view.takesIn === move
  if (term === view.owns || term === view.left) return true
  return view.target === move && move !== 0 && (view.term === 0 || view.term === term)
}
