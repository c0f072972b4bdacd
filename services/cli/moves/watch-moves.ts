// Watches moves until none is under way: a line for each change, and one of progress that is replaced.

import { setTimeout } from 'node:timers/promises'
import type { Cellfeed } from '../../client/connect.ts'
import type { Move } from '../../client/move-calls.ts'
import { exitCodes } from '../exit.ts'
import { harmless, jsonLine } from '../print.ts'
import type { Terminal } from '../terminal.ts'
import { lineOf, nameOf } from './print-moves.ts'
import { ProgressLine } from './progress-line.ts'

const LOOK_MS = 250

/** Ends with exit code 1 when a move differs: it waits for somebody. A standby that is ready is as it should be. */
export async function watchMoves(
  feed: Cellfeed,
  flags: { readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const progress = new ProgressLine(terminal)
  let known = new Map<number, Move>()
  while (!terminal.interrupted.aborted) {
    const now = await feed.moves()
    const lines = flags.json ? changesAsJson(known, now) : changesAsLines(known, now)
    if (lines.length > 0) progress.clear()
    for (const line of lines) terminal.out(line)
    if (now.some(({ phase }) => phase === 'DIFFERS')) {
      terminal.endWith(exitCodes.no)
      break
    }
    if (!now.some(isUnderWay)) break
    if (!progress.show(now)) progress.clear()
    known = new Map(now.map((move) => [move.id, move]))
    await setTimeout(LOOK_MS)
  }
  progress.clear()
}

function isUnderWay({ isStandby, phase }: Move): boolean {
  return !isStandby || phase !== 'READY'
}

function changesAsLines(known: ReadonlyMap<number, Move>, now: readonly Move[]): string[] {
  const changed = now.filter((move) => hasChanged(known.get(move.id), move))
  return [
    ...changed.map(lineOf),
    ...goneFrom(known, now).map((move) => `${nameOf(move)} is over`),
  ].map(harmless)
}

/** Programs get the progress of copies too. */
function changesAsJson(known: ReadonlyMap<number, Move>, now: readonly Move[]): string[] {
  const changed = now.filter((move) => {
    const before = known.get(move.id)
    return hasChanged(before, move) || before?.copiedPart !== move.copiedPart
  })
  const gone = goneFrom(known, now).map((move) => ({ ...move, phase: 'OVER' }))
  return [...changed, ...gone].map(jsonLine)
}

function hasChanged(before: Move | undefined, now: Move): boolean {
  return (
    before?.phase !== now.phase || before.detail !== now.detail || before.isPaused !== now.isPaused
  )
}

function goneFrom(known: ReadonlyMap<number, Move>, now: readonly Move[]): Move[] {
  return [...known.values()].filter((move) => !now.some(({ id }) => id === move.id))
}
