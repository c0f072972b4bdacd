// How benches say what they found: one table, with the machine and the date below it.

import { arch, cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { BenchRow } from './bench-row.ts'

/** Whether the module of this URL is what node was started with. */
export function isStarted(moduleUrl: string): boolean {
  return process.argv[1] === fileURLToPath(moduleUrl)
}

export function printTable(rows: readonly BenchRow[]): void {
  const cells = rows.map(({ what, figure, goal, peer }) => [what, figure, goal, peer])
  const lines = [['what', 'figure', 'goal', 'beside it, in the same run'], ...cells]
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  )
  const drawn = lines.map(
    (line) => `| ${line.map((c, i) => c.padEnd(widths[i] ?? 0)).join(' | ')} |`,
  )
  drawn.splice(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`)
  console.log([...drawn, '', machine()].join('\n'))
}

/** What the figures were measured on, and when. */
export function machine(): string {
  const [first] = cpus()
  const gib = Math.round(totalmem() / 2 ** 30)
  const cores = `${cpus().length} cores (${first?.model.trim() ?? 'unknown'}, ${arch()})`
  return `${cores}, ${gib} GiB, node ${process.version}, ${new Date().toISOString().slice(0, 10)}`
}

export function millions(count: number, ms: number): string {
  return `${(count / ms / 1_000).toPrecision(3)} M/s`
}

export function thousands(count: number, ms: number): string {
  return `${Math.round(count / ms)},000/s`
}

/** The value below which this share of a sorted array lies. */
export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
