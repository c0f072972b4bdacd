// What it takes to decide whose posts are delivered: 100,000 readers who follow 200 of a million authors, each of whom has posted.
// Beside it the same pass over the edges alone, without what is decided from it.
//
//     node --import tsx test/bench/policy.ts

import { AuthorDemand } from '../../cells/model/author-demand.ts'
import { addReader, type BenchCell, benchCell, NEWEST_MS } from './bench-cell.ts'
import type { BenchRow } from './bench-row.ts'
import { threadCpuMs } from './cpu-time.ts'
import { different, drawFrom, uniform } from './draw.ts'
import { isStarted, printTable } from './print.ts'

const USERS = 1_000_000
const READERS = 100_000
const FOLLOWS = 200
const POSTS = 2_000_000
const SPAN_MS = 6 * 3_600_000
const ROUNDS = 3

export async function bench(): Promise<BenchRow[]> {
  const draw = drawFrom(11)
  const cell = await benchCell({ users: USERS })
  const { state, parts } = cell
  for (let number = 1; number <= READERS; number++) {
    addReader(cell, number, different(draw, FOLLOWS, USERS, number))
  }
  for (let post = 0; post < POSTS; post++) {
    state.rates.notePost(uniform(draw, USERS), NEWEST_MS - SPAN_MS + (SPAN_MS * post) / POSTS)
  }
  let bestMs = Number.POSITIVE_INFINITY
  let longestMs = 0
  for (let round = 0; round < ROUNDS; round++) {
    const longest = watchLoop()
    const startMs = threadCpuMs()
    await parts.policy.decide()
    bestMs = Math.min(bestMs, threadCpuMs() - startMs)
    longestMs = Math.max(longestMs, longest.stop())
  }
  const { costDeliverAllUs } = parts.policy.status
  return [
    {
      what: `decide the classes of ${USERS.toLocaleString('en-US')} authors by what ${READERS.toLocaleString('en-US')} readers x ${FOLLOWS} ask`,
      figure: `${bestMs.toFixed(0)} ms, ${((bestMs * 1e6) / (READERS * FOLLOWS)).toFixed(1)} ns an edge; loop held ${longestMs.toFixed(1)} ms at most`,
      goal: 'once a generation',
      peer: `the edges alone: ${edgesMs(cell).toFixed(0)} ms; delivering all it decides about: ${(costDeliverAllUs / 1_000).toFixed(1)} ms a second`,
    },
  ]
}

/** Tells how long at most nothing else had its turn. */
function watchLoop(): { stop(): number } {
  let lastMs = performance.now()
  let longestMs = 0
  let isOver = false
  const look = (): void => {
    const nowMs = performance.now()
    longestMs = Math.max(longestMs, nowMs - lastMs)
    lastMs = nowMs
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  return {
    stop: () => {
      isOver = true
      return longestMs
    },
  }
}

function edgesMs({ state }: BenchCell): number {
  const demand = new AuthorDemand()
  demand.clear(USERS + 1)
  const startMs = threadCpuMs()
  for (const { edges } of state.readers.values())
    demand.add(edges, 1e-5, { entryUs: 0.1, pullUs: 60, windowS: SPAN_MS / 1_000 })
  return threadCpuMs() - startMs
}

if (isStarted(import.meta.url)) printTable(await bench())
