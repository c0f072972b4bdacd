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
// A slot that is in no move belongs to its owner alone: who else holds a copy drops it.

import {
  type CellName,
  type Move,
  type MovePhase,
  nextEpoch,
  ownerOf,
  type Placement,
  rangesIn,
  reassigned,
  type SlotRange,
  type SlotRun,
  slotsIn,
} from './placement.ts'

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
  /** The target has passed the source's position; of a dead source, the log's end as read after its lease had ended. */
  | { readonly kind: 'cut-over' }
  /** Nobody wants to go back. */
  | { readonly kind: 'retired' }
  | { readonly kind: 'aborted' }
  /** The source has passed the target's position. */
  | { readonly kind: 'rolled-back' }

/** Why a plan or an event is refused, in words for who asked. */
export type Refusal = { readonly refused: string }

/** A new move of slots, all of which one cell owns. */
export function planMove(
  placement: Placement,
  wanted: { readonly slots: readonly SlotRun[]; readonly to: CellName },
  nowMs: number,
): Placement | Refusal {
  const { to } = wanted
  const [run] = wanted.slots
  if (run === undefined) return { refused: 'no slot is named' }
  const outside = wanted.slots.find(({ last }) => last >= placement.slots)
  if (outside !== undefined) {
    return { refused: `there is no slot ${Math.max(outside.first, placement.slots)}` }
  }
  const slots = slotsIn(wanted.slots)
  const { first } = run
  if (!placement.cells.includes(to)) return { refused: `there is no cell ${to}` }
  const from = ownerOf(placement, first).cell
  if (from === to) return { refused: `${to} owns slot ${first} already` }
  const other = slots.find((slot) => ownerOf(placement, slot).cell !== from)
  if (other !== undefined)
    return { refused: `slot ${other} is not owned by ${from} as slot ${first} is` }
  const moving = new Set(placement.moves.flatMap((move) => slotsIn(move.slots)))
  const busy = slots.find((slot) => moving.has(slot))
  if (busy !== undefined) return { refused: `slot ${busy} is being moved already` }
  const epoch = nextEpoch(placement, nowMs)
  const move: Move = { id: epoch, slots: wanted.slots, from, to, phase: { kind: 'preparing' } }
  return { ...placement, epoch, moves: [...placement.moves, move] }
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
  const moves =
    next.phase === 'gone'
      ? placement.moves.filter((each) => each !== move)
      : placement.moves.map((each) =>
          each === move ? { ...move, phase: next.phase as MovePhase } : each,
        )
  return { ...placement, epoch: nextEpoch(placement, nowMs), ranges: next.ranges, moves }
}

type Outcome = { readonly phase: MovePhase | 'gone'; readonly ranges: readonly SlotRange[] }

function outcome(
  placement: Placement,
  move: Move,
  event: MoveEvent,
  nowMs: number,
): Outcome | undefined {
  const { phase } = move
  const { ranges } = placement
  const to = (next: MovePhase | 'gone'): Outcome => ({ phase: next, ranges })
  switch (event.kind) {
    case 'prepared':
      return phase.kind === 'preparing' ? to({ kind: 'copying' }) : undefined
    case 'copied':
      return phase.kind === 'copying' ? to({ kind: 'verifying', term: event.term }) : undefined
    case 'verified':
      return phase.kind === 'verifying' ? to({ kind: 'ready', term: phase.term }) : undefined
    case 'differed': {
      if (phase.kind !== 'verifying') return undefined
      return to({ kind: 'differs', term: phase.term, detail: event.detail })
    }
    case 'verify-again': {
      const isVerified = phase.kind === 'differs' || phase.kind === 'ready'
      return isVerified ? to({ kind: 'verifying', term: phase.term }) : undefined
    }
    case 'lost': {
      const isCopied =
        phase.kind === 'verifying' || phase.kind === 'differs' || phase.kind === 'ready'
      return isCopied ? to({ kind: 'copying' }) : undefined
    }
    case 'cut-over': {
      if (phase.kind !== 'ready') return undefined
      const left = rangesIn(ranges, move.slots)
      const given = move.slots.map((run) => ({ ...run, cell: move.to, term: phase.term }))
      const next = { kind: 'retiring', left, sinceMs: nowMs } as const
      return { phase: next, ranges: reassigned(ranges, given) }
    }
    case 'retired':
      return phase.kind === 'retiring' ? to('gone') : undefined
    case 'aborted':
      return phase.kind === 'retiring' ? undefined : to('gone')
    case 'rolled-back': {
      if (phase.kind !== 'retiring') return undefined
      return { phase: 'gone', ranges: reassigned(ranges, phase.left) }
    }
  }
}

/** The term under which the target holds the slots of the move, once that is durable. */
export function termOf({ phase }: Move): number | undefined {
  return 'term' in phase ? phase.term : undefined
}
