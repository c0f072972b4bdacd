// Which cells a cluster has. A cell that was added owns nothing until slots are moved to it; one that owns something can not go.

import type { Refusal } from './move.ts'
import { type CellName, type Move, nextEpoch, ownersOf, type Placement } from './placement.ts'

export const CELLS_MAX = 64
/** It is part of file, keyspace and metric names. */
const NAME = /^[a-z][a-z0-9-]{0,30}$/

export function addCell(placement: Placement, cell: CellName, nowMs: number): Placement | Refusal {
  const { cells } = placement
  if (!NAME.test(cell)) {
    return { refused: `"${cell}" can not be a cell's name: a letter, then up to 30 of a-z, 0-9, -` }
  }
  if (cells.includes(cell)) return { refused: `there is a cell ${cell} already` }
  if (cells.length >= CELLS_MAX) return { refused: `a cluster has at most ${CELLS_MAX} cells` }
  return { ...placement, epoch: nextEpoch(placement, nowMs), cells: [...cells, cell] }
}

function whyNotYet(cell: CellName, { id, from, to, isStandby, phase }: Move): string {
  if (isStandby && phase.kind !== 'retiring') {
    return `${to} stands by for ${from}: end that first, by "cellfeed standby unset ${from}"`
  }
  const way = `move ${id} from ${from} to ${to}`
  return phase.kind === 'retiring'
    ? `${way} can still be taken back: ${cell} can go when it is over, a minute after its cutover, or by "cellfeed moves retire ${id}"`
    : `${way} is under way`
}

export function removeCell(
  placement: Placement,
  cell: CellName,
  nowMs: number,
): Placement | Refusal {
  const { cells, moves } = placement
  if (!cells.includes(cell)) return { refused: `there is no cell ${cell}` }
  if (ownersOf(placement).includes(cell)) {
    return { refused: `${cell} owns slots: move them to other cells first` }
  }
  const move = moves.find(({ from, to }) => from === cell || to === cell)
  if (move !== undefined) return { refused: whyNotYet(cell, move) }
  const rest = cells.filter((each) => each !== cell)
  const standbys = placement.standbys.filter((rule) => rule.cell !== cell && rule.standby !== cell)
  return { ...placement, epoch: nextEpoch(placement, nowMs), cells: rest, standbys }
}
