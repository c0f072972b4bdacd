// One who reads slowly: a few posts, a pause, the next page by the token of the last; so that a walk begins before a cutover and
// ends after it. A page that is not answered is asked for again by the same token, as a client would. The session stays the same
// throughout, and is held against what it saw.

import { setTimeout as wait } from 'node:timers/promises'
import type { Cellfeed } from '../../../services/client/connect.ts'
import { checkWalk } from '../../chaos/check/check-walk.ts'
import { SessionMemory } from '../../chaos/check/session-memory.ts'
import { insist } from '../../chaos/load/insist.ts'
import type { Load } from '../../chaos/load/load.ts'
import { walkDashboard } from '../../chaos/load/walk-dashboard.ts'

export type PagedWalk = {
  readonly viewer: string
  readonly fromMs: number
  readonly toMs: number
}
export type Paging = {
  readonly viewer: string
  readonly session: string
  /** From then on walks end fast. */
  readonly ending: AbortSignal
  /** By then everything has to be answered. */
  readonly patience: AbortSignal
}

const PAUSE_MEAN_MS = 60
const LAST_PAGES = 200

/** Walks on and on until `ending`; what is found is in the load's tally. */
export async function pageOnAndOn(load: Load, paging: Paging): Promise<PagedWalk[]> {
  const { viewer, session, ending, patience } = paging
  const { history, plan } = load
  const dice = load.dice(session)
  const memory = new SessionMemory()
  const feed = slowly(load.feed.session(), paging, () => dice.below(2 * PAUSE_MEAN_MS))
  const walks: PagedWalk[] = []
  while (!ending.aborted) {
    const fromMs = performance.now()
    const freshAt = history.tick()
    await insist(() => feed.seeEverything(), patience)
    const walk = await walkDashboard(history, feed, {
      viewer,
      session,
      freshAt,
      pageSize: dice.between(3, 15),
      pagesMax: Number.POSITIVE_INFINITY,
      timeoutMs: plan.timeoutMs,
    })
    load.tally.found([...checkWalk(history, walk), ...memory.check(history, walk)])
    walks.push({ viewer, fromMs, toMs: performance.now() })
  }
  return walks
}

function slowly(feed: Cellfeed, { ending, patience }: Paging, pauseMs: () => number): Cellfeed {
  return {
    ...feed,
    dashboard: async (viewer, options) => {
      if (!ending.aborted) await wait(pauseMs())
      const sized = ending.aborted ? { ...options, limit: LAST_PAGES } : options
      return insist(() => feed.dashboard(viewer, sized), patience)
    },
  }
}
