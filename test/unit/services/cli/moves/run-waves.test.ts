// What the waves of a rebalance do when a gate says stop.

import { expect, test } from 'vitest'
import { Waves } from '../../../../../services/cli/moves/run-waves.ts'
import type { Terminal } from '../../../../../services/cli/terminal.ts'
import type { CellStatus } from '../../../../../services/client/admin-calls.ts'
import type { BalancePlan } from '../../../../../services/client/balance-calls.ts'
import type { Cellfeed } from '../../../../../services/client/connect.ts'
import type { Move, MovePhaseName, PlannedMove } from '../../../../../services/client/move-calls.ts'

const wanted = (from: string, slot: number) => ({
  slots: [{ first: slot, last: slot }],
  from,
  to: 'c',
  readers: 1n,
  bytes: 1n,
})
const PLAN: BalancePlan = {
  waves: [{ moves: [wanted('a', 1), wanted('b', 2), wanted('d', 3)] }, { moves: [wanted('a', 4)] }],
  cells: [],
  slotsMoved: 4,
  slotsMovedMin: 4,
  readers: 4n,
  bytes: 4n,
  shortfalls: [],
}

/** A cluster in which moves get as far as `phases` says. */
function cluster(phases: readonly MovePhaseName[], isCut: (id: number) => boolean = () => false) {
  const moves = new Map<number, Move>()
  const changed: string[] = []
  const feed: Partial<Cellfeed> = {
    cells: async () =>
      ['a', 'b', 'c', 'd'].map((cell) => {
        const figures = { readsPerSecond: 0, failedReadsPerSecond: 0, readP99Ms: 0, lagMs: 0 }
        return { cell, state: 'SERVING', ...figures } as Partial<CellStatus> as CellStatus
      }),
    moves: async () => [...moves.values()],
    moveSlots: async (slots, to) => {
      const id = moves.size + 1
      const phase = phases[moves.size] ?? 'COPYING'
      const known: Partial<Move> = { id, slots, to, phase, detail: '', isPaused: false }
      moves.set(id, known as Move)
      return known as PlannedMove
    },
    changeMove: async (id, change) => {
      const move = moves.get(id)
      if (move === undefined) throw new Error('there is no such move')
      if (isCut(id)) {
        moves.set(id, { ...move, phase: 'RETIRING' })
        throw new Error('it is cut over')
      }
      changed.push(`${change} ${id}`)
      moves.set(id, { ...move, isPaused: true })
      return ''
    },
  }
  return { feed: feed as Cellfeed, changed }
}

async function run(feed: Cellfeed) {
  const lines: string[] = []
  const terminal: Partial<Terminal> = {
    out: (line) => void lines.push(line),
    progress: () => {},
    isInteractive: false,
    nowMs: () => 0,
  }
  const isDone = await new Waves(feed, terminal as Terminal, false).run(PLAN)
  return { isDone, lines }
}

test('when dashboards differ the others wait, and what takes each move back is told', async () => {
  const { feed, changed } = cluster(['DIFFERS', 'COPYING', 'RETIRING'])
  const { isDone, lines } = await run(feed)
  expect(isDone).toBe(false)
  expect(changed).toEqual(['pause 2'])
  expect(lines).toContain('stopped: 1 moves show something else than their source')
  expect(lines).toContain('move 2 is paused: cellfeed moves resume 2')
  expect(lines.at(-1)).toBe(
    'to take the wave back: cellfeed moves abort 1; cellfeed moves abort 2; cellfeed moves rollback 3',
  )
})

test('a move that is cut over just then is to be rolled back', async () => {
  const { feed, changed } = cluster(['DIFFERS', 'READY', 'RETIRING'], (id) => id === 2)
  const { lines } = await run(feed)
  expect(changed).toEqual([])
  expect(lines.at(-1)).toBe(
    'to take the wave back: cellfeed moves abort 1; cellfeed moves rollback 2; cellfeed moves rollback 3',
  )
})
