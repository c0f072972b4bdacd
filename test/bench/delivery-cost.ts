// What deliveries and pulls cost together, by how often people read and how far down: everything delivered, everything pulled, and as the
// policy decides. Generations are posted, decided about and written, on the embedded store; halfway to the next one readers read the page
// below what was written. Counted are the processor's time of writing inboxes and of those pages, beyond what the same pages take when all posts are in the window (as
// nobody delivers or pulls those), and the bytes written into inboxes.
//
//     node --import tsx test/bench/delivery-cost.ts [--graph real|zipf] [--ratio 1:1] [--share 0.1] [--svg folder]
//
// People differ: who posts how much and who reads how often are drawn from lognormals, and some read far down much more than others. The
// cell knows a week of it, as it would, and has posts of before: pages are full. What things cost it measures by itself meanwhile.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { DELIVERY_POLICY, type DeliveryPolicy } from '../../cells/model/delivery-policy.ts'
import { EmbeddedCellStore } from '../../infra/embedded/cell-store.ts'
import { systemClock } from '../../infra/system/clock.ts'
import { postIdOf } from '../../cells/model/post-id.ts'
import type { UserKey } from '../../cells/model/user-key.ts'
import type { Place } from '../../cells/ports/cell-client.ts'
import type { CellStore } from '../../cells/ports/cell-store.ts'
import { addReader, type BenchCell, benchCell, NEWEST_MS } from './bench-cell.ts'
import { costCurves, type CostPoint } from './cost-curves.ts'
import {
  authorsOf,
  deepReadersOf,
  type DrawnPosts,
  drawPosts,
  HOUR_MS,
  type Load,
  storePosts,
} from './cost-load.ts'
import { type Graph, realGraph, REAL_GRAPH, zipfGraph } from './graphs.ts'
import { machine } from './print.ts'

const { values } = parseArgs({
  options: {
    graph: { type: 'string', default: 'real' },
    svg: { type: 'string' },
    ratio: { type: 'string' },
    share: { type: 'string' },
  },
})
/** Generations that only fill inboxes, and those that are measured, by how long that takes. The one that took least counts: others share the cores. */
const BEFORE = 3
const MEASURED = { least: 3, most: 7, ms: 12_000 } as const
/** Posts of each generation before. */
const HISTORY = 100_000
const PAGE = 20
/** A week is taken as known. */
const KNOWN_S = 7 * 86_400
/** Posts and views of one generation. */
const RATIOS = [
  { ratio: '100:1', posts: 1_000, views: 100_000 },
  { ratio: '10:1', posts: 5_000, views: 50_000 },
  { ratio: '1:1', posts: 50_000, views: 50_000 },
  { ratio: '1:10', posts: 100_000, views: 10_000 },
  { ratio: '1:100', posts: 200_000, views: 2_000 },
] as const
const DEEP_SHARES = [0, 0.02, 0.1, 0.5] as const
/** `window`: nothing is written, all pages are made of what memory holds. */
type Way = DeliveryPolicy['mode'] | 'window'
/** Of one generation. */
type Measured = {
  readonly cpuUs: number
  readonly bytes: number
  readonly decideUs: number
  readonly leftOut: number
  readonly pulled: number
}
/** What is the same for all ways: posts, and the store that has them. */
type Posted = { readonly generations: readonly DrawnPosts[]; readonly store: CellStore }

await main()

async function main(): Promise<void> {
  const graph = values.graph === 'zipf' ? zipfGraph() : realGraph()
  if (graph === undefined) {
    console.log(`left out: there is no ${REAL_GRAPH}`)
    return
  }
  console.log(`${graph.what}; ${machine()}\n`)
  console.log(
    '| views : posts | below the window | from the window | deliver all | pull all | by cost | of the better | deciding | left out |',
  )
  console.log('|---|---|---|---|---|---|---|---|---|')
  const points: CostPoint[] = []
  for (const { ratio, posts, views } of RATIOS) {
    if (values.ratio !== undefined && values.ratio !== ratio) continue
    // Of the last one only the first half is posted.
    const counts = Array.from({ length: BEFORE + MEASURED.most + 1 }, (_, generation) =>
      generation < BEFORE ? HISTORY : posts,
    )
    const generations = drawPosts(authorsOf(graph), counts)
    await withStore(async (store) => {
      await storePosts(store.posts, generations)
      for (const deepShare of DEEP_SHARES) {
        if (values.share !== undefined && Number(values.share) !== deepShare) continue
        const cost = await compare(graph, { posts, views, deepShare }, { generations, store })
        points.push({ ratio, deepShare, ...cost.us })
        console.log(`| ${ratio} | ${deepShare * 100} % | ${cost.text} |`)
      }
    })
  }
  if (values.svg !== undefined) {
    const path = join(values.svg, `delivery-cost-${values.graph}.svg`)
    await writeFile(path, costCurves(graph.what, points))
    console.log(`\ndrawn: ${path}`)
  }
}

async function compare(graph: Graph, load: Load, posted: Posted) {
  const anyway = await measure(graph, load, posted, 'window')
  const delivered = await measure(graph, load, posted, 'delivered')
  const pulled = await measure(graph, load, posted, 'pulled')
  const byCost = await measure(graph, load, posted, 'by-cost')
  const ways = [delivered, pulled, byCost].map((way) => ({
    ...way,
    cpuUs: Math.max(0, way.cpuUs - anyway.cpuUs),
  }))
  const [deliveredUs = 0, pulledUs = 0, byCostUs = 0] = ways.map(
    ({ cpuUs, bytes }) => cpuUs + bytes * DELIVERY_POLICY.byteUs,
  )
  const of = (byCostUs / Math.max(1, Math.min(deliveredUs, pulledUs))).toFixed(2)
  const decided = `${(byCost.decideUs / 1_000).toFixed(0)} ms | ${byCost.leftOut} pairs, ${byCost.pulled} authors`
  return {
    us: { delivered: deliveredUs, pulled: pulledUs, byCost: byCostUs },
    text: `${[anyway, ...ways].map(told).join(' | ')} | ${of}x | ${decided}`,
  }
}

function told({ cpuUs, bytes }: Measured): string {
  return `${(cpuUs / 1_000).toFixed(0)} ms, ${(bytes / 1_000).toFixed(0)} kB`
}

async function withStore<T>(use: (store: EmbeddedCellStore) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'cellfeed-bench-'))
  const store = await EmbeddedCellStore.open({ path: folder, fsync: 'never' })
  try {
    return await use(store)
  } finally {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** A cell that has known nothing but a week's rates; what things cost it learns while inboxes are filled. */
function measure(graph: Graph, load: Load, posted: Posted, way: Way): Promise<Measured> {
  return withStore(async (own) => {
    const mode = way === 'window' ? 'delivered' : way
    const policy: DeliveryPolicy = { ...DELIVERY_POLICY, mode, dwellMs: 0 }
    const limits = { policy, windowPostsKept: 0, generationMs: HOUR_MS, bodyMemoryBytes: 2 ** 26 }
    const { inbox, readers, followers, authors, names, window, checkpoints } = own
    const store = { inbox, readers, followers, authors, names, window, checkpoints }
    const both: CellStore = { ...store, posts: posted.store.posts }
    const cell = await benchCell({ users: graph.users, limits, store: both })
    for (let number = 1; number <= graph.users; number++) {
      const followed = graph.followedBy(number)
      if (followed.length > 0) addReader(cell, number, followed)
    }
    const reader = deepReadersOf(graph, load)
    noteWeek(cell, load, { author: authorsOf(graph), reader })
    const bytesSoFar = async (): Promise<number> => (await own.inbox.size()).bytes
    const { generations } = posted
    return runOn(cell, { load, reader, isWritten: way !== 'window', generations, bytesSoFar })
  })
}

async function runOn(
  cell: BenchCell,
  of: {
    readonly load: Load
    readonly reader: () => number
    readonly isWritten: boolean
    readonly generations: readonly DrawnPosts[]
    readonly bytesSoFar: () => Promise<number>
  },
): Promise<Measured> {
  const { policy, delivery } = cell.parts
  const reads = Math.round(of.load.views * of.load.deepShare)
  const cpuUs: number[] = []
  const decideUs: number[] = []
  const bytes: number[] = []
  const fromMs = performance.now()
  for (const [nth, posts] of of.generations.entries()) {
    const next = of.generations[nth + 1]
    if (next === undefined) break
    if (cpuUs.length >= MEASURED.least && performance.now() - fromMs >= MEASURED.ms) break
    insert(cell, posts, nth === 0 ? 0 : halfOf(posts))
    const before = usedUs()
    if (of.isWritten) await policy.decide()
    const decided = usedUs()
    const bytesBefore = await of.bytesSoFar()
    const writing = usedUs()
    if (of.isWritten) await delivery.write()
    const written = usedUs()
    const bytesAfter = await of.bytesSoFar()
    insert(cell, next, 0, halfOf(next))
    const reading = usedUs()
    await readDeep(cell, of.reader, { reads, below: lastOf(posts) })
    if (nth < BEFORE) continue
    cpuUs.push(written - writing + (usedUs() - reading))
    decideUs.push(decided - before)
    bytes.push(bytesAfter - bytesBefore)
  }
  return {
    cpuUs: Math.min(...cpuUs),
    bytes: median(bytes),
    decideUs: median(decideUs),
    leftOut: policy.status.pairsLeftOut,
    pulled: policy.status.authorsPulled,
  }
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[figures.length >> 1] ?? 0
}

function noteWeek(
  { state }: BenchCell,
  load: Load,
  { author, reader }: { readonly author: () => number; readonly reader: () => number },
): void {
  const nowMs = systemClock.nowMs()
  const { rates } = state
  // The rates count from then on.
  const spanS = Math.min(KNOWN_S, (nowMs - NEWEST_MS) / 1_000)
  const tauS = state.limits.policy.rateMs / 1_000
  const weighsS = (1 - Math.exp(-spanS / tauS)) * tauS
  const generations = weighsS / (HOUR_MS / 1_000)
  const posts = Math.round(load.posts * generations)
  for (let i = 0; i < posts; i++) rates.notePost(author(), nowMs)
  const reads = Math.round(load.views * load.deepShare * generations)
  for (let i = 0; i < reads; i++) rates.noteRead(reader(), 'inbox', nowMs)
}

function halfOf({ author }: DrawnPosts): number {
  return author.length >> 1
}

/** The place of the newest one. */
function lastOf({ hi, lo }: DrawnPosts): Place {
  const last = hi.length - 1
  return { postId: postIdOf(hi[last] as number, lo[last] as number), author: '' as UserKey }
}

/** Their own rows are durable. */
function insert(
  { state, parts }: BenchCell,
  { author, hi, lo }: DrawnPosts,
  from: number,
  to = author.length,
): void {
  for (let i = from; i < to; i++) {
    const by = author[i] as number
    state.authors.noteId(by, hi[i] as number, lo[i] as number)
    state.window.insert(by, hi[i] as number, lo[i] as number, false)
  }
  parts.book.startAt(state.window.head)
}

async function readDeep(
  { state, parts }: BenchCell,
  drawReader: () => number,
  { reads, below }: { readonly reads: number; readonly below: Place },
): Promise<void> {
  const from = { direction: 'older', place: below } as const
  const query = { limit: PAGE, from, countUnreadTo: undefined }
  for (let i = 0; i < reads; i++) {
    const number = drawReader()
    const reader = state.readers.get(number)
    const slot = reader === undefined ? undefined : state.slots.get(reader.slot)
    if (reader === undefined || slot === undefined) throw new Error(`reader ${number} is not here`)
    await parts.dashboards.page({ number, reader }, slot, query)
  }
}

/** Of all threads: the store writes in one of its own. */
function usedUs(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
