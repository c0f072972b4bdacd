// Writing a generation: building its index in steps, then gather, sort and encode for each reader. Beside it, in the same run,
// the obvious way: objects sorted by a comparator, and the difference of 64-bit ids and the author as plain varints.
//
//     node --import tsx test/bench/generation.ts

import { ChunkEncoder } from '../../cells/model/chunk-encoder.ts'
import { GatheredPosts, type GenerationIndex } from '../../cells/model/generation.ts'
import { GenerationBuilder } from '../../cells/model/generation-builder.ts'
import type { BenchRow } from './bench-row.ts'
import { threadCpuMs } from './cpu-time.ts'
import { type Draw, different, drawFrom, uniform, zipf } from './draw.ts'
import { isStarted, millions, printTable, quantile } from './print.ts'

const AUTHORS = 1_000_000
const FOLLOWS = 200
const SPAN_MS = 6 * 3_600_000
const OLDEST_MS = 820_000_000_000
const WORKERS = 8
const STEP_BUDGET = 20_000
const ROUNDS = 7
const PEER_READERS = 1_000

type Workload = {
  readonly name: string
  readonly posts: number
  readonly readers: number
  readonly drawAuthor: (draw: Draw, count: number) => number
}
const WORKLOADS: readonly Workload[] = [
  { name: '500 k posts, uniform', posts: 500_000, readers: 4_000, drawAuthor: uniform },
  { name: '500 k posts, Zipf', posts: 500_000, readers: 4_000, drawAuthor: zipf },
  { name: '2 M posts, uniform', posts: 2_000_000, readers: 1_500, drawAuthor: uniform },
]

export async function bench(): Promise<BenchRow[]> {
  return WORKLOADS.flatMap(measure)
}

type Posts = { hi: Uint32Array; lo: Uint32Array; authorReblog: Uint32Array }

function measure({ name, posts: count, readers, drawAuthor }: Workload): BenchRow[] {
  const draw = drawFrom(count)
  const posts = drawPosts(draw, count, drawAuthor)
  const built = build(posts, count)
  const follows = Array.from({ length: readers }, () => different(draw, FOLLOWS, AUTHORS))
  const ours = pipeline(built.index, follows)
  const peer = naive(posts, count, follows.slice(0, PEER_READERS))
  const atReader = `${name}, ${Math.round(ours.entries / readers)} entries a reader`
  const only = { goal: '', peer: '' }
  return [
    { what: `build the index: ${name}`, figure: built.figure, goal: 'steps < 1 ms', peer: '' },
    { what: `gather: ${atReader}`, figure: millions(ours.entries, ours.collectMs), ...only },
    {
      what: `sort: ${atReader}`,
      figure: millions(ours.entries, ours.gatherMs - ours.collectMs),
      goal: '',
      peer: `objects, comparator: ${millions(peer.entries, peer.sortMs)}`,
    },
    { what: `encode: ${atReader}`, figure: millions(ours.entries, ours.encodeMs), ...only },
    {
      what: `gather, sort, encode: ${atReader}`,
      figure: millions(ours.entries, ours.allMs),
      goal: '>= 12 M/s',
      peer: `objects, plain varints: ${millions(peer.entries, peer.allMs)}`,
    },
    {
      what: `bytes an entry: ${atReader}`,
      figure: (ours.bytes / ours.entries).toFixed(2),
      goal: '<= 7.5 at 100 entries',
      peer: `plain 64-bit varints: ${(peer.bytes / peer.entries).toFixed(2)}`,
    },
  ]
}

/** Posts about as they are applied: ids rise, but those of different workers overtake each other. */
function drawPosts(draw: Draw, count: number, drawAuthor: Workload['drawAuthor']): Posts {
  const posts = {
    hi: new Uint32Array(count),
    lo: new Uint32Array(count),
    authorReblog: new Uint32Array(count),
  }
  for (let i = 0; i < count; i++) {
    const ms = OLDEST_MS + Math.floor((i * SPAN_MS) / count + draw() * 300)
    posts.hi[i] = Math.floor(ms / 1024)
    posts.lo[i] = ((ms % 1024) << 22) | (Math.floor(draw() * WORKERS) << 12)
    posts.authorReblog[i] = drawAuthor(draw, AUTHORS) * 2 + (draw() < 0.3 ? 1 : 0)
  }
  return posts
}

/** Steps are timed on the wall: the account of time on a core moves by milliseconds. */
function build(posts: Posts, count: number): { index: GenerationIndex; figure: string } {
  const builder = new GenerationBuilder({
    posts,
    count,
    tieBreak: (a, b) => a - b,
    pulled: new Uint8Array(0),
  })
  const steps: number[] = []
  let isBuilt = false
  while (!isBuilt) {
    const began = performance.now()
    isBuilt = builder.step(STEP_BUDGET)
    steps.push(performance.now() - began)
  }
  const sorted = Float64Array.from(steps).sort()
  const total = sorted.reduce((sum, ms) => sum + ms, 0)
  const [p50, p99] = [quantile(sorted, 0.5), quantile(sorted, 0.99)].map((ms) => ms.toFixed(2))
  return {
    index: builder.index,
    figure: `${total.toFixed(0)} ms; step p50 ${p50}, p99 ${p99} ms`,
  }
}

function pipeline(index: GenerationIndex, follows: readonly Uint32Array[]) {
  const gathered = new GatheredPosts()
  const encoder = new ChunkEncoder()
  let entries = 0
  let bytes = 0
  const collectMs = fastest(() => {
    for (const authors of follows) index.collect(authors, authors.length, gathered)
  })
  const gatherMs = fastest(() => {
    for (const authors of follows) index.gather(authors, authors.length, gathered)
  })
  const allMs = fastest(() => {
    entries = 0
    bytes = 0
    for (const authors of follows) {
      entries += index.gather(authors, authors.length, gathered)
      bytes += index.encodeChunk(gathered, encoder).length
    }
  })
  return { entries, bytes, collectMs, gatherMs, encodeMs: allMs - gatherMs, allMs }
}

function fastest(work: () => void): number {
  let fastestMs = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    const began = threadCpuMs()
    work()
    fastestMs = Math.min(fastestMs, threadCpuMs() - began)
  }
  return fastestMs
}

type PlainPost = { id: number; author: number; isReblog: boolean }

/** The peer's ids are numbers of milliseconds and worker: kinder to it than 64-bit ones. */
function naive(posts: Posts, count: number, follows: readonly Uint32Array[]) {
  const byAuthor = new Map<number, PlainPost[]>()
  for (let i = 0; i < count; i++) {
    const author = (posts.authorReblog[i] ?? 0) >>> 1
    const id = ((posts.hi[i] ?? 0) * 2 ** 32 + (posts.lo[i] ?? 0)) / 2 ** 12
    const post = { id, author, isReblog: (posts.authorReblog[i] ?? 0) % 2 === 1 }
    const chain = byAuthor.get(author)
    if (chain === undefined) byAuthor.set(author, [post])
    else chain.push(post)
  }
  const into = new Uint8Array(1 << 20)
  let entries = 0
  let bytes = 0
  let shares: PlainPost[][] = []
  const gatherMs = fastest(() => {
    shares = follows.map((authors) => gatherPlain(byAuthor, authors))
  })
  const sortMs = fastest(() => {
    for (const share of shares) share.slice().sort((a, b) => b.id - a.id || a.author - b.author)
  })
  for (const share of shares) share.sort((a, b) => b.id - a.id || a.author - b.author)
  const encodeMs = fastest(() => {
    entries = 0
    bytes = 0
    for (const share of shares) {
      entries += share.length
      bytes += into.slice(0, encodePlain(share, into)).length
    }
  })
  return { entries, bytes, sortMs, allMs: gatherMs + sortMs + encodeMs }
}

function gatherPlain(byAuthor: Map<number, PlainPost[]>, authors: Uint32Array): PlainPost[] {
  const share: PlainPost[] = []
  for (const author of authors) for (const post of byAuthor.get(author) ?? []) share.push(post)
  return share
}

function encodePlain(share: readonly PlainPost[], into: Uint8Array): number {
  let end = 0
  let above = share[0]?.id ?? 0
  for (const { id, author, isReblog } of share) {
    end = putVarint(into, end, (above - id) * 2 ** 12)
    end = putVarint(into, end, author * 2 + (isReblog ? 1 : 0))
    above = id
  }
  return end
}

function putVarint(into: Uint8Array, from: number, value: number): number {
  let end = from
  let left = value
  while (left >= 128) {
    into[end++] = (left % 128) | 128
    left = Math.floor(left / 128)
  }
  into[end++] = left
  return end
}

if (isStarted(import.meta.url)) printTable(await bench())
