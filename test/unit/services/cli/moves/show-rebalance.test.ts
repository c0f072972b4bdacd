// What people and programs read of a rebalance.

import { expect, test } from 'vitest'
import { ShowRebalance } from '../../../../../services/cli/moves/show-rebalance.ts'
import type { Terminal } from '../../../../../services/cli/terminal.ts'
import type { RebalanceEvent } from '../../../../../services/client/balance-calls.ts'

const STOPPED: RebalanceEvent = {
  kind: 'stopped',
  reason: '1 moves show something else than their source',
  paused: [2],
  back: [
    { id: 1, change: 'abort' },
    { id: 3, change: 'roll-back' },
  ],
}
const moves = [{ slots: [{ first: 4, last: 7 }], from: 'a', to: 'c', readers: 30n, bytes: 1n }]
const rest = { cells: [], slotsMoved: 5, slotsMovedMin: 5, readers: 90n, bytes: 1n, shortfalls: [] }
const PLAN: RebalanceEvent = { kind: 'plan', plan: { waves: [{ moves }, { moves }], ...rest } }

function shown(events: readonly RebalanceEvent[], isJson: boolean): string[] {
  const lines: string[] = []
  const terminal: Partial<Terminal> = {
    out: (line) => void lines.push(line),
    progress: () => {},
    isInteractive: false,
    nowMs: () => 0,
  }
  const show = new ShowRebalance(terminal as Terminal, isJson)
  for (const event of events) show.show(event)
  return lines
}

test('why it stopped, what is paused, and how to go back', () => {
  expect(shown([STOPPED], false)).toEqual([
    'stopped: 1 moves show something else than their source',
    'move 2 is paused: cellfeed moves resume 2',
    'to take the wave back: cellfeed moves abort 1; cellfeed moves rollback 3',
  ])
  expect(shown([STOPPED], true).map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      event: 'stopped',
      reason: '1 moves show something else than their source',
      paused: [2],
      back: ['cellfeed moves abort 1', 'cellfeed moves rollback 3'],
    },
  ])
})

test('each wave with its rate, and what is left at that', () => {
  const numbers = { waves: 2, tookMs: 2_000 }
  const lines = shown(
    [
      PLAN,
      { kind: 'wave-done', wave: 1, readersMoved: 30n, ...numbers },
      { kind: 'wave-done', wave: 2, readersMoved: 90n, ...numbers },
    ],
    false,
  )
  expect(lines.slice(-2)).toEqual([
    'wave 1 of 2: 4 slots, 30 users: moved in 2 s, 15 users/s; 60 users to go, 4 s at most',
    'wave 2 of 2: 4 slots, 60 users: moved in 2 s',
  ])
})
