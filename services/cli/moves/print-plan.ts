// How a plan for an even load looks.

import type { BalancePlan } from '../../client/balance-calls.ts'
import { bytes, count, table } from '../print.ts'
import { slotsIn, slotsText } from './print-moves.ts'

/** What is moved, what that is good for, and what stands in the way of better. */
export function planText(plan: BalancePlan): string {
  const loads = [
    ['cell', 'load', 'after'],
    ...plan.cells.map(({ cell, before, after }) => [cell, before.toFixed(2), after.toFixed(2)]),
  ]
  const lines = [
    'Load, in times the mean (users, reads and bytes count a third each):',
    table(loads),
  ]
  if (plan.waves.length > 0) lines.push('', `To be moved: ${totalText(plan)}`)
  return [...lines, ...plan.shortfalls.map((why) => `Not better: ${why}.`)].join('\n')
}

/** "12 slots with 1,234 users (3.4 MB in memory), in 4 waves". */
function totalText({
  slotsMoved,
  slotsMovedMin,
  readers,
  bytes: size,
  waves,
}: BalancePlan): string {
  const least = slotsMovedMin === slotsMoved ? 'the fewest possible' : `at least ${slotsMovedMin}`
  return (
    `${count(slotsMoved, 'slot')} (${least}) with ${count(readers, 'user')}, ${bytes(size)} in memory, ` +
    `in ${count(waves.length, 'wave')}`
  )
}

/** Each wave with its moves. */
export function wavesTable({ waves }: BalancePlan): string {
  const rows = waves.flatMap(({ moves }, i) =>
    moves.map((move) => [
      String(i + 1),
      String(slotsIn(move.slots)),
      slotsText(move.slots),
      move.from,
      move.to,
      move.readers.toLocaleString('en-US'),
      bytes(move.bytes),
    ]),
  )
  return table([['wave', 'slots', 'which', 'from', 'to', 'users', 'memory'], ...rows])
}
