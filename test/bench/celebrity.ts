// A post by an author whom a million readers of this cell follow: what applying it costs, and that it is on their dashboards when
// it is applied. Beside it a push to each of their lists.
//
//     node --max-old-space-size=8192 --import tsx test/bench/celebrity.ts

import type { PostId } from '../../cells/model/post-id.ts'
import { Log } from './apply.ts'
import { addReader, type BenchCell, benchCell } from './bench-cell.ts'
import type { BenchRow } from './bench-row.ts'
import { threadCpuMs } from './cpu-time.ts'
import { drawFrom, uniform } from './draw.ts'
import { isStarted, printTable } from './print.ts'

const FOLLOWERS = 1_000_000
const CELEBRITY = FOLLOWERS + 1
const POSTS = 2_000
const SAMPLE = 10_000
const PEER_POSTS = 3
const ROUNDS = 3

export async function bench(): Promise<BenchRow[]> {
  const cell = await benchCell({ users: CELEBRITY })
  for (let number = 1; number <= FOLLOWERS; number++) {
    addReader(cell, number, Uint32Array.of(CELEBRITY))
  }
  addReader(cell, CELEBRITY, new Uint32Array(0))
  const log = new Log(cell)
  const draw = drawFrom(6)
  const wallUs: number[] = []
  let bestUs = Number.POSITIVE_INFINITY
  let newest: PostId | undefined
  let checked = 0
  for (let round = 0; round < ROUNDS; round++) {
    const batches = Array.from({ length: POSTS }, () => log.batches(1, () => CELEBRITY)).flat()
    const startMs = threadCpuMs()
    for (const batch of batches) {
      const fromMs = performance.now()
      await cell.parts.applier.apply(batch)
      wallUs.push((performance.now() - fromMs) * 1_000)
      const fact = batch.records[0]?.event.fact
      newest = fact?.kind === 'post-created' ? fact.postId : undefined
    }
    bestUs = Math.min(bestUs, ((threadCpuMs() - startMs) * 1_000) / POSTS)
    for (let i = 0; i < SAMPLE; i++) {
      await expectOnTop(cell, uniform(draw, FOLLOWERS), newest)
      checked++
    }
  }
  wallUs.sort((a, b) => a - b)
  const p50 = (wallUs[Math.floor(wallUs.length / 2)] ?? 0).toFixed(1)
  const peer = `push to 1,000,000 lists: ${pushToAll()}`
  return [
    {
      what: 'apply a post by an author with 1,000,000 followers',
      figure: `mean ${bestUs.toFixed(1)} us, p50 ${p50}`,
      goal: '< 50 us',
      peer,
    },
    {
      what: 'on the dashboards of a random sample when applied',
      figure: `${checked} of ${ROUNDS * SAMPLE}`,
      goal: 'all',
      peer: '',
    },
  ]
}

async function expectOnTop(
  { state, parts }: BenchCell,
  number: number,
  postId: PostId | undefined,
): Promise<void> {
  const reader = state.readers.get(number)
  const slot = state.slots.get(reader?.slot ?? -1)
  if (reader === undefined || slot === undefined) throw new RangeError(`reader ${number}`)
  const query = { limit: 1, from: undefined, countUnreadTo: undefined }
  const { posts } = await parts.dashboards.page({ number, reader }, slot, query)
  if (posts[0]?.postId !== postId) throw new Error(`not on the dashboard of reader ${number}`)
}

/** Milliseconds a post for a push to every follower's list. */
function pushToAll(): string {
  const lists = Array.from({ length: FOLLOWERS }, (): number[] => [])
  const startMs = threadCpuMs()
  for (let post = 0; post < PEER_POSTS; post++) {
    for (const list of lists) list.push(post)
  }
  return `${((threadCpuMs() - startMs) / PEER_POSTS).toFixed(0)} ms`
}

if (isStarted(import.meta.url)) printTable(await bench())
