// What all rounds come to, in lines for people.

import { percentile } from './percentile.ts'
import { type RoundReport, seconds } from './round/round-report.ts'

export function summaryOf(reports: readonly RoundReport[]): string[] {
  const sum = (of: (report: RoundReport) => number) =>
    reports.reduce((all, report) => all + of(report), 0)
  const kills = (of: (killed: RoundReport['killed']) => string) =>
    counted(reports.map(({ killed }) => of(killed)))
  const standbys = reports.filter(({ servedAfterMs }) => servedAfterMs !== undefined)
  const moves = reports.filter(({ servedAfterMs }) => servedAfterMs === undefined)
  const answered = reports.flatMap(({ reads }) => reads.latenciesMs)
  const atCutover = reports.flatMap(({ reads }) => reads.atCutoverMs)
  const beside = reports.flatMap(({ reads }) => reads.besideCutoverMs)
  const lines = [
    `rounds: ${reports.length}; moves: ${counted(moves.map(({ ended }) => ended))}; takeovers by a standby: ${standbys.length}`,
    `killed: ${kills(({ role }) => role)}`,
    `when: ${kills(({ phase }) => phase.toLowerCase())}`,
    `users moved: ${sum(({ users }) => users)}; dashboards checked to their end, twice: ${sum(({ verdict }) => verdict.dashboards)}, with ${sum(({ verdict }) => verdict.postsShown)} posts`,
    `writes acknowledged: ${sum(({ writes }) => writes)}; changes watched: ${sum(({ watched }) => watched.changes)}, lists begun anew: ${sum(({ watched }) => watched.resets)}`,
    `reads while their cell was up: ${answered.length}; ${milliseconds(answered)}`,
    `of users just at a cutover: ${atCutover.length}; ${milliseconds(atCutover)}`,
    `of other users at the same time: ${beside.length}; ${milliseconds(beside)}`,
    `failed reads because of a move, or of anything but a killed cell: ${sum(({ reads }) => reads.wrongs.length)}`,
    `reads while their cell was down: ${sum(({ reads }) => reads.answeredInOutage)} answered, ${sum(({ reads }) => reads.failedInOutage)} failed`,
    `slow walks that began before a cutover and ended after it: ${sum(({ walksAcross }) => walksAcross)}`,
    `from the beginning of a move to its cutover: ${times(moves, ({ cutOverAfterMs }) => cutOverAfterMs)}`,
    `from the new start of what was killed until it answers: ${times(reports, ({ killed }) => killed.backMs)}`,
  ]
  if (standbys.length > 0) {
    lines.push(
      `from kill -9 until a standby serves all users of the cell: ${times(standbys, ({ servedAfterMs }) => servedAfterMs)}`,
      `from the cell's new start until they live there again: ${times(standbys, ({ homeAfterMs }) => homeAfterMs)}`,
    )
  }
  return lines
}

function times(
  reports: readonly RoundReport[],
  of: (report: RoundReport) => number | undefined,
): string {
  const sorted = reports.flatMap((report) => of(report) ?? []).sort((a, b) => a - b)
  const [p50, p90, longest] = [50, 90, 100].map((percent) => seconds(percentile(sorted, percent)))
  return `p50 ${p50}, p90 ${p90}, longest ${longest}`
}

function milliseconds(latencies: readonly number[]): string {
  const sorted = [...latencies].sort((a, b) => a - b)
  const shown = [50, 99, 99.9].map((p) => `p${p} ${percentile(sorted, p).toFixed(1)} ms`)
  return [...shown, `longest ${percentile(sorted, 100).toFixed(0)} ms`].join(', ')
}

/** The most frequent first. */
function counted(names: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  const sorted = [...counts].sort((a, b) => b[1] - a[1])
  return sorted.map(([name, count]) => `${name} ${count}`).join(', ')
}
