// Two ways to find the posts of a page in the window: by the chains of all who are followed, or by walking the window newest first
// and asking of each entry whether its author is followed. Whoever follows few is served by chains, whoever follows very many
// by the walk; which is cheaper for this page is estimated from what the merge has fetched anyway.
//
//     k = posts wanted          the k-th greatest of the followed authors' newest ids: a page of k ends there or above,
//     --o--o-o---o|-----------  so the walk is no longer than the entries from the top down to it
//
// Deeper down nothing bounds it but the window's end, and it is chosen only if even that is cheaper: a walk is done in one go.

import type { CostMeter } from './costs.ts'
import type { FollowedWords } from './merge-room.ts'
import { WINDOW_BLOCK } from './window-pages.ts'

export type MergeWay = 'chains' | 'walk'

/** A way is tried now and then up to so many times the other's cost. */
const TRIED_UP_TO = 4

/** What the estimate asks of the window. */
export type WalkedWindow = {
  readonly size: number
  /** At most so many entries are newer than those with the id, or have it. */
  entriesAbove(hi: number): number
}

/** What each way costs a page, in microseconds: of chains an estimate, of the walk the most. */
export type WayCosts = { readonly chainsUs: number; readonly walkUs: number }

/** Of a page of `wanted` posts below the id `startHi`, of authors of whom `followed` holds the first `count`. */
export function wayCosts(options: {
  readonly window: WalkedWindow
  readonly followed: FollowedWords
  readonly count: number
  readonly startHi: number
  readonly wanted: number
  readonly costs: Pick<CostMeter, 'get'>
}): WayCosts {
  const { window, followed, count, startHi, wanted, costs } = options
  const chainsUs = count * costs.get('chainUs')
  if (!mayWalk(window.size, count, costs)) return { chainsUs, walkUs: Number.POSITIVE_INFINITY }
  const above = window.entriesAbove(startHi)
  const isTop = above === 0
  const nearest = isTop ? window.entriesAbove(kthGreatest(followed.hi, count, wanted)) : 0
  const walked = isTop ? Math.max(WINDOW_BLOCK, nearest) : window.size - above + WINDOW_BLOCK
  return { chainsUs, walkUs: walked * costs.get('walkedUs') }
}

/** Whether so many chains cost more than the least that a walk takes. */
export function mayWalk(posts: number, follows: number, costs: Pick<CostMeter, 'get'>): boolean {
  return follows > chainsOfWalk(posts, costs)
}

/** So many chains cost as much as the least that a walk takes, of a window of so many posts. */
export function chainsOfWalk(posts: number, costs: Pick<CostMeter, 'get'>): number {
  return (Math.min(WINDOW_BLOCK, posts) * costs.get('walkedUs')) / costs.get('chainUs')
}

/** The cheaper one; or, to try what may be measured wrongly, the other one if it is not much dearer. */
export function wayOf({ chainsUs, walkUs }: WayCosts, tries: boolean): MergeWay {
  const isClose = Math.max(chainsUs, walkUs) < TRIED_UP_TO * Math.min(chainsUs, walkUs)
  return walkUs < chainsUs === !(tries && isClose) ? 'walk' : 'chains'
}

/** 0 when there are fewer. O(count) when they come in any order. */
export function kthGreatest(numbers: Uint32Array, count: number, k: number): number {
  if (count < k) return 0
  const greatest = numbers.slice(0, k).sort()
  for (let i = k; i < count; i++) {
    const number = numbers[i] as number
    if (number <= (greatest[0] as number)) continue
    let at = 0
    while (at + 1 < k && (greatest[at + 1] as number) < number) {
      greatest[at] = greatest[at + 1] as number
      at++
    }
    greatest[at] = number
  }
  return greatest[0] ?? 0
}
