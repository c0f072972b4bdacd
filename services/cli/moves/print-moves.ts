// How moves look: in a line, in a table.

import type { Move, SlotRun } from '../../client/move-calls.ts'
import { bytes, count, table } from '../print.ts'

export function summaryOf({ slots, from, to }: Pick<Move, 'slots' | 'from' | 'to'>): string {
  return `${count(slotsIn(slots), 'slot')} (${slotsText(slots)}) from ${from} to ${to}`
}

export function lineOf(move: Move): string {
  return `${nameOf(move)}: ${summaryOf(move)}: ${stateOf(move)}${inParentheses(move.detail)}`
}

/** "move 5", "standby 6". */
export function nameOf({ id, isStandby }: Pick<Move, 'id' | 'isStandby'>): string {
  return `${isStandby ? 'standby' : 'move'} ${id}`
}

/** The phase, and whether it is paused. */
export function stateOf({ phase, isPaused }: Move): string {
  return `${phase.toLowerCase()}${isPaused ? ', paused' : ''}`
}

export function tableOf(moves: readonly Move[]): string {
  const rows = moves.map((move) => [
    String(move.id),
    move.isStandby ? 'standby' : 'move',
    slotsText(move.slots),
    move.from,
    move.to,
    stateOf(move),
    [copiedOf(move), move.detail].filter((part) => part !== '').join(', '),
  ])
  return table([['id', '', 'slots', 'from', 'to', 'phase', ''], ...rows])
}

function copiedOf({ phase, copiedPart, readersCopied, bytesCopied }: Move): string {
  if (phase !== 'COPYING') return ''
  return `${Math.floor(copiedPart * 100)} %, ${count(readersCopied, 'user')}, ${bytes(bytesCopied)}`
}

const RUNS_SHOWN = 6

export function slotsText(slots: readonly SlotRun[]): string {
  const shown = slots
    .slice(0, RUNS_SHOWN)
    .map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
  if (slots.length > RUNS_SHOWN) shown.push(`and ${slots.length - RUNS_SHOWN} runs more`)
  return shown.join(',')
}

export function slotsIn(slots: readonly SlotRun[]): number {
  return slots.reduce((sum, { first, last }) => sum + last - first + 1, 0)
}

function inParentheses(text: string): string {
  return text === '' ? '' : ` (${text})`
}
