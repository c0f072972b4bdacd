// Finds a plan by greed: first what must leave is dealt out; then the cell that is farthest from the goal gives or gets the slot that
// helps most for each slot more that moves, or swaps two. Each step comes nearer, so it ends. Last, moves that were not needed are undone.
// No way is best for all loads, so several are tried, and the plan that comes nearest with the fewest slots is taken.

import { type Deal, firstWithin, type Holding, type Item } from './balance-deal.ts'

/** Powers of the distance from the goal: the greater, the worse is one cell far from it than two half as far. */
const POWERS = [1, 2, 4]
/** A step that moves no slot more is worth much, not infinitely much. */
const COST_MIN = 0.25
/** Of each try, in slots of the cluster: with few, large slots a search could go round for long. */
const STEPS_MAX = 4
/** Of the heaviest slots of a cell, so many are tried in swaps: what lighter ones can put right, gifts can. */
const SWAPPED_MAX = 32

/** `movedMin`: a plan that reaches the goal with so many slots is not bettered. */
export function searched(start: Deal, movedMin: number): Deal {
  let best: Deal | undefined
  for (const way of [giveLargest, ...POWERS.map((power) => (deal: Deal) => evenOut(deal, power))]) {
    const deal = start.copy()
    dealOut(deal)
    way(deal)
    bringBack(deal)
    if (best === undefined || isBetter(deal, best)) best = deal
    if (best.isNothing(missedBy(best)) && best.moved <= movedMin) break
  }
  return best ?? start
}

function isBetter(a: Deal, b: Deal): boolean {
  const missed = missedBy(a) - missedBy(b)
  if (!a.isNothing(Math.abs(missed))) return missed < 0
  return a.moved < b.moved
}

function missedBy(deal: Deal): number {
  return deal.cells.reduce((sum, cell) => sum + deal.missOf(cell), 0)
}

/** The slots of cells that are to own none: heaviest first, each to the lightest cell; of cells alike to that with fewer slots. */
export function dealOut(deal: Deal): void {
  const takers = deal.cells.filter(({ takes }) => takes)
  const leaving = deal.cells
    .filter(({ takes }) => !takes)
    .flatMap((from) => from.items.map((item) => ({ from, item })))
    .sort((a, b) => b.item.load - a.item.load || a.item.slot - b.item.slot)
  for (const { from, item } of leaving) {
    const to = takers.reduce((best, cell) => {
      const isAlike = deal.isNothing(Math.abs(cell.held - best.held))
      if (isAlike) return cell.items.length < best.items.length ? cell : best
      return cell.held < best.held ? cell : best
    })
    deal.give(item, from, to)
  }
}

/** From the heaviest to the lightest cell the largest slot that fits there, while there is one; then evens out what is left. */
function giveLargest(deal: Deal): void {
  const takers = deal.cells.filter(({ takes }) => takes)
  for (;;) {
    const from = takers.reduce((most, cell) => (cell.held > most.held ? cell : most))
    const to = takers.reduce((least, cell) => (cell.held < least.held ? cell : least))
    const item = from.items[firstWithin(from.items, deal.most - to.held)]
    if (deal.isNothing(deal.above(from)) || item === undefined || item.load === 0) break
    deal.give(item, from, to)
  }
  evenOut(deal, 1)
}

type Step = {
  readonly from: Holding
  readonly to: Holding
  readonly item: Item
  /** Comes back for it, in a swap. */
  readonly back: Item | undefined
  readonly worth: number
}

function evenOut(deal: Deal, power: number): void {
  const stuck = new Set<Holding>()
  const slots = deal.cells.reduce((sum, { items }) => sum + items.length, 0)
  for (let steps = 0; steps < slots * STEPS_MAX; steps++) {
    const cell = farthest(deal, stuck)
    if (cell === undefined) return
    const step = bestStep(deal, cell, power)
    if (step === undefined) {
      stuck.add(cell)
      continue
    }
    deal.give(step.item, step.from, step.to)
    if (step.back !== undefined) deal.give(step.back, step.to, step.from)
    stuck.clear()
  }
}

function farthest(deal: Deal, but: ReadonlySet<Holding>): Holding | undefined {
  let most = 0
  let found: Holding | undefined
  for (const cell of deal.cells) {
    const miss = deal.missOf(cell)
    if (miss > most && !deal.isNothing(miss) && !but.has(cell)) {
      most = miss
      found = cell
    }
  }
  return found
}

/** Swaps are for slots that are too heavy to be given: where the heaviest can go, none is looked for. */
function bestStep(deal: Deal, cell: Holding, power: number): Step | undefined {
  const gives = deal.above(cell) > 0
  const ways = deal.cells
    .filter((other) => other.takes && other !== cell)
    .map((other): Way => (gives ? [cell, other] : [other, cell]))
  const gift = bestOf(deal, ways, { among: gifts, power })
  if (gift !== undefined && gift.item === gift.from.items[0]) return gift
  const swap = bestOf(deal, ways, { among: swaps, power })
  return (swap?.worth ?? 0) > (gift?.worth ?? 0) ? swap : gift
}

type Way = readonly [from: Holding, to: Holding]
type Exchange = readonly [item: Item, back: Item | undefined]

function bestOf(
  deal: Deal,
  ways: readonly Way[],
  { among, power }: { readonly among: typeof gifts; readonly power: number },
): Step | undefined {
  let best: Step | undefined
  for (const [from, to] of ways) {
    for (const [item, back] of among(deal, from, to)) {
      const worth = worthOf(deal, { from, to, item, back }, power)
      if (worth > (best?.worth ?? 0)) best = { from, to, item, back, worth }
    }
  }
  return best
}

function* gifts(deal: Deal, from: Holding, to: Holding): Generator<Exchange> {
  for (const load of wanted(deal, from, to)) {
    for (const item of around(from.items, load)) yield [item, undefined]
  }
}

function* swaps(deal: Deal, from: Holding, to: Holding): Generator<Exchange> {
  const loads = wanted(deal, from, to)
  for (const item of from.items.slice(0, SWAPPED_MAX)) {
    for (const load of loads) {
      if (item.load <= load) continue
      for (const back of around(to.items, item.load - load)) yield [item, back]
    }
  }
}

/** What would put either cell right, or make both alike. */
function wanted(deal: Deal, from: Holding, to: Holding): number[] {
  const loads = [
    deal.above(from),
    -deal.above(to),
    deal.least - to.held,
    from.held - deal.least,
    (from.held - to.held) / 2,
  ]
  return loads.filter((load) => !deal.isNothing(load))
}

/** The two that are next to it. */
function around(items: readonly Item[], load: number): Item[] {
  const place = firstWithin(items, load)
  return items.slice(Math.max(0, place - 1), place + 1)
}

/** How much nearer to the goal both cells come, for each slot more that moves. Nothing if it makes the one as heavy as the other was. */
function worthOf(deal: Deal, step: Omit<Step, 'worth'>, power: number): number {
  const { from, to, item, back } = step
  const load = item.load - (back?.load ?? 0)
  if (load <= 0 || to.held + load >= from.held) return 0
  const far = (miss: number) => (miss / deal.mean) ** power
  const fromTop = deal.topOf(from)
  const toTop = deal.topOf(to)
  const before = far(deal.miss(from.held, fromTop)) + far(deal.miss(to.held, toTop))
  const after =
    far(deal.miss(from.held - load, fromTop === item.load ? secondOf(from) : fromTop)) +
    far(deal.miss(to.held + load, Math.max(toTop, item.load)))
  const gain = before - after
  if (gain <= 1e-9) return 0
  const cost = costOf(deal, item, from, to) + (back ? costOf(deal, back, to, from) : 0)
  return gain / Math.max(COST_MIN, cost)
}

function secondOf({ items, fixedTop }: Holding): number {
  return Math.max(fixedTop, items[1]?.load ?? 0)
}

/** How many slots more move when this one goes there. */
function costOf(deal: Deal, item: Item, from: Holding, to: Holding): number {
  const home = deal.cells[item.home]
  return (home === from ? 1 : 0) - (home === to ? 1 : 0)
}

/** Undoes what is not needed, lightest first. */
function bringBack(deal: Deal): void {
  const away = deal.cells
    .flatMap((from) => from.items.map((item) => ({ from, item, home: deal.cells[item.home] })))
    .sort((a, b) => a.item.load - b.item.load || a.item.slot - b.item.slot)
  for (const { from, item, home } of away) {
    if (home === undefined || home === from || !home.takes) continue
    const missed = deal.missOf(from) + deal.missOf(home)
    deal.give(item, from, home)
    if (!deal.isNothing(deal.missOf(from) + deal.missOf(home) - missed)) {
      deal.give(item, home, from)
    }
  }
}
