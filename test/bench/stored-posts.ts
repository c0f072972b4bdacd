// Posts that lie in the store, spread over a long time, and first pages of readers who follow their authors.

import { ID_EPOCH_MS, postIdOf } from '../../cells/model/post-id.ts'
import { type BenchCell, NEWEST_MS, SHARED_BODY } from './bench-cell.ts'
import { quantile } from './print.ts'

export const PAGE = 20
const SETTLE_EVERY = 50_000

/** Into the window, and durable, evenly up to NEWEST_MS. */
export async function postOver(
  { state, parts }: BenchCell,
  of: { readonly posts: number; readonly spanMs: number; readonly author: () => number },
): Promise<void> {
  const firstMs = NEWEST_MS - ID_EPOCH_MS - of.spanMs
  for (let i = 0; i < of.posts; i++) {
    const ms = firstMs + Math.floor((i / of.posts) * of.spanMs)
    const hi = Math.floor(ms / 1024)
    const lo = (((ms % 1024) << 22) | (i % 4096)) >>> 0
    const author = of.author()
    state.authors.noteId(author, hi, lo)
    const version = state.window.head
    state.window.insert(author, hi, lo, false)
    const postId = postIdOf(hi, lo)
    parts.book.append({ author, postId, version, createdOffset: version, body: SHARED_BODY })
    if (i % SETTLE_EVERY === 0) await parts.book.settle()
  }
  await parts.book.settle()
}

/** One page of each of the readers 1 .. `readers`, wherever they are: how long it took. */
export async function firstPages({ state, parts }: BenchCell, readers: number): Promise<string> {
  const query = { limit: PAGE, from: undefined, countUnreadTo: undefined }
  const slots = new Map<number, number>()
  for (const slot of state.slots.values()) {
    for (const number of slot.readers.keys()) slots.set(number, slot.slot)
    slot.away.compact()
    for (let i = 0; i < slot.away.size; i++) slots.set(slot.away.keys[i] as number, slot.slot)
  }
  const tookMs = new Float64Array(readers)
  for (let number = 1; number <= readers; number++) {
    const slot = state.slots.get(slots.get(number) ?? -1)
    if (slot === undefined) throw new Error(`reader ${number} is nowhere`)
    const fromMs = performance.now()
    const reader = await parts.away.bring(number, slot)
    if (reader === undefined) throw new Error(`reader ${number} is nobody`)
    const page = await parts.dashboards.page({ number, reader }, slot, query)
    tookMs[number - 1] = performance.now() - fromMs
    if (page.posts.length !== PAGE) throw new Error(`a page of ${page.posts.length} posts`)
  }
  tookMs.sort()
  const [p50, p99] = [quantile(tookMs, 0.5), quantile(tookMs, 0.99)]
  return `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`
}
