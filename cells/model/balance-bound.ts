// How many slots must move at least to reach the goal, by any plan: no search, only counting.
//
// A cell that is too heavy gives at least its heaviest slots until it fits, and a cell that is to own nothing gives all. If what these
// can give does not yet fill the cells that are too light, further slots must go; a cell helps by at most what it holds above the least.
// And no two slots that weigh more than half a cell end up together: each makes room for itself in the cell where that takes least.

import type { Deal, Holding, Item } from './balance-deal.ts'

export function slotsMovedMin(deal: Deal): number {
  const leaving = deal.cells.map((cell) => leavingMin(deal, cell))
  const all = leaving.reduce((sum, count) => sum + count, 0)
  return Math.max(untilFilled(deal, leaving), all + roomForLarge(deal, leaving))
}

function untilFilled(deal: Deal, leaving: readonly number[]): number {
  const takers = deal.cells.filter(({ takes }) => takes)
  const wanted = takers.reduce((sum, { held }) => sum + Math.max(0, deal.least - held), 0)
  let given = 0
  let count = 0
  const gains: number[] = []
  for (const [at, cell] of deal.cells.entries()) {
    let spare = cell.takes ? Math.max(0, cell.held - deal.least) : cell.held
    const leave = leaving[at] ?? 0
    for (const [place, { load }] of cell.items.entries()) {
      const gain = Math.min(spare, load)
      spare -= gain
      if (place < leave) given += gain
      else gains.push(gain)
    }
    count += leave
  }
  for (const gain of gains.sort((a, b) => b - a)) {
    if (deal.isNothing(wanted - given)) break
    given += gain
    count++
  }
  return count
}

/** How many slots more than those must leave. */
function roomForLarge(deal: Deal, leaving: readonly number[]): number {
  const tops = deal.cells.map((cell) => deal.topOf(cell))
  const shared = deal.limit(Math.max(...tops)) - Math.max(...tops)
  const large = deal.cells
    .flatMap(({ items }) => items)
    .filter(({ load }) => load > Math.max(deal.most / 2, shared))
  return large.reduce((sum, item) => {
    const more = deal.cells
      .filter(({ takes }) => takes)
      .map((cell) => leavingFor(deal, cell, item) - (leaving[deal.cells.indexOf(cell)] ?? 0))
    return sum + Math.max(0, Math.min(...more))
  }, 0)
}

/** Of the cell's other slots, when it ends up with this one. */
function leavingFor(deal: Deal, { items, held }: Holding, large: Item): number {
  const others = items.filter((item) => item !== large)
  const heldThen = others.length < items.length ? held : held + large.load
  return countUntil(
    deal,
    others.map(({ load }) => load),
    heldThen - deal.limit(large.load),
  )
}

/** The heaviest slots go until the rest fits, but one that is too heavy may stay: its cell may then hold more. */
function leavingMin(deal: Deal, { takes, items, held, fixedTop }: Holding): number {
  if (!takes) return items.length
  let least = Number.POSITIVE_INFINITY
  let left = held
  for (const [gone, { load }] of items.entries()) {
    if (!deal.isTooHeavy(load)) break
    const rest = items.slice(gone + 1).map((item) => item.load)
    least = Math.min(least, gone + countUntil(deal, rest, left - deal.limit(load)))
    left -= load
  }
  const all = items.map(({ load }) => load)
  return Math.min(least, countUntil(deal, all, held - deal.limit(fixedTop)))
}

function countUntil(deal: Deal, loads: readonly number[], above: number): number {
  let left = above
  let count = 0
  for (const load of loads) {
    if (deal.isNothing(left)) break
    left -= load
    count++
  }
  return count
}
