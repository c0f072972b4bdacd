// The judgement at the end, when all servers are well again and nobody writes: the log against the history, every dashboard
// against both, to the very end, and twice, because what is open may be either but must stay what it is.

import { setTimeout as wait } from 'node:timers/promises'
import type { Cellfeed } from '../../services/client/connect.ts'
import { audit } from './load/auditor.ts'
import { insist } from './load/insist.ts'
import type { Load } from './load/load.ts'
import { replay } from './load/subscriber.ts'
import { checkFollower, checkLog } from './check/check-log.ts'
import type { Walk } from './check/check-walk.ts'
import type { Finding } from './check/finding.ts'
import type { LogPicture } from './check/log-picture.ts'
import { resolveByLog } from './check/resolve.ts'

export type Verdict = {
  readonly events: number
  readonly decidedByLog: number
  readonly dashboards: number
  readonly postsShown: number
}

const pauseMs = 250
const replaysMax = 40
/** So many replays in a row have to be the same. */
const stillReplays = 4

export type Judging = {
  readonly load: Load
  /** A client that tries again by itself. */
  readonly patient: Cellfeed
  /** What a subscriber was sent that followed the log through it all. */
  readonly followed: LogPicture
  /** By then everything has to be answered. */
  readonly signal: AbortSignal
}

export async function judge({ load, patient, followed, signal }: Judging): Promise<Verdict> {
  const log = await stillLog(load, patient, signal)
  load.tally.found(checkLog(load.history, log))
  const decidedByLog = resolveByLog(load.history, log)
  const first = await walkAll(load, signal)
  const second = await walkAll(load, signal)
  for (const [viewer, walk] of first) load.tally.found(checkSame(walk, second.get(viewer)))
  const after = await insist(() => replay(patient, load.plan.prefix), signal)
  if (after.eventIds.size !== log.eventIds.size) {
    const text = `${after.eventIds.size - log.eventIds.size} events came when everything stood still`
    load.tally.found([{ kind: 'not-the-same-again', text }])
  }
  while (followed.eventIds.size < after.eventIds.size && !signal.aborted) await wait(pauseMs)
  load.tally.found(checkFollower(followed, after))
  let postsShown = 0
  for (const { posts } of first.values()) postsShown += posts.length
  return { events: log.eventIds.size, decidedByLog, dashboards: first.size, postsShown }
}

/** The log, when nothing has come for a while: an append given up may still be on its way. */
async function stillLog(load: Load, feed: Cellfeed, signal: AbortSignal): Promise<LogPicture> {
  const sizes: number[] = []
  for (let replays = 1; ; replays += 1) {
    const log = await insist(() => replay(feed, load.plan.prefix), signal)
    sizes.push(log.eventIds.size)
    if (sizes.slice(-stillReplays).filter((size) => size === sizes.at(-1)).length === stillReplays)
      return log
    if (replays === replaysMax) throw new Error('the log does not stand still')
    await wait(pauseMs)
  }
}

async function walkAll(load: Load, signal: AbortSignal): Promise<Map<string, Walk>> {
  const dice = load.dice('judge')
  const walks = new Map<string, Walk>()
  for (const viewer of load.users) {
    const { walk, findings } = await insist(
      () => audit(load, viewer, dice.between(10, 200)),
      signal,
    )
    load.tally.found(findings)
    walks.set(viewer, walk)
  }
  return walks
}

function checkSame(first: Walk, second: Walk | undefined): Finding[] {
  const shownIn = (walk: Walk | undefined) =>
    walk?.posts.map(({ author, postId, text }) => `${author}/${postId} ${text}`).join('\n')
  if (shownIn(first) === shownIn(second)) return []
  const text = `${first.viewer}'s dashboard at ${first.until} and at ${second?.until}`
  return [{ kind: 'not-the-same-again', text }]
}
