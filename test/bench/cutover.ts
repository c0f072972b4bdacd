// One slot at a time between two cells that do little else, and one of its users who reads all the time: how long a move takes, and how
// long a read waits because of it. Beside it the same reads without a move.
//
//   node --import tsx test/bench/cutover.ts [--moves n]

import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Cellfeed, connect } from '../../services/client/connect.ts'
import { printTable, quantile } from './print.ts'
import { type Served, withServed } from './served.ts'

const { values } = parseArgs({
  options: {
    moves: { type: 'string', default: '30' },
    users: { type: 'string', default: '400000' },
  },
})
const SLOT_USERS = 100
const FOLLOWS_EACH = 2
const LOOK_MS = 5
const CALM_MS = 20_000

type Moves = {
  readonly tookMs: Float64Array
  readonly reads: Float64Array
  /** How long each phase was seen, of all moves together. */
  readonly phases: ReadonlyMap<string, number>
}

await withServed(2, async (served) => {
  await prepare(served)
  const feed = connect(served.address, { adminAddress: served.adminAddress, operator: 'bench' })
  const calm = await readsDuring(feed, () => wait(CALM_MS))
  const moves = await moveAround(feed, Number(values.moves))
  feed.close()
  const ms = (sorted: Float64Array, share: number) => quantile(sorted, share).toFixed(1)
  const three = (sorted: Float64Array) =>
    [0.5, 0.99, 1].map((share) => ms(sorted, share)).join(' / ')
  printTable([
    {
      what: `one slot of some ${SLOT_USERS} users, plan to cutover, ms, p50 / longest of ${moves.tookMs.length}`,
      figure: `${ms(moves.tookMs, 0.5)} / ${ms(moves.tookMs, 1)}`,
      goal: '< 1000',
      peer: [...moves.phases]
        .map(([phase, all]) => `${phase.toLowerCase()} ${Math.round(all / moves.tookMs.length)}`)
        .join(', '),
    },
    {
      what: `${moves.reads.length} reads of a user in it meanwhile, ms, p50 / p99 / longest`,
      figure: three(moves.reads),
      goal: 'longest < 50',
      peer: `${three(calm)} of ${calm.length} without a move`,
    },
  ])
})

async function prepare({ cli }: Served): Promise<void> {
  const graph = ['--users', values.users, '--follows-each', String(FOLLOWS_EACH)]
  await cli(['load', ...graph, '--posts', '200', '--reads', '0', '--seconds', '10'])
}

/** The slot of each of some users to the other cell, while that user reads. */
async function moveAround(feed: Cellfeed, count: number): Promise<Moves> {
  const tookMs: number[] = []
  const reads: number[] = []
  const phases = new Map<string, number>()
  for (let i = 0; i < count; i++) {
    const user = `load-${i}`
    const { user: home } = await feed.placement(user)
    if (home === undefined) throw new Error(`${user} lives nowhere`)
    const run = { first: home.slot, last: home.slot }
    const startMs = performance.now()
    const to = home.cell === 'cell-1' ? 'cell-2' : 'cell-1'
    const during = readsDuring(feed, () => moved(feed, { run, to, phases }), user)
    reads.push(...(await during))
    tookMs.push(performance.now() - startMs)
  }
  return {
    tookMs: new Float64Array(tookMs).sort(),
    reads: new Float64Array(reads).sort(),
    phases,
  }
}

async function moved(
  feed: Cellfeed,
  asked: {
    readonly run: { readonly first: number; readonly last: number }
    readonly to: string
    readonly phases: Map<string, number>
  },
): Promise<void> {
  const { run, to, phases } = asked
  const { id } = await feed.moveSlots([run], to)
  for (;;) {
    const sinceMs = performance.now()
    const move = (await feed.moves()).find((each) => each.id === id)
    if (move === undefined || move.phase === 'RETIRING') return
    await wait(LOOK_MS)
    const { phase } = move
    phases.set(phase, (phases.get(phase) ?? 0) + performance.now() - sinceMs)
  }
}

/** Sorted, in milliseconds: one read after the other until that is over. */
async function readsDuring(
  feed: Cellfeed,
  act: () => Promise<unknown>,
  user = 'load-0',
): Promise<Float64Array> {
  const reads: number[] = []
  const over = { is: false }
  const acting = act().finally(() => {
    over.is = true
  })
  while (!over.is) {
    const startMs = performance.now()
    await feed.dashboard(user)
    reads.push(performance.now() - startMs)
  }
  await acting
  return new Float64Array(reads).sort()
}
