// The first page of 20 for a random reader who follows 200 authors, from a window of 10 M posts of 1 M authors, bodies in memory:
// DashboardReader.page, everything that a cell does for a read but the call around it. Beside it the merge that the obvious
// design needs not do: a ready list of post ids for each reader, hydrated from a map.
//
//     node --import tsx test/bench/page.ts

import { NumberMap } from '../../cells/model/number-map.ts'
import { type PostId, postIdOf } from '../../cells/model/post-id.ts'
import type { Reader } from '../../cells/model/reader.ts'
import type { PostBody } from '../../cells/ports/post-table.ts'
import {
  addReader,
  type BenchCell,
  benchCell,
  fillWindow,
  holdBodies,
  SHARED_BODY,
} from './bench-cell.ts'
import type { BenchRow } from './bench-row.ts'
import { threadCpuMs } from './cpu-time.ts'
import { type Draw, different, drawFrom, uniform } from './draw.ts'
import { isStarted, printTable, quantile } from './print.ts'

const USERS = 1_000_000
const POSTS = 10_000_000
/** Newest posts whose bodies are held: every first page's are among them. */
const HELD = 1_000_000
const READERS = 20_000
/** So few that all they need stays in the processor's cache: what is left is work, not waiting for memory. */
const FEW = 20
const FOLLOWS = 200
const LIMIT = 20
const READS = 100_000
const ROUNDS = 3
const SPAN_MS = 6 * 3_600_000
/** Coverage that starts within the window: every author may have older posts in the store. */
const COVERED_FROM = 1

export async function bench(): Promise<BenchRow[]> {
  const draw = drawFrom(3)
  const limits = { windowPostsMax: 2 * POSTS, bodyMemoryBytes: 2 ** 31 }
  const cell = await benchCell({ users: USERS, limits })
  fillWindow(cell, POSTS, () => uniform(draw, USERS), SPAN_MS)
  holdBodies(cell, HELD)
  const readers = Array.from({ length: READERS }, (_, i) =>
    addReader(cell, i + 1, different(draw, FOLLOWS, USERS, i + 1)),
  )
  const whole = await read(cell, readers, draw)
  const peer = readLists(cell, readers, draw)
  const again = await read(cell, readers.slice(0, FEW), draw)
  cell.state.window.noteDropped(0x1000_0000, 0)
  for (const reader of readers) coverFrom(reader, COVERED_FROM)
  const partial = await read(cell, readers, draw)
  const goal = 'mean <= 30 us'
  const beside = `ready list per reader: ${peer}`
  const what = 'first page of 20, 200 follows, window of 10 M posts'
  return [
    { what, figure: whole, goal, peer: beside },
    { what: `${what}, older posts in the store`, figure: partial, goal, peer: beside },
    { what: `the same for ${FEW} readers over and over`, figure: again, goal: '', peer: '' },
  ]
}

/** The mean by CPU time, other figures by the wall; the best of the rounds. */
async function read(cell: BenchCell, readers: readonly Reader[], draw: Draw): Promise<string> {
  const { state, parts } = cell
  const slots = readers.map((reader) => {
    const slot = state.slots.get(reader.slot)
    if (slot === undefined) throw new Error(`slot ${reader.slot} is not here`)
    return slot
  })
  const query = { limit: LIMIT, from: undefined, countUnreadTo: undefined }
  const tookUs = new Float64Array(READS)
  let best = { meanUs: Number.POSITIVE_INFINITY, figure: '' }
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = threadCpuMs()
    for (let i = 0; i < READS; i++) {
      const at = Math.floor(draw() * readers.length)
      const reader = readers[at]
      const slot = slots[at]
      if (reader === undefined || slot === undefined) throw new RangeError(`reader ${at}`)
      const fromMs = performance.now()
      const page = await parts.dashboards.page({ number: reader.number, reader }, slot, query)
      tookUs[i] = (performance.now() - fromMs) * 1_000
      if (page.posts.length !== LIMIT) throw new Error(`a page of ${page.posts.length} posts`)
    }
    const meanUs = ((threadCpuMs() - startMs) * 1_000) / READS
    tookUs.sort()
    const [p50, p99] = [quantile(tookUs, 0.5), quantile(tookUs, 0.99)]
    const figure = `mean ${meanUs.toFixed(1)} us, p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}`
    if (meanUs < best.meanUs) best = { meanUs, figure }
  }
  return best.figure
}

function coverFrom(reader: Reader, second: number): void {
  const { keys, size } = reader.edges
  const edges = new NumberMap(keys.slice(0, size), new Uint32Array(size).fill(second))
  Object.assign(reader, { edges })
}

/** The peer: for each reader a list of post ids made beforehand; a page is its end, hydrated from a map by id. */
function readLists({ state }: BenchCell, readers: readonly Reader[], draw: Draw): string {
  const bodies = new Map<PostId, PostBody>()
  const { window } = state
  const lists = readers.map((reader) => {
    const entries: number[] = []
    for (const author of reader.edges.keys) {
      for (let e = window.newest(author); e >= 0; e = window.older(e)) entries.push(e)
    }
    const newest = entries.sort((a, b) => a - b).slice(-100)
    return newest.map((entry) => {
      const id = postIdOf(window.hiAt(entry), window.loAt(entry))
      bodies.set(id, SHARED_BODY)
      return id
    })
  })
  let bestUs = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = threadCpuMs()
    let found = 0
    for (let i = 0; i < READS; i++) {
      const list = lists[Math.floor(draw() * READERS)] ?? []
      const page = list.slice(-LIMIT).map((postId) => ({ postId, body: bodies.get(postId) }))
      found += page.length
    }
    if (found !== READS * LIMIT) throw new Error('a page was short')
    bestUs = Math.min(bestUs, ((threadCpuMs() - startMs) * 1_000) / READS)
  }
  return `mean ${bestUs.toFixed(1)} us`
}

if (isStarted(import.meta.url)) printTable(await bench())
