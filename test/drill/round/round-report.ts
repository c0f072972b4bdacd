// What one round did and what came of it, and its line in the drill's table.

import type { Verdict } from '../../chaos/judge.ts'
import { percentile } from '../percentile.ts'
import type { ReadsJudged } from '../reads/judge-reads.ts'
import type { Struck } from './struck.ts'

export type RoundReport = Omit<Struck, 'walks' | 'quarters'> & {
  readonly round: number
  /** Of the slots that moved. */
  readonly users: number
  readonly writes: number
  readonly reads: ReadsJudged
  /** Of slow readers, from before the cutover until after it. */
  readonly walksAcross: number
  readonly watched: { readonly changes: number; readonly resets: number }
  readonly verdict: Verdict
  readonly tookMs: number
  /** What was promised and not kept. */
  readonly violations: readonly string[]
}

const COLUMNS: readonly (readonly [string, number, (report: RoundReport) => string])[] = [
  ['round', 5, ({ round }) => String(round)],
  ['added', 7, ({ added = '' }) => added],
  ['users', 5, ({ users }) => String(users)],
  ['from -> to', 18, ({ from, to }) => `${from} -> ${to}`],
  ['killed', 10, ({ killed }) => killed.role],
  ['when', 9, ({ killed }) => killed.phase.toLowerCase()],
  ['away', 6, ({ killed }) => seconds(killed.awayMs)],
  ['back', 6, ({ killed }) => seconds(killed.backMs)],
  ['ended', 11, ({ ended }) => ended],
  ['cut over', 8, ({ cutOverAfterMs }) => maybeSeconds(cutOverAfterMs)],
  ['served', 7, ({ servedAfterMs }) => maybeSeconds(servedAfterMs)],
  ['home', 7, ({ homeAfterMs }) => maybeSeconds(homeAfterMs)],
  ['writes', 6, ({ writes }) => String(writes)],
  ['reads', 6, ({ reads }) => String(reads.latenciesMs.length)],
  ['p99 ms', 6, ({ reads }) => milliseconds(reads.latenciesMs, 99)],
  ['longest', 7, ({ reads }) => milliseconds(reads.latenciesMs, 100)],
  ['at cutover', 10, ({ reads }) => milliseconds(reads.atCutoverMs, 100)],
  ['across', 6, ({ walksAcross }) => String(walksAcross)],
  ['down', 6, ({ reads }) => String(reads.failedInOutage)],
  ['failed', 6, ({ reads }) => String(reads.wrongs.length)],
  ['posts', 6, ({ verdict }) => String(verdict.postsShown)],
  ['wrong', 5, ({ violations }) => String(violations.length)],
  ['took', 6, ({ tookMs }) => seconds(tookMs)],
]

export function headline(): string {
  return COLUMNS.map(([name, width]) => name.padStart(width)).join('  ')
}

export function lineOf(report: RoundReport): string {
  return COLUMNS.map(([, width, cell]) => cell(report).padStart(width)).join('  ')
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}

function maybeSeconds(ms: number | undefined): string {
  return ms === undefined ? '' : seconds(ms)
}

function milliseconds(latenciesMs: readonly number[], percent: number): string {
  const sorted = [...latenciesMs].sort((a, b) => a - b)
  return percentile(sorted, percent).toFixed(0)
}
