// A page of 20 in the midst of a window of 10 M posts, beside the first page: of readers who follow 200 authors that post about
// as much as all do, and of readers who also follow some whose chains have thousands of posts.
//
//     node --import tsx test/bench/deep-page.ts

import { postIdOf } from '../../cells/model/post-id.ts'
import type { Reader } from '../../cells/model/reader.ts'
import type { Place } from '../../cells/ports/cell-client.ts'
import { addReader, type BenchCell, benchCell, fillWindow, holdBodies } from './bench-cell.ts'
import type { BenchRow } from './bench-row.ts'
import { threadCpuMs } from './cpu-time.ts'
import { type Draw, different, drawFrom, uniform } from './draw.ts'
import { isStarted, printTable } from './print.ts'

const USERS = 1_000_000
const POSTS = 10_000_000
const READERS = 5_000
const FOLLOWS = 200
/** Authors who write one post of ten, and how many of them some readers follow. */
const PROLIFIC = 200
const PROLIFIC_FOLLOWED = 10
const LIMIT = 20
const READS = 5_000
const ROUNDS = 2
const SPAN_MS = 6 * 3_600_000

export async function bench(): Promise<BenchRow[]> {
  const draw = drawFrom(7)
  const limits = { windowPostsMax: 2 * POSTS, bodyMemoryBytes: 2 ** 33 }
  const cell = await benchCell({ users: USERS, limits })
  const drawAuthor = (): number =>
    draw() < 0.1 ? 1 + Math.floor(draw() * PROLIFIC) : uniform(draw, USERS)
  fillWindow(cell, POSTS, drawAuthor, SPAN_MS)
  holdBodies(cell, POSTS)
  const plain = makeReaders(cell, draw, 0)
  const fond = makeReaders(cell, draw, PROLIFIC_FOLLOWED)
  const rows: BenchRow[] = []
  // Some first: what runs for the first time is not compiled yet.
  await readUs(cell, plain, draw, undefined)
  for (const [who, readers] of [
    ['200 follows', plain],
    [`200 follows, ${PROLIFIC_FOLLOWED} of them with 5,000 posts each`, fond],
  ] as const) {
    const top = await readUs(cell, readers, draw, undefined)
    const half = await readUs(cell, readers, draw, placeAt(cell, POSTS / 2))
    const end = await readUs(cell, readers, draw, placeAt(cell, POSTS / 10))
    rows.push({
      what: `page at half of a window of 10 M posts, ${who}`,
      figure: `mean ${half.toFixed(1)} us: ${(half / top).toFixed(1)}x; at nine tenths ${end.toFixed(1)}`,
      goal: '< 5x page 1',
      peer: `page 1: ${top.toFixed(1)} us`,
    })
  }
  return rows
}

function makeReaders(cell: BenchCell, draw: Draw, prolific: number): Reader[] {
  return Array.from({ length: READERS }, (_, i) => {
    const number = PROLIFIC + 1 + i + (prolific > 0 ? READERS : 0)
    const some = different(draw, FOLLOWS - prolific, USERS, number)
    const fond = Array.from({ length: prolific }, (_each, k) => 1 + ((i * 7 + k * 19) % PROLIFIC))
    return addReader(cell, number, Uint32Array.from(new Set([...some, ...fond])).sort())
  })
}

/** The place below the post that `seq` posts came before. */
function placeAt({ state, names }: BenchCell, seq: number): Place {
  const { window } = state
  const author = names.table.keyOf(window.authorAt(seq))
  if (author === undefined) throw new RangeError(`no author at ${seq}`)
  return { postId: postIdOf(window.hiAt(seq), window.loAt(seq)), author }
}

async function readUs(
  { state, parts }: BenchCell,
  readers: readonly Reader[],
  draw: Draw,
  place: Place | undefined,
): Promise<number> {
  const from = place === undefined ? undefined : { direction: 'older' as const, place }
  const query = { limit: LIMIT, from, countUnreadTo: undefined }
  let bestUs = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = threadCpuMs()
    for (let i = 0; i < READS; i++) {
      const reader = readers[Math.floor(draw() * readers.length)]
      const slot = state.slots.get(reader?.slot ?? -1)
      if (reader === undefined || slot === undefined) throw new RangeError('a reader is missing')
      const page = await parts.dashboards.page({ number: reader.number, reader }, slot, query)
      if (page.posts.length !== LIMIT) throw new Error(`a page of ${page.posts.length} posts`)
    }
    bestUs = Math.min(bestUs, ((threadCpuMs() - startMs) * 1_000) / READS)
  }
  return bestUs
}

if (isStarted(import.meta.url)) printTable(await bench())
