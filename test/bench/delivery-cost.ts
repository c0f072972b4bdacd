// What deliveries and pulls cost together, by how often people read and how far down: everything delivered, everything pulled, and as the
// policy decides. Generations are posted, decided about and written, on the embedded store; then readers read below the window. Counted
// are the processor's time of writing inboxes and of those pages, beyond what the same pages take when all posts are in the window (as
// nobody delivers or pulls those), and the bytes written into inboxes.
//
//     node --import tsx test/bench/delivery-cost.ts [--graph real|zipf] [--ratio 1:1] [--share 0.1] [--svg folder]
//
// People differ: who posts how much and who reads how often are drawn from lognormals, and some read far down much more than others. The
// cell knows a week of it, as it would, and has posts of before: pages are full. What the two other ways measured is what the third one
// begins with.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type CostName, COSTS_EXPECTED } from '../../cells/model/costs.ts'
import { DELIVERY_POLICY, type DeliveryPolicy } from '../../cells/model/delivery-policy.ts'
import { ID_EPOCH_MS, postIdOf } from '../../cells/model/post-id.ts'
import { EmbeddedCellStore } from '../../infra/embedded/cell-store.ts'
import { systemClock } from '../../infra/system/clock.ts'
import { addReader, type BenchCell, benchCell, NEWEST_MS, SHARED_BODY } from './bench-cell.ts'
import { costCurves, type CostPoint } from './cost-curves.ts'
import { drawFrom, type Draw } from './draw.ts'
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
const HOUR_MS = 3_600_000
/** Generations that only fill inboxes, and those that are measured: as many as take so much of the processor. The median counts. */
const BEFORE = 3
const MEASURED = { least: 3, most: 9, us: 4e6 } as const
/** Posts of each generation before. */
const HISTORY = 100_000
const PAGE = 20
const SIGMA = 1.5
/** A week is taken as known. */
const KNOWN_S = 7 * 86_400
/** Posts and views of one generation. */
const RATIOS = [
  { ratio: '100:1', posts: 1_000, views: 100_000 },
  { ratio: '10:1', posts: 10_000, views: 100_000 },
  { ratio: '1:1', posts: 50_000, views: 50_000 },
  { ratio: '1:10', posts: 100_000, views: 10_000 },
  { ratio: '1:100', posts: 200_000, views: 2_000 },
] as const
const DEEP_SHARES = [0, 0.02, 0.1, 0.5] as const
/** `window`: nothing is written, all pages are made of what memory holds. */
type Way = DeliveryPolicy['mode'] | 'window'
type Load = {
  readonly posts: number
  readonly views: number
  readonly deepShare: number
}
type Measured = {
  readonly cpuUs: number
  readonly bytes: number
  readonly decideUs: number
  readonly leftOut: number
  readonly pulled: number
  readonly costs: ReadonlyMap<CostName, number>
}

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
    for (const deepShare of DEEP_SHARES) {
      if (values.share !== undefined && Number(values.share) !== deepShare) continue
      const load = { posts, views, deepShare }
      const anyway = await measure(graph, load, 'window', new Map())
      const delivered = await measure(graph, load, 'delivered', new Map())
      const pulled = await measure(graph, load, 'pulled', new Map())
      const known = new Map<CostName, number>()
      for (const name of ['entryUs', 'entryBytes', 'chunkUs'] as const) {
        known.set(name, delivered.costs.get(name) ?? COSTS_EXPECTED[name])
      }
      known.set('pullUs', pulled.costs.get('pullUs') ?? COSTS_EXPECTED.pullUs)
      const byCost = await measure(graph, load, 'by-cost', known)
      const ways = [delivered, pulled, byCost].map((way) => beyond(way, anyway))
      const cost = ways.map(({ cpuUs, bytes }) => cpuUs + bytes * DELIVERY_POLICY.byteUs) as [
        number,
        number,
        number,
      ]
      const better = Math.min(cost[0], cost[1])
      const of = better === 0 ? (cost[2] === 0 ? 1 : Number.POSITIVE_INFINITY) : cost[2] / better
      points.push({ ratio, deepShare, delivered: cost[0], pulled: cost[1], byCost: cost[2] })
      console.log(
        `| ${ratio} | ${deepShare * 100} % | ${told(anyway)} | ${ways.map(told).join(' | ')} | ${of.toFixed(2)}x | ` +
          `${(byCost.decideUs / 1_000).toFixed(0)} ms | ${byCost.leftOut} pairs, ${byCost.pulled} authors |`,
      )
    }
  }
  if (values.svg !== undefined) {
    const path = join(values.svg, `delivery-cost-${values.graph}.svg`)
    await writeFile(path, costCurves(graph.what, points))
    console.log(`\ndrawn: ${path}`)
  }
}

function beyond(way: Measured, anyway: Measured): Measured {
  return { ...way, cpuUs: Math.max(0, way.cpuUs - anyway.cpuUs) }
}

function told({ cpuUs, bytes }: Measured): string {
  return `${(cpuUs / 1_000).toFixed(0)} ms, ${(bytes / 1_000).toFixed(0)} kB`
}

async function measure(
  graph: Graph,
  load: Load,
  way: Way,
  known: ReadonlyMap<CostName, number>,
): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'cellfeed-bench-'))
  const store = await EmbeddedCellStore.open({ path: folder, fsync: 'never' })
  try {
    const mode = way === 'window' ? 'delivered' : way
    const policy: DeliveryPolicy = { ...DELIVERY_POLICY, mode, dwellMs: 0 }
    const limits = { policy, windowPostsKept: 0, generationMs: HOUR_MS, bodyMemoryBytes: 2 ** 26 }
    const cell = await benchCell({ users: graph.users, limits, store })
    for (const [name, value] of known) cell.state.costs.note(name, 1e12, value * 1e12)
    return await runOn(cell, store, graph, { load, isWritten: way !== 'window' })
  } finally {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function runOn(
  cell: BenchCell,
  store: EmbeddedCellStore,
  graph: Graph,
  { load, isWritten }: { readonly load: Load; readonly isWritten: boolean },
): Promise<Measured> {
  const draw = drawFrom(17)
  const { state, parts } = cell
  for (let number = 1; number <= graph.users; number++) {
    const authors = graph.followedBy(number)
    if (authors.length > 0) addReader(cell, number, authors)
  }
  void parts.book.run()
  const people = peopleOf(graph, draw, load)
  noteWeek(cell, people, load)
  const cpuUs: number[] = []
  const decideUs: number[] = []
  const bytes: number[] = []
  const isEnough = (): boolean =>
    cpuUs.length >= MEASURED.least && sumOf(cpuUs) + sumOf(decideUs) >= MEASURED.us
  for (let generation = 0; !isEnough() && cpuUs.length < MEASURED.most; generation++) {
    const isMeasured = generation >= BEFORE
    await post(cell, people, isMeasured ? load.posts : HISTORY, generation)
    const before = usedUs()
    if (isWritten) await parts.policy.decide()
    const decided = usedUs()
    const bytesBefore = (await store.inbox.size()).bytes
    const writing = usedUs()
    if (isWritten) await parts.delivery.write()
    const written = usedUs()
    const bytesAfter = (await store.inbox.size()).bytes
    if (!isMeasured) continue
    const reading = usedUs()
    await readDeep(cell, people, Math.round(load.views * load.deepShare))
    cpuUs.push(written - writing + (usedUs() - reading))
    decideUs.push(decided - before)
    bytes.push(bytesAfter - bytesBefore)
  }
  const costs = state.costs.all
  const { status } = parts.policy
  return {
    cpuUs: median(cpuUs),
    bytes: median(bytes),
    decideUs: median(decideUs),
    leftOut: status.pairsLeftOut,
    pulled: status.authorsPulled,
    costs: new Map(Object.entries(costs) as [CostName, number][]),
  }
}

function sumOf(figures: readonly number[]): number {
  return figures.reduce((sum, figure) => sum + figure, 0)
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[figures.length >> 1] ?? 0
}

type People = {
  readonly author: () => number
  readonly deepReader: () => number
}

/** Who posts, and who reads far down, each in proportion to how much they do. */
function peopleOf(graph: Graph, draw: Draw, { deepShare }: Load): People {
  const posting = new Float64Array(graph.users + 1)
  const reading = new Float64Array(graph.users + 1)
  for (let number = 1; number <= graph.users; number++) {
    posting[number] = lognormal(draw)
    const views = lognormal(draw)
    // The mean of this power of a uniform number is the share of all.
    const deep = deepShare === 0 ? 0 : draw() ** ((1 - deepShare) / deepShare)
    reading[number] = graph.followedBy(number).length === 0 ? 0 : views * deep
  }
  return { author: drawnBy(posting, draw), deepReader: drawnBy(reading, draw) }
}

function lognormal(draw: Draw): number {
  const normal = Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw())
  return Math.exp(SIGMA * normal)
}

function drawnBy(weights: Float64Array, draw: Draw): () => number {
  const sums = new Float64Array(weights.length)
  let sum = 0
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i] as number
    sums[i] = sum
  }
  return () => {
    const at = draw() * sum
    let [low, high] = [0, sums.length - 1]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((sums[middle] as number) > at) high = middle
      else low = middle + 1
    }
    return low
  }
}

function noteWeek({ state }: BenchCell, people: People, load: Load): void {
  const nowMs = systemClock.nowMs()
  const { rates } = state
  // The rates count from then on.
  const spanS = Math.min(KNOWN_S, (nowMs - NEWEST_MS) / 1_000)
  const tauS = state.limits.policy.rateMs / 1_000
  const weighsS = (1 - Math.exp(-spanS / tauS)) * tauS
  const generations = weighsS / (HOUR_MS / 1_000)
  const posts = Math.round(load.posts * generations)
  for (let i = 0; i < posts; i++) rates.notePost(people.author(), nowMs)
  const reads = Math.round(load.views * load.deepShare * generations)
  for (let i = 0; i < reads; i++) rates.noteRead(people.deepReader(), 'inbox', nowMs)
}

async function post(
  { state, parts }: BenchCell,
  people: People,
  posts: number,
  generation: number,
): Promise<void> {
  const firstMs = NEWEST_MS - ID_EPOCH_MS + generation * HOUR_MS
  for (let i = 0; i < posts; i++) {
    const ms = firstMs + Math.floor((i / posts) * HOUR_MS)
    const hi = Math.floor(ms / 1024)
    const lo = (((ms % 1024) << 22) | (i % 4096)) >>> 0
    const author = people.author()
    state.authors.noteId(author, hi, lo)
    const version = state.window.head
    state.window.insert(author, hi, lo, false)
    const postId = postIdOf(hi, lo)
    parts.book.append({ author, postId, version, createdOffset: version, body: SHARED_BODY })
  }
  await parts.book.settle()
}

async function readDeep({ state, parts }: BenchCell, people: People, reads: number): Promise<void> {
  const query = { limit: PAGE, from: undefined, countUnreadTo: undefined }
  for (let i = 0; i < reads; i++) {
    const number = people.deepReader()
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
