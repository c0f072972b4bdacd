// Which cell is to hold which slot while a plan is made, and how far each cell is from the goal.
//
// The goal: no cell heavier than `heaviest` times the mean, none lighter than `lightest` times it, so that a new cell gets something to
// do. A slot that alone is heavier than that cannot be split: its cell may be as much heavier than the slot as others than the mean.

export type Item = {
  readonly slot: number
  readonly load: number
  /** The place of its cell among the cells. */
  readonly home: number
}

export type Holding = {
  /** Whether it is to own slots at all. */
  readonly takes: boolean
  /** What may leave, heaviest first. */
  readonly items: Item[]
  /** The heaviest of what may not leave. */
  fixedTop: number
  held: number
}

export type Goal = {
  /** Times the mean, above 1. */
  readonly heaviest: number
  /** Times the mean, 0 .. 1. 0: only the heaviest cell matters. */
  readonly lightest: number
}

/** A cell that is too heavy is that much worse than one that is too light. */
const TOO_HEAVY_WEIGHS = 4

export class Deal {
  readonly cells: readonly Holding[]
  readonly mean: number
  /** What a cell may hold whose slots all are light enough; at least what may lie beside the heaviest. */
  readonly most: number
  readonly least: number
  readonly #goal: Goal

  constructor(cells: readonly Holding[], goal: Goal) {
    for (const cell of cells) cell.items.sort(byWeight)
    this.cells = cells
    this.#goal = goal
    const takers = cells.filter(({ takes }) => takes)
    const all = cells.reduce((sum, { held }) => sum + held, 0)
    this.mean = all / takers.length
    const tops = cells.flatMap(({ items, fixedTop }) => [fixedTop, ...items.map((i) => i.load)])
    const top = tops.reduce((most, load) => Math.max(most, load), 0)
    this.most = Math.max(this.mean * goal.heaviest, top * (goal.heaviest - 1))
    this.least = goal.lightest * levelOf(tops, all, takers.length)
  }

  copy(): Deal {
    return new Deal(
      this.cells.map((cell) => ({ ...cell, items: [...cell.items] })),
      this.#goal,
    )
  }

  /** Differences below this come from rounding. */
  isNothing(load: number): boolean {
    return load <= this.mean * 1e-9
  }

  /** A slot that no cell may hold without being too heavy. */
  isTooHeavy(load: number): boolean {
    return load > this.most
  }

  topOf({ items, fixedTop }: Holding): number {
    return Math.max(fixedTop, items[0]?.load ?? 0)
  }

  /** What a cell may hold, given its heaviest slot. */
  limit(top: number): number {
    return this.isTooHeavy(top) ? top * this.#goal.heaviest : this.most
  }

  /** How much too heavy a cell is, below 0: how much room it has. */
  above(cell: Holding): number {
    return cell.held - this.limit(this.topOf(cell))
  }

  /** How far a cell is from the goal. */
  miss(held: number, top: number): number {
    const above = held - this.limit(top)
    return above > 0 ? above * TOO_HEAVY_WEIGHS : Math.max(0, this.least - held)
  }

  missOf(cell: Holding): number {
    return cell.takes ? this.miss(cell.held, this.topOf(cell)) : 0
  }

  /** How many slots are elsewhere than at home. */
  get moved(): number {
    return this.cells.reduce(
      (sum, { items }, at) => sum + items.filter(({ home }) => home !== at).length,
      0,
    )
  }

  give(item: Item, from: Holding, to: Holding): void {
    from.items.splice(placeOf(from.items, item), 1)
    to.items.splice(placeOf(to.items, item), 0, item)
    from.held -= item.load
    to.held += item.load
  }
}

/** The first place of those that are not heavier than that. */
export function firstWithin(items: readonly Item[], load: number): number {
  return lowerBound(items, (item) => item.load <= load)
}

function placeOf(items: readonly Item[], item: Item): number {
  return lowerBound(items, (each) => byWeight(each, item) >= 0)
}

function byWeight(a: Item, b: Item): number {
  return b.load - a.load || a.slot - b.slot
}

/** The first place at which it holds; from there on it holds to the end. */
function lowerBound(items: readonly Item[], holds: (item: Item) => boolean): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = items[middle]
    if (item === undefined || holds(item)) high = middle
    else low = middle + 1
  }
  return low
}

/** What is left for a cell when those with one slot heavier than that have theirs. */
function levelOf(tops: number[], load: number, cells: number): number {
  let [left, among] = [load, cells]
  for (const top of tops.sort((a, b) => b - a)) {
    if (among <= 1 || top * among <= left) break
    left -= top
    among--
  }
  return left / among
}
