// A third cell beside two under load: `cellfeed serve` as a user starts it, a graph imported, posts published until inboxes have their
// entries, then `cells add` and `rebalance` while posts, follows and reads go on; beside it the same load without a move. Authors are all
// alike, so that every inbox has as many entries as is said. At its full size it takes the better part of an hour, nearly all of it to
// import 20 M follows, twice: the new cell applies them too.
//
//   node --import tsx test/bench/third-cell.ts [--users n] [--follows-each n] [--entries-each n] [--posts n] [--reads n]

import { availableParallelism } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { CpuMeter } from './cpu-meter.ts'
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
type Copied = { readonly readers: number; readonly bytes: number }
type Plan = { readonly slotsMoved: number; readonly readers: number }

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '100000' },
    'follows-each': { type: 'string', default: '200' },
    'entries-each': { type: 'string', default: '500' },
    posts: { type: 'string', default: '100' },
    reads: { type: 'string', default: '200' },
  },
})
const GOAL_MS = 60_000
const SETTLE_MS = 500
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
  const cpu = new CpuMeter({ serve: served.pid })
  const before = await load(served, { seconds: 30 })
  const loaded = cpu.share('serve') / availableParallelism()
  await served.cli(['cells', 'add', 'cell-3'])
  await served.ready()
  // It has applied everything, and goes on writing posts behind that.
  while ((await served.metric('cellfeed_cell_pending_posts{')) > 0) await setTimeout(SETTLE_MS)
  const [during, rebalanced] = await Promise.all([
    load(served, { seconds: LOAD_S }),
    rebalance(served),
  ])
  const copied = {
    readers: await served.metric('cellfeed_cell_readers_copied'),
    bytes: await served.metric('cellfeed_cell_bytes_copied'),
  }
  printTable(rows(before, during, { ...rebalanced, copied, loaded }))
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
  const users = ['--users', values.users, '--zipf', '0']
  const graph = [...users, '--follows-each', run.followsEach ?? '0']
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
  const waves = events.filter(({ event }) => event === 'wave-begins').length
  return { ms, plan: plan as unknown as Plan, waves }
}

function rows(
  before: readonly KindReport[],
  during: readonly KindReport[],
  {
    ms,
    plan,
    waves,
    copied,
    loaded,
  }: Rebalanced & { readonly copied: Copied; readonly loaded: number },
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
      what: 'load without a move, of all cores',
      figure: `${Math.round(loaded * 100)} %`,
      goal: '20 %',
      peer: '',
    },
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
    {
      what: 'bytes read of the source, a user',
      figure: String(Math.round(copied.bytes / copied.readers)),
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
