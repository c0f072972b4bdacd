// Reads a dashboard as a client does, page after page.

import type { Cellfeed, DashboardPost } from '../../../services/client/connect.ts'
import type { ShownPost, Walk } from '../check/check-walk.ts'
import type { History } from '../history/history.ts'

export type WalkPlan = {
  readonly viewer: string
  /** The session's name, and up to when it surely sees what others wrote. */
  readonly session: string
  readonly freshAt: number
  readonly pageSize: number
  /** Infinity: to the very end. */
  readonly pagesMax: number
  readonly timeoutMs: number
}

/** Throws CellfeedError if a page was not answered. */
export async function walkDashboard(
  history: History,
  feed: Cellfeed,
  plan: WalkPlan,
): Promise<Walk> {
  const { viewer, session, freshAt, pageSize, pagesMax, timeoutMs } = plan
  const floor = { session, at: freshAt, ownAt: history.tick() }
  const posts: ShownPost[] = []
  let readMark: string | undefined
  let pageToken: string | undefined
  let pages = 0
  do {
    const page = await feed.dashboard(viewer, { limit: pageSize, pageToken, timeoutMs })
    posts.push(...page.posts.map(shownPost))
    readMark = page.readMark
    pageToken = page.olderPageToken
    pages += 1
  } while (pageToken !== undefined && pages < pagesMax)
  const isComplete = pageToken === undefined
  return { viewer, floor, until: history.tick(), posts, readMark, isComplete }
}

function shownPost({ authorId, postId, text, origin }: DashboardPost): ShownPost {
  if (origin === undefined || origin === 'unavailable') {
    return { author: authorId, postId, text, origin }
  }
  const shown = { author: origin.authorId, postId: origin.postId, text: origin.text }
  return { author: authorId, postId, text, origin: shown }
}
