// Who posts and who reads in the bench of delivery costs, and their posts: drawn once, and stored once for all ways to serve them.

import { ID_EPOCH_MS, postIdOf } from '../../cells/model/post-id.ts'
import type { PostRow, PostTable } from '../../cells/ports/post-table.ts'
import { NEWEST_MS, SHARED_BODY } from './bench-cell.ts'
import { type Draw, drawFrom } from './draw.ts'
import type { Graph } from './graphs.ts'

export const HOUR_MS = 3_600_000
const SIGMA = 1.5
const STORED_AT_ONCE = 2_000

/** Of one generation. */
export type Load = {
  readonly posts: number
  readonly views: number
  /** Of the views, how many go below the window. */
  readonly deepShare: number
}

export type DrawnPosts = {
  readonly author: Uint32Array
  readonly hi: Uint32Array
  readonly lo: Uint32Array
}

/** Draws authors, each in proportion to how much they post. */
export function authorsOf({ users }: Graph): () => number {
  const draw = drawFrom(17)
  const posting = Float64Array.from({ length: users + 1 }, () => lognormal(draw))
  posting[0] = 0
  return drawnBy(posting, draw)
}

/** Draws who reads far down, each in proportion to how much they do: some do very much more than others. */
export function deepReadersOf(graph: Graph, { deepShare }: Load): () => number {
  const draw = drawFrom(18)
  const reading = Float64Array.from({ length: graph.users + 1 }, (_, number) => {
    const views = lognormal(draw)
    // The mean of this power of a uniform number is the share of all.
    const deep = deepShare === 0 ? 0 : draw() ** ((1 - deepShare) / deepShare)
    return number === 0 || graph.followedBy(number).length === 0 ? 0 : views * deep
  })
  return drawnBy(reading, draw)
}

/** Posts of one generation after another, an hour each. */
export function drawPosts(author: () => number, counts: readonly number[]): DrawnPosts[] {
  return counts.map((count, generation) => {
    const firstMs = NEWEST_MS - ID_EPOCH_MS + generation * HOUR_MS
    const msOf = (i: number): number => firstMs + Math.floor((i / count) * HOUR_MS)
    return {
      author: Uint32Array.from({ length: count }, author),
      hi: Uint32Array.from({ length: count }, (_, i) => Math.floor(msOf(i) / 1024)),
      lo: Uint32Array.from({ length: count }, (_, i) => ((msOf(i) % 1024) << 22) | (i % 4096)),
    }
  })
}

export async function storePosts(
  table: Pick<PostTable, 'put'>,
  generations: readonly DrawnPosts[],
): Promise<void> {
  let offset = 0
  for (const { author, hi, lo } of generations) {
    for (let from = 0; from < author.length; from += STORED_AT_ONCE) {
      const count = Math.min(STORED_AT_ONCE, author.length - from)
      const rows = Array.from({ length: count }, (_, i): PostRow => {
        const at = from + i
        const postId = postIdOf(hi[at] as number, lo[at] as number)
        const version = offset++
        const body = SHARED_BODY
        return { author: author[at] as number, postId, version, createdOffset: version, body }
      })
      await table.put(rows)
    }
  }
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
