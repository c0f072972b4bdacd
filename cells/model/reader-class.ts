// How a reader is served, whoever they follow. What each author's posts cost them is decided beside it (edge-classes.ts).
//
//     watcher   told of every post when it is applied, and never dormant, for as long as somebody watches
//     dormant   not seen for long: no inbox gets anything of theirs, and they leave memory
//     heavy     follows so many that pages may walk the window instead of merging chains (merge-way.ts)
//     regular   all others
//
// The first that is true counts. None of it goes to and fro: who is seen is not dormant for as long as it takes to become so again,
// and from how many follows on a reader is heavy changes only when costs have changed by a factor, and not again for a while.

import type { CostMeter } from './costs.ts'
import type { DeliveryPolicy } from './delivery-policy.ts'
import { chainsOfWalk } from './merge-way.ts'

export type ReaderClass = 'watcher' | 'dormant' | 'heavy' | 'regular'

export type ReaderFacts = {
  readonly isWatching: boolean
  /** Since they were last known to be about. */
  readonly unseenMs: number
  readonly follows: number
}
/** Who follows more is heavy; as of when. */
export type HeavyBound = { readonly follows: number; readonly sinceMs: number }

export function readerClassOf(
  { isWatching, unseenMs, follows }: ReaderFacts,
  { dormantMs, heavy }: { readonly dormantMs: number; readonly heavy: HeavyBound },
): ReaderClass {
  if (isWatching) return 'watcher'
  if (unseenMs >= dormantMs) return 'dormant'
  return follows > heavy.follows ? 'heavy' : 'regular'
}

/** By what a full window costs now; what it `was` stays unless it is wrong by a factor, and for its time. */
export function heavyBound(
  was: HeavyBound | undefined,
  costs: Pick<CostMeter, 'get'>,
  { hysteresis, dwellMs }: Pick<DeliveryPolicy, 'hysteresis' | 'dwellMs'>,
  nowMs: number,
): HeavyBound {
  const follows = chainsOfWalk(Number.POSITIVE_INFINITY, costs)
  if (was === undefined) return { follows, sinceMs: nowMs }
  if (nowMs - was.sinceMs < dwellMs) return was
  const isAbout = follows <= was.follows * hysteresis && follows * hysteresis >= was.follows
  return isAbout ? was : { follows, sinceMs: nowMs }
}
