// Readers who have been away for long: their first page of 20 from 200 follows, with posts in the window and with posts only in the
// embedded store; and what one who stays away takes of memory. Beside it the same page for readers who never left.
//
//     node --import tsx test/bench/dormant.ts

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DELIVERY_POLICY } from '../../cells/model/delivery-policy.ts'
import { ID_EPOCH_MS, postIdOf } from '../../cells/model/post-id.ts'
import { Reader } from '../../cells/model/reader.ts'
import { EmbeddedCellStore } from '../../infra/embedded/cell-store.ts'
import { addReader, type BenchCell, benchCell, NEWEST_MS, SHARED_BODY } from './bench-cell.ts'
import type { BenchRow } from './bench-row.ts'
import { different, drawFrom, uniform } from './draw.ts'
import { isStarted, printTable, quantile } from './print.ts'

const AUTHORS = 100_000
const READERS = 3_000
const FOLLOWS = 200
const POSTS = 1_000_000
const LIMIT = 20
const SPAN_MS = 90 * 86_400_000
const AWAY = 1_000_000

export async function bench(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cellfeed-bench-'))
  const store = await EmbeddedCellStore.open({ path: folder, fsync: 'never' })
  try {
    const policy = { ...DELIVERY_POLICY, dormantMs: 0 }
    const limits = { policy, windowPostsKept: 0, windowPostsMax: 2 * POSTS }
    const cell = await benchCell({ users: AUTHORS, limits, store })
    void cell.parts.book.run()
    const draw = drawFrom(29)
    await post(cell, () => uniform(draw, AUTHORS))
    for (let number = 1; number <= READERS; number++) {
      const reader = addReader(cell, number, different(draw, FOLLOWS, AUTHORS, number))
      cell.state.noteChange(reader)
    }
    const here = await firstPages(cell)
    await leave(cell)
    const inWindow = await firstPages(cell)
    await leave(cell)
    await cell.parts.delivery.write()
    if (cell.state.window.size > 0) throw new Error('the window still holds posts')
    const inStore = await firstPages(cell)
    const again = await firstPages(cell)
    const what = `first page of ${LIMIT} after long, ${FOLLOWS} follows`
    return [
      {
        what: `${what}, posts in memory`,
        figure: inWindow,
        goal: 'p99 < 10 ms',
        peer: `of readers who never left: ${here}`,
      },
      {
        what: `${what}, posts only in the store`,
        figure: inStore,
        goal: 'p99 < 60 ms',
        peer: `the second page read: ${again}`,
      },
      memoryRow(cell),
    ]
  } finally {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Everybody is left out of inboxes, and out of memory. */
async function leave({ state, parts }: BenchCell): Promise<void> {
  await parts.policy.decide()
  await parts.away.sweep()
  if (state.readersAway !== READERS) throw new Error(`${state.readersAway} are away`)
}

async function post({ state, parts }: BenchCell, drawAuthor: () => number): Promise<void> {
  const firstMs = NEWEST_MS - ID_EPOCH_MS - SPAN_MS
  for (let i = 0; i < POSTS; i++) {
    const ms = firstMs + Math.floor((i / POSTS) * SPAN_MS)
    const hi = Math.floor(ms / 1024)
    const lo = (((ms % 1024) << 22) | (i % 4096)) >>> 0
    const author = drawAuthor()
    state.authors.noteId(author, hi, lo)
    const version = state.window.head
    state.window.insert(author, hi, lo, false)
    const postId = postIdOf(hi, lo)
    parts.book.append({ author, postId, version, createdOffset: version, body: SHARED_BODY })
    if (i % 50_000 === 0) await parts.book.settle()
  }
  await parts.book.settle()
}

async function firstPages({ state, parts }: BenchCell): Promise<string> {
  const query = { limit: LIMIT, from: undefined, countUnreadTo: undefined }
  const slots = new Map<number, number>()
  for (const slot of state.slots.values()) {
    for (const number of slot.readers.keys()) slots.set(number, slot.slot)
    slot.away.compact()
    for (let i = 0; i < slot.away.size; i++) slots.set(slot.away.keys[i] as number, slot.slot)
  }
  const tookMs = new Float64Array(READERS)
  for (let number = 1; number <= READERS; number++) {
    const slot = state.slots.get(slots.get(number) ?? -1)
    if (slot === undefined) throw new Error(`reader ${number} is nowhere`)
    const fromMs = performance.now()
    const reader = await parts.away.bring(number, slot)
    if (reader === undefined) throw new Error(`reader ${number} is nobody`)
    const page = await parts.dashboards.page({ number, reader }, slot, query)
    tookMs[number - 1] = performance.now() - fromMs
    if (page.posts.length !== LIMIT) throw new Error(`a page of ${page.posts.length} posts`)
  }
  tookMs.sort()
  const [p50, p99] = [quantile(tookMs, 0.5), quantile(tookMs, 0.99)]
  return `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`
}

/** What is left of a reader who is away, but for the name, which every user has. */
function memoryRow({ state }: BenchCell): BenchRow {
  const slots = [...state.slots.values()]
  const before = used()
  for (let number = AUTHORS + 1; number <= AUTHORS + AWAY; number++) {
    const slot = slots[number % slots.length]
    if (slot !== undefined) state.letGo(new Reader({ number, slot: slot.slot }), slot)
    state.rates.noteSeen(number, NEWEST_MS)
  }
  const bytes = (used() - before) / AWAY
  return {
    what: 'memory of a reader who is away, and when they were seen',
    figure: `${bytes.toFixed(1)} bytes`,
    goal: '< 24 bytes',
    peer: `of one who is here, ${FOLLOWS} follows: ${Math.round(state.readersBytes / state.readers.size)} bytes`,
  }
}

function used(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

if (isStarted(import.meta.url)) printTable(await bench())
