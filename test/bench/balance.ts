// How even a cluster of 1,024 slots becomes on skewed loads, how many slots move for it, how many any plan must move, and what planning
// takes. Where one slot alone is heavier than a cell should be, it says so: no plan splits it.
//
//     node --import tsx test/bench/balance.ts

import {
  BALANCE_GOAL,
  type BalanceCells,
  type BalancePlan,
  planBalance,
  planDrain,
} from '../../cells/model/balance.ts'
import { firstPlacement } from '../../cells/model/placement.ts'
import { loadsOf, type SlotLoad } from '../../cells/model/slot-load.ts'
import type { BenchRow } from './bench-row.ts'
import { threadCpuMs } from './cpu-time.ts'
import { type Draw, drawFrom } from './draw.ts'
import { isStarted, printTable } from './print.ts'

const SLOTS = 1_024
const USERS = 100_000
const READERS = 1_000_000
const ROUNDS = 3
/** Only the heaviest cell matters: the goal of the issue. */
const EVEN = { heaviest: BALANCE_GOAL.heaviest, lightest: 0 }

type Case = {
  readonly what: string
  readonly loads: readonly SlotLoad[]
  readonly cells: BalanceCells
  readonly plan: (loads: readonly SlotLoad[], cells: BalanceCells) => BalancePlan
}

export function bench(): BenchRow[] {
  return cases().map(({ what, loads, cells, plan }) => {
    let found = plan(loads, cells)
    let fastestMs = Number.POSITIVE_INFINITY
    for (let round = 0; round < ROUNDS; round++) {
      const startMs = threadCpuMs()
      found = plan(loads, cells)
      fastestMs = Math.min(fastestMs, threadCpuMs() - startMs)
    }
    const heaviest = (of: 'before' | 'after') =>
      Math.max(...found.cells.map((cell) => cell[of])).toFixed(2)
    const { moves, slotsMovedMin, shortfalls } = found
    return {
      what,
      figure: `${heaviest('before')} -> ${heaviest('after')}x the mean, ${moves.length} slots, ${fastestMs.toFixed(0)} ms`,
      goal:
        plan === planDrain
          ? ''
          : shortfalls.length === 0
            ? '<= 1.1x'
            : `<= 1.1x; ${shortfalls.join('; ')}`,
      peer: `at least ${slotsMovedMin} slots`,
    }
  })
}

function cases(): Case[] {
  const even = (loads: readonly SlotLoad[], cells: BalanceCells) => planBalance(loads, cells, EVEN)
  const all = (count: number): BalanceCells => ({ takers: names(count), drained: [] })
  const filled = (loads: readonly SlotLoad[], cells: BalanceCells) => planBalance(loads, cells)
  const skews = [3, 8, 16].map((count) => ({
    what: `${count} cells, Zipf 0.8 over users`,
    loads: loadsIn(count, zipfUsers(0.8)),
    cells: all(count),
    plan: even,
  }))
  const zipfSlots = [3, 8, 16].map((count) => ({
    what: `${count} cells, Zipf 1 over slots`,
    loads: loadsIn(count, zipfSlotsBy(1)),
    cells: all(count),
    plan: even,
  }))
  const hot = [3, 16].map((count) => ({
    what: `${count} cells, one with four times the load`,
    loads: loadsIn(count, (draw) =>
      evenSlots(draw).map((load, i) => (i < SLOTS / count ? 4 * load : load)),
    ),
    cells: all(count),
    plan: even,
  }))
  const added = [2, 7, 15].map((count) => ({
    what: `a new cell beside ${count}, half a share at least`,
    loads: loadsIn(count, zipfUsers(0.8)),
    cells: all(count + 1),
    plan: filled,
  }))
  const drained = [3, 16].map((count) => ({
    what: `one of ${count} cells drained`,
    loads: loadsIn(count, zipfUsers(0.8)),
    cells: { takers: names(count).slice(1), drained: names(1) },
    plan: planDrain,
  }))
  const spread = {
    what: 'all slots from one cell to 16',
    loads: loadsIn(1, zipfUsers(0.8)),
    cells: all(16),
    plan: even,
  }
  return [...skews, ...zipfSlots, ...hot, ...added, ...drained, spread]
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `cell-${i + 1}`)
}

/** Slots in equal runs, as in a new cluster. Readers, reads and bytes are skewed alike: the worst that can be. */
function loadsIn(cells: number, draw: (draw: Draw) => number[]): SlotLoad[] {
  const drawn = draw(drawFrom(cells))
  const all = drawn.reduce((sum, load) => sum + load, 0)
  const measured = drawn.map((load, slot) => {
    const readers = (load / all) * READERS
    return { slot, readers, reads: readers / 10, bytes: readers * 2_300 }
  })
  return loadsOf(firstPlacement(names(cells), SLOTS), measured)
}

function evenSlots(draw: Draw): number[] {
  return Array.from({ length: SLOTS }, () => 1 + draw())
}

/** Users by Zipf, who fall into slots at random. */
function zipfUsers(exponent: number): (draw: Draw) => number[] {
  return (draw) => {
    const loads = new Array<number>(SLOTS).fill(0)
    for (let user = 1; user <= USERS; user++) {
      const slot = Math.floor(draw() * SLOTS)
      loads[slot] = (loads[slot] ?? 0) + 1_000 / user ** exponent
    }
    return loads
  }
}

/** Slots by Zipf, at random places. */
function zipfSlotsBy(exponent: number): (draw: Draw) => number[] {
  return (draw) =>
    Array.from({ length: SLOTS }, (_, i) => ({ at: draw(), load: 1_000 / (i + 1) ** exponent }))
      .sort((a, b) => a.at - b.at)
      .map(({ load }) => load)
}

if (isStarted(import.meta.url)) printTable(bench())
