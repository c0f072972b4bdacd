// A run, in lines for people.

import type { ChaosReport } from './run-chaos.ts'

export function printReport(report: ChaosReport, print: (line: string) => void): void {
  const { tally, verdict } = report
  const { acknowledged, refused, unknown } = tally.writes
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`
  print(`${report.fault} (seed ${report.seed}, ${seconds(report.tookMs)})`)
  print(
    `  writes: ${acknowledged} acknowledged, ${refused} refused, ${unknown} with unknown outcome`,
  )
  print(
    `  reads: ${tally.readsAnswered} answered with ${tally.postsSeen} posts, ${tally.readsFailed} failed`,
  )
  if (tally.failures.size > 0) print(`  failures: ${counted(tally.failures)}`)
  print(`  the first write acknowledged ${seconds(report.recoveredMs)} after the fault was over`)
  print(
    `  judged: ${verdict.events} events in the log, which decided ${verdict.decidedByLog} open facts; ` +
      `${verdict.dashboards} dashboards with ${verdict.postsShown} posts, twice`,
  )
  for (const { kind, text } of tally.findings) print(`  FOUND ${kind}: ${text}`)
  if (tally.findings.length === 0) print('  kept: all promises')
  else print(`  BROKEN: ${counted(tally.findingsByKind)}; SEED=${report.seed}`)
}

/** The most frequent first. */
function counted(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].sort((a, b) => b[1] - a[1])
  return sorted.map(([what, count]) => `${what} ${count}`).join(', ')
}
