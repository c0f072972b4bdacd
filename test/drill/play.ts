// All rounds of a drill, one after the other, until one breaks a promise; and what they come to.

import type { DrilledCluster } from './cluster/drilled-cluster.ts'
import { playRound } from './round/round.ts'
import { headline, lineOf, type RoundReport } from './round/round-report.ts'
import { type DrillPlan, Stage } from './stage.ts'

export type Played = {
  readonly reports: readonly RoundReport[]
  /** The round that ended it early: it broke a promise, or could not be brought to its end. */
  readonly broken: number | undefined
}

export async function play(
  cluster: DrilledCluster,
  plan: DrillPlan,
  print: (line: string) => void,
): Promise<Played> {
  const reports: RoundReport[] = []
  const stage = await Stage.begin(cluster, plan)
  const startedMs = performance.now()
  print(headline())
  try {
    for (let round = plan.from; round < plan.from + plan.rounds; round += 1) {
      if (performance.now() - startedMs > plan.withinMs) break
      const report = await playRound(stage, round)
      reports.push(report)
      print(lineOf(report))
      for (const violation of report.violations) print(`  BROKEN: ${violation}`)
      if (report.violations.length > 0) return { reports, broken: round }
    }
    return { reports, broken: undefined }
  } catch (error) {
    const round = plan.from + reports.length
    const why = error instanceof Error ? error.message : String(error)
    print(`  BROKEN: round ${round} came to no end: ${why}`)
    for (const line of await seenByOperator(stage)) print(`  ${line}`)
    return { reports, broken: round }
  } finally {
    await stage.end()
  }
}

async function seenByOperator({ operator }: Stage): Promise<string[]> {
  try {
    const cells = (await operator.cells()).map(
      ({ cell, state, slots, stateDetail }) =>
        `${cell} ${state.toLowerCase()}, ${slots} slots ${stateDetail}`,
    )
    const moves = (await operator.moves()).map(
      ({ id, from, to, phase, isStandby, detail }) =>
        `${isStandby ? 'standby' : 'move'} ${id} ${from} -> ${to} ${phase.toLowerCase()} ${detail}`,
    )
    return [...cells, ...moves]
  } catch (error) {
    return [`its operator is told: ${String(error)}`]
  }
}
