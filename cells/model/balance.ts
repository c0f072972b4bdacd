// A plan for an even load: which slots go to which cells so that no cell is much heavier than the mean, none is nearly idle, and few
// slots move. The same loads always give the same plan.

import { slotsMovedMin } from './balance-bound.ts'
import { Deal, type Goal, type Holding } from './balance-deal.ts'
import { dealOut, searched } from './balance-search.ts'
import type { CellName } from './placement.ts'
import { type SlotLoad, weightsOf } from './slot-load.ts'

/** Cells that are in neither list keep what they have, and get nothing. */
export type BalanceCells = {
  /** These may take slots, and give some. */
  readonly takers: readonly CellName[]
  /** These are to own nothing afterwards. */
  readonly drained: readonly CellName[]
}

export type PlannedSlot = {
  readonly slot: number
  readonly from: CellName
  readonly to: CellName
  /** Its part of the cluster's load. */
  readonly weight: number
}

/** In times the mean of the takers as it will be. */
export type CellLoad = { readonly cell: CellName; readonly before: number; readonly after: number }

export type BalancePlan = {
  /** Lightest first. */
  readonly moves: readonly PlannedSlot[]
  /** Takers, then drained cells. */
  readonly cells: readonly CellLoad[]
  /** No plan that reaches the goal moves fewer. */
  readonly slotsMovedMin: number
  /** Why the goal is not reached, for people; empty when it is. */
  readonly shortfalls: readonly string[]
}

export const BALANCE_GOAL: Goal = { heaviest: 1.1, lightest: 0.5 }
const ANY_LOAD: Goal = { heaviest: 1e9, lightest: 0 }

/** Makes the takers alike as far as the goal asks for, and empties the drained cells. */
export function planBalance(
  loads: readonly SlotLoad[],
  cells: BalanceCells,
  goal: Goal = BALANCE_GOAL,
): BalancePlan {
  return planned(loads, cells, goal, searched)
}

/** Only empties the drained cells, as evenly as it can; no other slot moves, so how heavy cells become is told, not judged. */
export function planDrain(loads: readonly SlotLoad[], cells: BalanceCells): BalancePlan {
  return planned(loads, cells, ANY_LOAD, (start) => {
    const deal = start.copy()
    dealOut(deal)
    return deal
  })
}

function planned(
  loads: readonly SlotLoad[],
  { takers, drained }: BalanceCells,
  goal: Goal,
  solve: (start: Deal, movedMin: number) => Deal,
): BalancePlan {
  const names = [...takers, ...drained.filter((cell) => !takers.includes(cell))]
  if (takers.length === 0) {
    return { moves: [], cells: [], slotsMovedMin: 0, shortfalls: ['no cell may take slots'] }
  }
  const start = new Deal(
    holdingsOf(
      loads.toSorted((a, b) => a.slot - b.slot),
      names,
      takers,
    ),
    goal,
  )
  const least = slotsMovedMin(start)
  const end = solve(start, least)
  const times = (held = 0) => (start.mean === 0 ? 0 : held / start.mean)
  return {
    moves: movesOf(end, names),
    cells: names.map((cell, at) => ({
      cell,
      before: times(start.cells[at]?.held),
      after: times(end.cells[at]?.held),
    })),
    slotsMovedMin: least,
    shortfalls: shortfallsOf(end, names),
  }
}

function holdingsOf(
  loads: readonly SlotLoad[],
  names: readonly CellName[],
  takers: readonly CellName[],
): Holding[] {
  const weights = weightsOf(loads)
  const holdings = names.map(
    (name): Holding => ({ takes: takers.includes(name), items: [], fixedTop: 0, held: 0 }),
  )
  for (const [i, { slot, cell, isUnderWay, isPinned }] of loads.entries()) {
    const home = names.indexOf(cell)
    const holding = holdings[home]
    if (holding === undefined) continue
    const load = weights[i] ?? 0
    holding.held += load
    if (isUnderWay || (isPinned && holding.takes))
      holding.fixedTop = Math.max(holding.fixedTop, load)
    else holding.items.push({ slot, load, home })
  }
  return holdings
}

function movesOf({ cells }: Deal, names: readonly CellName[]): PlannedSlot[] {
  const name = (at: number) => names[at] ?? ''
  return cells
    .flatMap(({ items }, at) =>
      items
        .filter(({ home }) => home !== at)
        .map(({ slot, load, home }) => ({ slot, from: name(home), to: name(at), weight: load })),
    )
    .sort((a, b) => a.weight - b.weight || a.slot - b.slot)
}

function shortfallsOf(deal: Deal, names: readonly CellName[]): string[] {
  const times = (load: number) => `${(load / deal.mean).toFixed(2)} times the mean`
  return deal.cells.flatMap((cell, at) => {
    const { takes, items, held, fixedTop } = cell
    const name = names[at]
    const tooHeavy = items
      .filter(({ load }) => deal.isTooHeavy(load))
      .map(({ slot, load }) => `slot ${slot} in ${name} alone is ${times(load)}: nothing splits it`)
    if (!takes)
      return fixedTop > 0 ? [`slots are on their way to ${name}: plan again after that`] : []
    if (deal.isTooHeavy(fixedTop)) {
      tooHeavy.push(`a slot that is to be in ${name} alone is ${times(fixedTop)}`)
    }
    if (deal.isNothing(deal.missOf(cell))) return tooHeavy
    const why = deal.above(cell) > 0 ? 'fits into another cell' : 'can be given to it'
    return [...tooHeavy, `${name} stays at ${times(held)}: no slot more ${why}`]
  })
}
