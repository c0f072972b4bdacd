// Cells of a drill, as its operator changes and sees them: asked until they answer.

import { setTimeout as wait } from 'node:timers/promises'
import { CellfeedError } from '../../../services/client/connect.ts'
import { insist } from '../../chaos/load/insist.ts'
import { type Quarter, slotsOf } from '../reads/homes.ts'
import type { Stage } from '../stage.ts'

const LOOK_MS = 100

/** Until it serves. False: it was there. */
export async function addCell(stage: Stage, cell: string, patience: AbortSignal): Promise<boolean> {
  const { operator, cluster } = stage
  if ((await cellsOf(stage, patience)).includes(cell)) return false
  await removeIdle(stage, patience)
  await insist(() => operator.addCell(cell), patience)
  await cluster.runCell(cell)
  await until(() => isServing(stage, [cell]), `${cell} does not serve`, patience)
  return true
}

export async function isServing({ operator }: Stage, names: readonly string[]): Promise<boolean> {
  const serving = (await operator.cells()).filter(({ state }) => state === 'SERVING')
  return names.every((name) => serving.some(({ cell }) => cell === name))
}

/** Cells that own nothing any more, and to or from which nothing moves. */
async function removeIdle(stage: Stage, patience: AbortSignal): Promise<void> {
  const { operator, cluster } = stage
  const moves = await insist(() => operator.moves(), patience)
  const busy = new Set(moves.flatMap(({ from, to }) => [from, to]))
  const cells = await insist(() => operator.cells(), patience)
  const idle = cells.filter(({ cell, slots }) => slots === 0 && !busy.has(cell))
  for (const { cell } of idle) {
    await insist(() => operator.removeCell(cell), patience)
    await cluster.endCell(cell)
  }
}

export async function cellsOf({ operator }: Stage, patience: AbortSignal): Promise<string[]> {
  return (await insist(() => operator.cells(), patience)).map(({ cell }) => cell).sort()
}

/** The first of them that does not live there and that nobody moves; sources keep what they gave away for a while. */
export async function freeQuarter(
  stage: Stage,
  quarters: readonly Quarter[],
  to: string,
  patience: AbortSignal,
): Promise<{ readonly quarter: Quarter; readonly from: string }> {
  let free: { quarter: Quarter; from: string } | undefined
  const isThere = async () => {
    const moving = (await stage.operator.moves()).flatMap(({ slots }) => slots)
    for (const quarter of quarters) {
      if (moving.some(({ first }) => first === slotsOf(quarter).first)) continue
      const from = await homeOf(stage, stage.watcherOf(quarter), patience)
      if (from !== to) free ??= { quarter, from }
    }
    return free !== undefined
  }
  await until(isThere, 'no quarter can be moved', patience)
  if (free === undefined) throw new Error('a free quarter was found')
  return free
}

export async function homeOf(
  { operator }: Stage,
  user: string,
  patience: AbortSignal,
): Promise<string> {
  const placement = await insist(() => operator.placement(user), patience)
  if (placement.user === undefined) throw new Error(`nobody knows where ${user} lives`)
  return placement.user.cell
}

/** Lets the sources of all moves go. */
export async function retireAll({ operator }: Stage, patience: AbortSignal): Promise<void> {
  const isOver = async () => {
    const moves = await operator.moves()
    for (const { id } of moves.filter(({ phase }) => phase === 'RETIRING')) {
      await operator.changeMove(id, 'retire').catch(refusedOnly)
    }
    return moves.length === 0
  }
  await until(isOver, 'moves do not end', patience)
}

/** It was over before. */
export function refusedOnly(error: unknown): void {
  if (!(error instanceof CellfeedError) || error.reason !== 'MOVE_REFUSED') throw error
}

/** What nobody answers is asked again. */
export async function until(
  isSo: () => Promise<boolean>,
  otherwise: string,
  patience: AbortSignal,
): Promise<void> {
  while (!(await insist(isSo, patience))) {
    if (patience.aborted) throw new Error(otherwise)
    await wait(LOOK_MS)
  }
}
