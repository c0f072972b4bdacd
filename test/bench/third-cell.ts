// A third cell beside two under load: `cellfeed serve` as a user starts it, a graph imported, posts published until inboxes have their
// entries, then `cells add` and `rebalance` while posts, follows and reads go on; beside it the same load without a move.
//
//   node --import tsx test/bench/third-cell.ts [--users n] [--follows-each n] [--entries-each n] [--posts n] [--reads n]

import { parseArgs } from 'node:util'
import type { BenchRow } from './bench-row.ts'
import { machine, printTable } from './print.ts'
import { type Served, withServed } from './served.ts'

type KindReport = {
  readonly kind: string
  readonly ok: number
  readonly failed: number
  readonly latencyMs: Readonly<Record<'p50' | 'p99' | 'max', number>>
}
type Rebalanced = { readonly ms: number; readonly plan: Plan; readonly waves: number }
type Plan = { readonly slotsMoved: number; readonly readers: number }

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '100000' },
    'follows-each': { type: 'string', default: '50' },
    'entries-each': { type: 'string', default: '500' },
    posts: { type: 'string', default: '100' },
    reads: { type: 'string', default: '200' },
  },
})
const GOAL_MS = 60_000
/** Longer than the rebalance takes. */
const LOAD_S = 90
/** Before the move, so that there is something to copy. */
const POSTS_PER_S = 2_000

await withServed(2, async (served) => {
  const prepared = performance.now()
  await load(served, { seconds: 1, followsEach: values['follows-each'] })
  console.log(`imported in ${seconds(performance.now() - prepared)}; ${machine()}`)
  const posts =
    (Number(values.users) * Number(values['entries-each'])) / Number(values['follows-each'])
  await load(served, { seconds: posts / POSTS_PER_S, posts: POSTS_PER_S, reads: 0 })
  const before = await load(served, { seconds: 30 })
  await served.cli(['cells', 'add', 'cell-3'])
  await served.ready()
  const [during, rebalanced] = await Promise.all([
    load(served, { seconds: LOAD_S }),
    rebalance(served),
  ])
  printTable(rows(before, during, rebalanced))
})

async function load(
  { cli }: Served,
  run: {
    readonly seconds: number
    readonly followsEach?: string
    readonly posts?: number
    readonly reads?: number
  },
): Promise<KindReport[]> {
  const graph = ['--users', values.users, '--follows-each', run.followsEach ?? '0']
  const { posts = values.posts, reads = values.reads } = run
  const rates = ['--posts', String(posts), '--follows', '20', '--reads', String(reads)]
  const forS = ['--seconds', String(Math.ceil(run.seconds)), '--json']
  const [printed] = await cli(['load', ...graph, ...rates, ...forS])
  return (printed as { readonly reports: KindReport[] }).reports
}

async function rebalance({ cli }: Served): Promise<Rebalanced> {
  const start = performance.now()
  const events = (await cli(['rebalance', '--json'])) as { readonly event: string }[]
  const ms = performance.now() - start
  const plan = events.find(({ event }) => event === 'plan')
  if (plan === undefined) throw new Error('there is no plan')
  const waves = events.filter(({ event }) => event === 'wave').length
  return { ms, plan: plan as unknown as Plan, waves }
}

function rows(
  before: readonly KindReport[],
  during: readonly KindReport[],
  { ms, plan, waves }: Rebalanced,
): BenchRow[] {
  const failedIn = (reports: readonly KindReport[]): string => {
    const calls = reports.reduce((sum, { ok, failed }) => sum + ok + failed, 0)
    return `${reports.reduce((sum, { failed }) => sum + failed, 0)} of ${calls}`
  }
  const readsIn = (reports: readonly KindReport[]): string => {
    const reads = reports.find(({ kind }) => kind === 'read')?.latencyMs
    return reads === undefined ? '-' : [reads.p50, reads.p99, reads.max].map(Math.round).join(' / ')
  }
  return [
    {
      what: `${plan.readers} users in ${plan.slotsMoved} slots, in ${waves} waves`,
      figure: seconds(ms),
      goal: `< ${seconds(GOAL_MS)}`,
      peer: '',
    },
    {
      what: 'users a second',
      figure: String(Math.round((plan.readers / ms) * 1_000)),
      goal: '',
      peer: '',
    },
    { what: 'calls failed', figure: failedIn(during), goal: '0', peer: failedIn(before) },
    {
      what: 'reads, p50 / p99 / longest, ms',
      figure: readsIn(during),
      goal: 'p99 <= 1.5x',
      peer: readsIn(before),
    },
  ]
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}
