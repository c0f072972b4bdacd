// A move of slots from one cell to another, as the placement holds it: which phase may follow which. Every change of phase is a
// compare-and-set of the whole placement, so whoever drives a move may die or sleep at any step, and two may drive it at once.
//
//   preparing ----> copying ----> verifying ----> ready ----> retiring ----> (gone)
//    the source      the target    |      ^        cut over:   the target owns the slots;
//    writes the      copies and    v      |        epoch e+1   the source keeps them up to date
//    inboxes of      catches up   differs +                       |
//    the slots                                                   rolled back: the source owns them
//        |              |          |       |         |            again, the target drops its copy
//        +--------------+----------+-------+---------+--> aborted: the target drops its copy
//
// A standby is a move that stops when it is ready, and is cut over when the source is dead. It copies no inboxes.
//
// A slot that is in no move belongs to its owner alone: who else holds a copy drops it. A cell holds one copy of a slot at most.

import {
  type CellName,
  hasSlot,
  homeSlotOf,
  type Move,
  type MovePhase,
  nextEpoch,
  overlap,
  ownerOf,
  type Pin,
  pinOf,
  type Placement,
  rangesIn,
  rangesWithout,
  reassigned,
  runsOf,
  runsWithout,
  type SlotRange,
  type SlotRun,
  slotsIn,
  slotsThere,
  type WantedPin,
} from './placement.ts'
import type { UserKey } from './user-key.ts'

/** A run of slots is looked at slot by slot. */
const SLOT_MAX = 1_000_000

export type MoveEvent =
  /** The source has written inboxes and taken a checkpoint; or it is dead, and what its store holds is what there is. */
  | { readonly kind: 'prepared' }
  /** The target has attached the slots, and a checkpoint that began after it names them. */
  | { readonly kind: 'copied'; readonly term: number }
  | { readonly kind: 'verified' }
  | { readonly kind: 'differed'; readonly detail: string }
  | { readonly kind: 'verify-again' }
  /** The target does not hold its copy any more. */
  | { readonly kind: 'lost' }
  /**
   * The target has passed the source's position; of a dead source, the log's end as read after its lease had ended.
   * `isTakeover`: nobody asked for it, the source is dead.
   */
  | { readonly kind: 'cut-over'; readonly isTakeover: boolean }
  /** Nobody wants to go back. */
  | { readonly kind: 'retired' }
  | { readonly kind: 'aborted' }
  /** The source has passed the target's position; of a dead target, the log's end. */
  | { readonly kind: 'rolled-back' }
  | { readonly kind: 'paused' }
  | { readonly kind: 'resumed' }

/** Why a plan or an event is refused, in words for who asked. */
export type Refusal = { readonly refused: string }

export type WantedMove = {
  readonly slots: readonly SlotRun[]
  readonly to: CellName
  readonly isStandby?: boolean
  /** Users of these slots who are to get slots of their own. */
  readonly pinned?: readonly UserKey[]
}

/** A new move of slots, all of which one cell owns. */
export function planMove(
  placement: Placement,
  wanted: WantedMove,
  nowMs: number,
): Placement | Refusal {
  const { to, isStandby = false, pinned = [] } = wanted
  const [run] = wanted.slots
  if (run === undefined) return { refused: 'no slot is named' }
  const outside = wanted.slots.find(({ last }) => last > SLOT_MAX)
  if (outside !== undefined) return { refused: `there is no slot ${outside.last}` }
  const slots = slotsIn(wanted.slots)
  const missing = slots.find((slot) => !hasSlot(placement, slot))
  if (missing !== undefined) return { refused: `there is no slot ${missing}` }
  const { first } = run
  if (!placement.cells.includes(to)) return { refused: `there is no cell ${to}` }
  const from = ownerOf(placement, first).cell
  if (from === to) return { refused: `${to} owns slot ${first} already` }
  const other = slots.find((slot) => ownerOf(placement, slot).cell !== from)
  if (other !== undefined)
    return { refused: `slot ${other} is not owned by ${from} as slot ${first} is` }
  const busy = isStandby ? cannotStandBy(to) : isMoving
  const taken = new Set(placement.moves.filter(busy).flatMap(slotsThere))
  const busySlot = slots.find((slot) => taken.has(slot))
  if (busySlot !== undefined) return { refused: `slot ${busySlot} is being moved already` }
  const stranger = pinned.find((user) => !slots.includes(homeSlotOf(placement, user)))
  if (stranger !== undefined) return { refused: 'a user to be pinned does not live in these slots' }
  if (pinned.some((user) => pinOf(placement.pins, user) !== undefined)) {
    return { refused: 'a user to be pinned has a slot of their own already' }
  }
  const epoch = nextEpoch(placement, nowMs)
  const free = freeSlot(placement)
  const pins = pinned.map((user, i) => ({ user, slot: free + i }))
  const phase = { kind: 'preparing' } as const
  const move = { id: epoch, slots: wanted.slots, pins, from, to, isStandby, isPaused: false, phase }
  // A cell that stands by has a copy without inboxes: it takes in another one.
  const standing = (each: Move): boolean => each.isStandby && each.to === to
  const moves = withoutSlots(placement.moves, standing, wanted.slots)
  return { ...placement, epoch, moves: [...moves, move] }
}

/** A number that no slot has, and none that is on its way. */
function freeSlot({ slots, pins, moves }: Placement): number {
  const numbers = [...pins, ...moves.flatMap((move) => move.pins)].map(({ slot }) => slot + 1)
  return Math.max(slots, ...numbers)
}

/** The placement after the event; a refusal when the move is not there, or its phase does not let it happen. */
export function advance(
  placement: Placement,
  id: number,
  event: MoveEvent,
  nowMs: number,
): Placement | Refusal {
  const move = placement.moves.find((each) => each.id === id)
  if (move === undefined) return { refused: `there is no move ${id}` }
  const next = outcome(placement, move, event, nowMs)
  if (next === undefined) {
    return { refused: `move ${id} is ${move.phase.kind}: it cannot be ${event.kind}` }
  }
  const epoch = nextEpoch(placement, nowMs)
  const { isPaused = move.isPaused, phase, changed = [], unpinned = [] } = next
  const runs = unpinned.map(({ slot }) => ({ first: slot, last: slot }))
  const others = given(placement.moves, move, [...changed, ...runs])
  const moves =
    phase === 'gone'
      ? others.filter((each) => each !== move)
      : others.map((each) => (each === move ? { ...move, phase, isPaused } : each))
  const gone = new Set(unpinned.map(({ slot }) => slot))
  const kept = rangesWithout(placement.ranges, runs)
  return {
    ...placement,
    epoch,
    ranges: reassigned(kept, changed),
    moves,
    pins: [...placement.pins.filter(({ slot }) => !gone.has(slot)), ...(next.pinned ?? [])],
  }
}

type Outcome = {
  readonly phase: MovePhase | 'gone'
  /** Slots that another cell owns from now on. */
  readonly changed?: readonly SlotRange[]
  readonly isPaused?: boolean
  readonly pinned?: readonly Pin[]
  readonly unpinned?: readonly WantedPin[]
}

function outcome(
  { ranges }: Placement,
  move: Move,
  event: MoveEvent,
  nowMs: number,
): Outcome | undefined {
  const { phase } = move
  switch (event.kind) {
    case 'prepared':
      return phase.kind === 'preparing' ? { phase: { kind: 'copying' } } : undefined
    case 'copied': {
      const { term } = event
      return phase.kind === 'copying' ? { phase: { kind: 'verifying', term } } : undefined
    }
    case 'verified': {
      if (phase.kind !== 'verifying') return undefined
      return { phase: { kind: 'ready', term: phase.term } }
    }
    case 'differed': {
      if (phase.kind !== 'verifying') return undefined
      return { phase: { kind: 'differs', term: phase.term, detail: event.detail } }
    }
    case 'verify-again': {
      const isVerified = phase.kind === 'differs' || phase.kind === 'ready'
      return isVerified ? { phase: { kind: 'verifying', term: phase.term } } : undefined
    }
    case 'lost': {
      const isCopied =
        phase.kind === 'verifying' || phase.kind === 'differs' || phase.kind === 'ready'
      return isCopied ? { phase: { kind: 'copying' } } : undefined
    }
    case 'cut-over': {
      if (phase.kind !== 'ready') return undefined
      const left = rangesIn(ranges, move.slots)
      const { term } = phase
      const runs = runsOf(slotsThere(move).sort((a, b) => a - b))
      const changed = runs.map((run) => ({ ...run, cell: move.to, term }))
      const pinned = move.pins.map((pin) => ({ ...pin, term }))
      const { isTakeover } = event
      return { phase: { kind: 'retiring', left, sinceMs: nowMs, isTakeover }, changed, pinned }
    }
    case 'retired':
      return phase.kind === 'retiring' ? { phase: 'gone' } : undefined
    case 'aborted':
      return phase.kind === 'retiring' ? undefined : { phase: 'gone' }
    case 'rolled-back':
      if (phase.kind !== 'retiring') return undefined
      return { phase: 'gone', changed: phase.left, unpinned: move.pins }
    case 'paused':
    case 'resumed': {
      const isPaused = event.kind === 'paused'
      return move.isPaused === isPaused ? undefined : { phase, isPaused }
    }
  }
}

/** What is left of the other moves when slots have another owner: no standby of the one before, no move from it or back to it. */
function given(moves: readonly Move[], cause: Move, changed: readonly SlotRun[]): readonly Move[] {
  const others = withoutSlots(moves, (each) => each !== cause && !isMoving(each), changed)
  return others.filter((each) => each === cause || !isMoving(each) || !overlap(each.slots, changed))
}

function withoutSlots(
  moves: readonly Move[],
  which: (move: Move) => boolean,
  without: readonly SlotRun[],
): readonly Move[] {
  return moves.flatMap((move) => {
    if (!which(move) || !overlap(move.slots, without)) return [move]
    const slots = runsWithout(move.slots, without)
    return slots.length === 0 ? [] : [{ ...move, slots }]
  })
}

/** Whether its slots can be in no other such move: it is no standby, or one that took over. */
export function isMoving({ isStandby, phase }: Move): boolean {
  return !isStandby || phase.kind === 'retiring'
}

/** Whether its slots can have no standby at the cell: they have one, or the cell holds or takes in a copy of them. */
export function cannotStandBy(at: CellName): (move: Move) => boolean {
  return (move) => !isMoving(move) || move.from === at || move.to === at
}

/** The term under which the target holds the slots of the move, once that is durable. */
export function termOf({ phase }: Move): number | undefined {
  return 'term' in phase ? phase.term : undefined
}
