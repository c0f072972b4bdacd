// What differs between two placements, in one line for people: the audit trail.

import {
  findOwner,
  type Move,
  type Placement,
  runsOf,
  type SlotRun,
  slotsIn,
  type WantedPin,
} from './placement.ts'

/** One entry of the audit trail: who made the placement of an epoch from the one before, and when. */
export type PlacementChange = {
  readonly epoch: number
  /** The epoch of the change before; 0: there is none. */
  readonly previous: number
  /** Unix ms, by the clock of who made it. */
  readonly atMs: number
  readonly by: string
  readonly what: string
}

export function changeText(before: Placement, after: Placement): string {
  const parts = [...cellTexts(before, after), ...ruleTexts(before, after)]
  const [old, now] = [movesById(before), movesById(after)]
  for (const move of after.moves) parts.push(...moveTexts(old.get(move.id), move))
  for (const move of before.moves) {
    if (!now.has(move.id)) parts.push(`${nameOf(move)} ended as ${move.phase.kind}`)
  }
  const given = slotsIn(after.ranges).filter(
    (slot) => findOwner(before, slot)?.cell !== findOwner(after, slot)?.cell,
  )
  if (given.length > 0) {
    parts.push(`owner of ${given.length} slots changed: ${runsText(runsOf(given))}`)
  }
  return parts.join('; ') || 'nothing'
}

function cellTexts({ cells: before }: Placement, { cells: after }: Placement): string[] {
  const added = after.filter((cell) => !before.includes(cell)).map((cell) => `${cell} added`)
  const removed = before.filter((cell) => !after.includes(cell)).map((cell) => `${cell} removed`)
  return [...added, ...removed]
}

function ruleTexts(
  { standbys: before }: Placement,
  { standbys: after, cells }: Placement,
): string[] {
  return cells.flatMap((cell) => {
    const [old, now] = [before, after].map(
      (rules) => rules.find((rule) => rule.cell === cell)?.standby ?? 'none',
    )
    return old === now ? [] : [`standby of ${cell}: ${now}`]
  })
}

function moveTexts(before: Move | undefined, move: Move): string[] {
  const { slots, pins, from, to, phase, isPaused } = move
  const name = nameOf(move)
  if (before === undefined)
    return [`${name} planned: slots ${runsText(slots)} from ${from} to ${to}${pinsText(pins)}`]
  const texts: string[] = []
  if (before.phase.kind !== phase.kind) {
    const why = phase.kind === 'differs' ? ` (${phase.detail})` : ''
    texts.push(`${name}: ${before.phase.kind} -> ${phase.kind}${why}`)
  }
  if (before.isPaused !== isPaused) texts.push(`${name} ${isPaused ? 'paused' : 'resumed'}`)
  if (runsText(before.slots) !== runsText(slots)) texts.push(`${name}: slots ${runsText(slots)}`)
  return texts
}

function pinsText(pins: readonly WantedPin[]): string {
  if (pins.length === 0) return ''
  return `, slots of their own for ${pins.map(({ slot }) => `one user: ${slot}`).join(', ')}`
}

function nameOf({ id, isStandby }: Move): string {
  return `${isStandby ? 'standby' : 'move'} ${id}`
}

const RUNS_SHOWN = 8

function runsText(runs: readonly SlotRun[]): string {
  const shown = runs
    .slice(0, RUNS_SHOWN)
    .map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
  if (runs.length > RUNS_SHOWN) shown.push(`and ${runs.length - RUNS_SHOWN} more runs`)
  return shown.join(',')
}

function movesById({ moves }: Placement): Map<number, Move> {
  return new Map(moves.map((move) => [move.id, move]))
}
