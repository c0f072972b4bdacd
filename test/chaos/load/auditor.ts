// A reader that belongs to nobody: each time with a new session that waits for everything written up to now, it walks
// somebody's dashboard to the very end. What it is shown is checked most strictly.

import { setTimeout as wait } from 'node:timers/promises'
import { CellfeedError } from '../../../services/client/connect.ts'
import type { Finding } from '../check/finding.ts'
import { checkWalk, type Walk } from '../check/check-walk.ts'
import type { Load } from './load.ts'
import { walkDashboard } from './walk-dashboard.ts'

const pauseMeanMs = 150

/** Throws CellfeedError if it was not answered. */
export async function audit(
  load: Load,
  viewer: string,
  pageSize: number,
): Promise<{ readonly walk: Walk; readonly findings: Finding[] }> {
  const { history, plan } = load
  const feed = load.feed.session()
  const freshAt = history.tick()
  await feed.seeEverything()
  const walk = await walkDashboard(history, feed, {
    viewer,
    session: `audit at ${freshAt}`,
    freshAt,
    pageSize,
    pagesMax: Number.POSITIVE_INFINITY,
    timeoutMs: plan.timeoutMs,
  })
  load.tally.read(walk.posts.length)
  return { walk, findings: checkWalk(history, walk) }
}

/** Until the signal fires, one dashboard after another. */
export async function auditOnAndOn(load: Load, name: string, signal: AbortSignal): Promise<void> {
  const dice = load.dice(name)
  while (!signal.aborted) {
    await wait(dice.below(2 * pauseMeanMs))
    try {
      const { findings } = await audit(load, dice.pick(load.users), dice.between(10, 200))
      load.tally.found(findings)
    } catch (error) {
      if (!(error instanceof CellfeedError)) throw error
      load.tally.notRead(`audit: ${error.reason || error.code}`)
    }
  }
}
