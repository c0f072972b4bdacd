// Which cell a user lives in. Users fall into slots by their key; the placement says which cell owns each slot, and with which
// term: every arrival of a slot in a cell is a new term, so that what an earlier stay left in the store is never met again.

import { keyWord, type UserKey } from './user-key.ts'

export type CellName = string
export type SlotTerm = { readonly slot: number; readonly term: number }
export type SlotRange = {
  readonly first: number
  readonly last: number
  readonly cell: CellName
  readonly term: number
}

/** Neighbouring slots, both ends included. */
export type SlotRun = { readonly first: number; readonly last: number }

/**
 * One small versioned document; `epoch` grows with every change, and is never below the time of the change in Unix ms: so one that
 * comes back from a backup repeats no epoch. Ranges cover 0 .. slots-1 and the slots of pinned users exactly once, ascending.
 */
export type Placement = {
  readonly epoch: number
  readonly slots: number
  readonly ranges: readonly SlotRange[]
  /** All cells of the cluster, also those that own no slot. */
  readonly cells: readonly CellName[]
  /** Under way, and standbys. A slot is in one standby and in one other at most. */
  readonly moves: readonly Move[]
  /** Which cell stands by for the slots of which, as operators wish. */
  readonly standbys: readonly StandbyRule[]
  /** Users with a slot of their own, which has a number from `slots` on. */
  readonly pins: readonly Pin[]
}

export type WantedPin = { readonly user: UserKey; readonly slot: number }

/** `term`: under which the slot came to be. Copies of the slot where the user would live otherwise hold the user if they are older. */
export type Pin = WantedPin & { readonly term: number }

/** All slots that `cell` owns are kept up to date at `standby` too, to be owned there when `cell` is dead. */
export type StandbyRule = { readonly cell: CellName; readonly standby: CellName }

/** Slots on their way from one cell to another. Which phase may follow which: move.ts. */
export type Move = {
  /** The epoch in which it was planned. */
  readonly id: number
  readonly slots: readonly SlotRun[]
  /** Users of these slots who live in slots of their own at the target. */
  readonly pins: readonly WantedPin[]
  readonly from: CellName
  readonly to: CellName
  /** It stops when it is ready, until the source is dead: readers without inboxes. */
  readonly isStandby: boolean
  /** An operator had it stopped: it stays in its phase. */
  readonly isPaused: boolean
  readonly phase: MovePhase
}

export type MovePhase =
  | { readonly kind: 'preparing' }
  | { readonly kind: 'copying' }
  /** `term`: under which the target holds the slots, durably. */
  | { readonly kind: 'verifying'; readonly term: number }
  /** What the target shows is not what the source shows. Stays until someone looks. */
  | { readonly kind: 'differs'; readonly term: number; readonly detail: string }
  | { readonly kind: 'ready'; readonly term: number }
  /**
   * `left`: the slots as the source owned them. `sinceMs`: when it was cut over. `isTakeover`: the source was dead; when it is well
   * again it owns them again.
   */
  | {
      readonly kind: 'retiring'
      readonly left: readonly SlotRange[]
      readonly sinceMs: number
      readonly isTakeover: boolean
    }

/** Of a call that a cell answers also for what it only holds a copy of. */
export const ANY_EPOCH = Number.MAX_SAFE_INTEGER

export const SLOTS_DEFAULT = 4096
/** Of the slots that a cluster begins with: empty stores hold them. */
export const FIRST_TERM = 1

export function slotOf(key: UserKey, slots: number): number {
  return keyWord(key, 0) % slots
}

/** The slot of their own of each user who has one. */
const pinTables = new WeakMap<readonly WantedPin[], ReadonlyMap<UserKey, WantedPin>>()

export function pinOf<P extends WantedPin>(pins: readonly P[], user: UserKey): P | undefined {
  if (pins.length === 0) return undefined
  const table = pinTables.get(pins) ?? new Map(pins.map((pin) => [pin.user, pin]))
  pinTables.set(pins, table)
  return table.get(user) as P | undefined
}

/** Where a user lives. */
export function homeSlotOf({ pins, slots }: Placement, user: UserKey): number {
  return pinOf(pins, user)?.slot ?? slotOf(user, slots)
}

/** The slots that a move brings to its target. */
export function slotsThere({ slots, pins }: Pick<Move, 'slots' | 'pins'>): number[] {
  return [...slotsIn(slots), ...pins.map(({ slot }) => slot)]
}

/** The placement of a new cluster: slots dealt in equal runs. */
export function firstPlacement(cells: readonly CellName[], slots: number): Placement {
  const ranges = cells.map((cell, index) => ({
    first: Math.floor((index * slots) / cells.length),
    last: Math.floor(((index + 1) * slots) / cells.length) - 1,
    cell,
    term: FIRST_TERM,
  }))
  return { epoch: 1, slots, ranges, cells, moves: [], standbys: [], pins: [] }
}

/** Of each placement's ranges, the one of each slot. */
const tables = new WeakMap<readonly SlotRange[], readonly (SlotRange | undefined)[]>()

function tableOf(ranges: readonly SlotRange[]): readonly (SlotRange | undefined)[] {
  const table: (SlotRange | undefined)[] = []
  for (const range of ranges) {
    for (let slot = range.first; slot <= range.last; slot++) table[slot] = range
  }
  return table
}

export function hasSlot(placement: Placement, slot: number): boolean {
  return findOwner(placement, slot) !== undefined
}

/** Undefined of a slot that there is not (yet). */
export function findOwner({ ranges }: Placement, slot: number): SlotRange | undefined {
  const table = tables.get(ranges) ?? tableOf(ranges)
  tables.set(ranges, table)
  return table[slot]
}

export function ownerOf(placement: Placement, slot: number): SlotRange {
  const range = findOwner(placement, slot)
  if (range === undefined)
    throw new Error(`placement epoch ${placement.epoch} has no owner for slot ${slot}`)
  return range
}

/** The cells that own slots, in order of their first slot. */
export function ownersOf({ ranges }: Placement): CellName[] {
  return [...new Set(ranges.map(({ cell }) => cell))]
}

/** The slots of one cell with their terms, in slot order. */
export function slotsOf(placement: Placement, cell: CellName): SlotTerm[] {
  return placement.ranges
    .filter((range) => range.cell === cell)
    .flatMap((range) => slotsIn([range]).map((slot) => ({ slot, term: range.term })))
    .sort((a, b) => a.slot - b.slot)
}

/** The epoch of the next change. */
export function nextEpoch({ epoch }: Placement, nowMs: number): number {
  return Math.max(epoch + 1, nowMs)
}

export function slotsIn(runs: readonly SlotRun[]): number[] {
  const slots: number[] = []
  for (const { first, last } of runs) for (let slot = first; slot <= last; slot++) slots.push(slot)
  return slots
}

/** Slots in ascending order, each once, as runs. */
export function runsOf(slots: readonly number[]): SlotRun[] {
  const runs: { first: number; last: number }[] = []
  for (const slot of slots) {
    const run = runs.at(-1)
    if (run !== undefined && run.last === slot - 1) run.last = slot
    else runs.push({ first: slot, last: slot })
  }
  return runs
}

/** The parts of the ranges that lie in the runs. Both ascend. */
export function rangesIn(ranges: readonly SlotRange[], runs: readonly SlotRun[]): SlotRange[] {
  return ranges.flatMap((range) =>
    runs.flatMap((run) => overlapOf(range, run).map((part) => ({ ...range, ...part }))),
  )
}

/** The ranges with some of the slots given to others. All ascend; neighbours of one cell and term are joined. */
export function reassigned(
  ranges: readonly SlotRange[],
  changes: readonly SlotRange[],
): SlotRange[] {
  const kept = rangesIn(ranges, gapsBetween(changes))
  const all = [...kept, ...changes].sort((a, b) => a.first - b.first)
  const joined: SlotRange[] = []
  for (const range of all) {
    const before = joined.at(-1)
    if (before !== undefined && isContinued(before, range)) {
      joined[joined.length - 1] = { ...before, last: range.last }
    } else joined.push(range)
  }
  return joined
}

/** A slot of its own may be missing between the two: its move is still under way. */
function isContinued(before: SlotRange, range: SlotRange): boolean {
  const isNext = before.last + 1 === range.first
  return isNext && before.cell === range.cell && before.term === range.term
}

/** The runs without some slots. All ascend. */
export function runsWithout(runs: readonly SlotRun[], without: readonly SlotRun[]): SlotRun[] {
  const gaps = gapsBetween(without)
  return runs.flatMap((run) => gaps.flatMap((gap) => overlapOf(run, gap)))
}

export function overlap(some: readonly SlotRun[], others: readonly SlotRun[]): boolean {
  return some.some((run) => others.some((other) => overlapOf(run, other).length > 0))
}

function overlapOf(one: SlotRun, other: SlotRun): SlotRun[] {
  const first = Math.max(one.first, other.first)
  const last = Math.min(one.last, other.last)
  return first > last ? [] : [{ first, last }]
}

/** The ranges without some slots. Both ascend. */
export function rangesWithout(
  ranges: readonly SlotRange[],
  without: readonly SlotRun[],
): SlotRange[] {
  return without.length === 0 ? [...ranges] : rangesIn(ranges, gapsBetween(without))
}

function gapsBetween(runs: readonly SlotRun[]): SlotRun[] {
  const gaps: SlotRun[] = []
  let first = 0
  for (const run of runs) {
    if (run.first > first) gaps.push({ first, last: run.first - 1 })
    first = run.last + 1
  }
  return [...gaps, { first, last: Number.MAX_SAFE_INTEGER }]
}
