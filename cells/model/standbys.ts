// Which slots have a standby, by the rules of the placement; and who takes in the slots of a dead cell that had none.

import { cannotStandBy, isMoving, planMove, type Refusal } from './move.ts'
import {
  type CellName,
  type Move,
  nextEpoch,
  type Placement,
  runsOf,
  runsWithout,
  type SlotRun,
  slotsIn,
} from './placement.ts'

/** The rule of a cell from now on; without a standby, none. */
export function setStandby(
  placement: Placement,
  rule: { readonly cell: CellName; readonly standby: CellName | undefined },
  nowMs: number,
): Placement | Refusal {
  const { cell, standby } = rule
  for (const name of [cell, standby ?? cell]) {
    if (!placement.cells.includes(name)) return { refused: `there is no cell ${name}` }
  }
  if (cell === standby) return { refused: `${cell} can not stand by for itself` }
  const others = placement.standbys.filter((each) => each.cell !== cell)
  const standbys = standby === undefined ? others : [...others, { cell, standby }]
  return { ...placement, epoch: nextEpoch(placement, nowMs), standbys }
}

/** One step nearer to what the rules say: a standby is given up, or begun. Undefined when nothing is to be done. */
export function towardsRules(placement: Placement, nowMs: number): Placement | undefined {
  const { moves } = placement
  const unwanted = moves.find((move) => !isMoving(move) && standbyOf(placement, move) !== move.to)
  if (unwanted !== undefined) {
    const rest = moves.filter((move) => move !== unwanted)
    return { ...placement, epoch: nextEpoch(placement, nowMs), moves: rest }
  }
  for (const { cell, standby } of placement.standbys) {
    const busy = moves.filter(cannotStandBy(standby)).flatMap(({ slots }) => slots)
    const slots = runsWithout(ownedBy(placement, cell), ascending(busy))
    if (slots.length === 0) continue
    const planned = planMove(placement, { slots, to: standby, isStandby: true }, nowMs)
    if (!('refused' in planned)) return planned
  }
  return undefined
}

function standbyOf({ standbys }: Placement, { from }: Move): CellName | undefined {
  return standbys.find(({ cell }) => cell === from)?.standby
}

/**
 * Moves of a dead cell's slots, as many to each of the others; those that have a standby, or are on their way, are left to that.
 * Undefined when there are none, or nobody to take them.
 */
export function adoption(
  placement: Placement,
  dead: CellName,
  others: readonly CellName[],
  nowMs: number,
): Placement | undefined {
  const busy = placement.moves.filter((move) => move.from === dead || isMoving(move))
  const taken = ascending(busy.flatMap(({ slots }) => slots))
  const slots = slotsIn(runsWithout(ownedBy(placement, dead), taken))
  let next = placement
  for (const [i, to] of others.entries()) {
    const first = Math.floor((i * slots.length) / others.length)
    const end = Math.floor(((i + 1) * slots.length) / others.length)
    const planned = planMove(next, { slots: runsOf(slots.slice(first, end)), to }, nowMs)
    if (!('refused' in planned)) next = planned
  }
  return next === placement ? undefined : next
}

export function ownedBy({ ranges }: Placement, cell: CellName): SlotRun[] {
  return ranges.filter((range) => range.cell === cell).map(({ first, last }) => ({ first, last }))
}

function ascending(runs: readonly SlotRun[]): SlotRun[] {
  return runsOf([...new Set(slotsIn(runs))].sort((a, b) => a - b))
}
