// One round: while everybody acts, users get another home and a part of the cluster is killed. Then every dashboard is held against
// all that was acknowledged, and every read against the promise of a move: that none fails because of it.

import { audit } from '../../chaos/load/auditor.ts'
import { insist } from '../../chaos/load/insist.ts'
import { judgeReads, type ReadsJudged } from '../reads/judge-reads.ts'
import { QUARTERS, quarterOf } from '../reads/homes.ts'
import type { PagedWalk } from '../readers/pager.ts'
import type { Stage } from '../stage.ts'
import { moveQuarter } from './move-quarter.ts'
import { planRound } from './round-plan.ts'
import type { RoundReport } from './round-report.ts'
import { standBy } from './stand-by.ts'
import type { Struck } from './struck.ts'

const WATCHERS_WITHIN_MS = 20_000

export async function playRound(stage: Stage, round: number): Promise<RoundReport> {
  const { load, run, plan } = stage
  stage.takeReads()
  const before = told(stage)
  const drawn = planRound(plan, round)
  const during: { struck?: Struck } = {}
  const strike = () =>
    drawn.kind === 'standby' ? standBy(stage, drawn) : moveQuarter(stage, drawn)
  const report = await run.under({
    name: `round ${round}`,
    strike: async () => {
      during.struck = await strike()
    },
  })
  if (during.struck === undefined) throw new Error('a round strikes')
  const { walks, quarters, ...struck } = during.struck
  const missed = await checkWatchers(stage)
  const reads = judge(stage, during.struck)
  const now = told(stage)
  return {
    ...struck,
    round,
    users: quarters.flatMap((quarter) => stage.usersIn(quarter)).length,
    writes: load.tally.writes.acknowledged,
    reads,
    walksAcross: walks.filter((walk) => isAcross(stage, walk)).length,
    watched: { changes: now.changes - before.changes, resets: now.resets - before.resets },
    verdict: report.verdict,
    tookMs: report.tookMs,
    violations: [
      ...load.tally.findings.map(({ kind, text }) => `${kind}: ${text}`),
      ...reads.wrongs.map(({ viewer = 'nobody', failure }) => `a read of ${viewer}: ${failure}`),
      ...missed,
    ],
  }
}

function judge(stage: Stage, { killed }: Struck): ReadsJudged {
  const { homes } = stage
  return judgeReads(stage.takeReads(), [killed.outage], {
    homes: (user, fromMs, toMs) => homes.mayOwn(quarterOf(user), fromMs, toMs),
    mayMove: (user, fromMs, toMs) => {
      const quarters = user === undefined ? QUARTERS : [quarterOf(user)]
      return quarters.some((quarter) => homes.mayChange(quarter, fromMs, toMs))
    },
  })
}

function isAcross({ homes }: Stage, { viewer, fromMs, toMs }: PagedWalk): boolean {
  const isAt = (ms: number) => homes.mayChange(quarterOf(viewer), ms, ms)
  return homes.mayChange(quarterOf(viewer), fromMs, toMs) && !isAt(fromMs) && !isAt(toMs)
}

/** What those who watch were told, against what is there. */
async function checkWatchers({ load, watchers, plan }: Stage): Promise<string[]> {
  const inTime = AbortSignal.timeout(plan.load.recoveryMs)
  const wrong: string[] = []
  for (const watcher of watchers) {
    const { viewer } = watcher
    const { walk, findings } = await insist(() => audit(load, viewer, 200), inTime)
    load.tally.found(findings)
    const mistakes = await watcher.mistakes(walk.posts, WATCHERS_WITHIN_MS)
    wrong.push(...mistakes.map((mistake) => `${viewer} watches: ${mistake}`))
  }
  return wrong
}

function told({ watchers }: Stage): { readonly changes: number; readonly resets: number } {
  return {
    changes: watchers.reduce((sum, { changes }) => sum + changes, 0),
    resets: watchers.reduce((sum, { resets }) => sum + resets, 0),
  }
}
