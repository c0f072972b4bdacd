// What a load run measured: per kind, counts, latencies and errors.

import { build, type Histogram } from 'hdr-histogram-js'
import { CellfeedError } from '../../client/connect.ts'
import { duration } from '../human-time.ts'
import { table } from '../print.ts'

export interface KindReport {
  readonly kind: string
  readonly askedPerSecond: number
  readonly ok: number
  readonly okPerSecond: number
  readonly failed: number
  readonly notSent: number
  /** From the intended time of sending to the answer; of successful calls. */
  readonly latencyMs: Readonly<Record<'p50' | 'p90' | 'p99' | 'p999' | 'max', number>>
  /** How often each reason of failure occurred. */
  readonly errors: Readonly<Record<string, number>>
}

/** Records one kind's answers: microseconds up to a minute, three digits. */
export class KindRecorder {
  readonly #kind: string
  readonly #askedPerSecond: number
  readonly #latencies: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
  })
  readonly #errors = new Map<string, number>()

  constructor(kind: string, askedPerSecond: number) {
    this.#kind = kind
    this.#askedPerSecond = askedPerSecond
  }

  record(latencyMs: number, error: unknown): void {
    if (error === undefined) {
      const micros = Math.round(latencyMs * 1000)
      this.#latencies.recordValue(Math.min(Math.max(micros, 1), 60_000_000))
      return
    }
    const reason = error instanceof CellfeedError ? error.reason || error.code : 'OTHER'
    this.#errors.set(reason, (this.#errors.get(reason) ?? 0) + 1)
  }

  report(run: { readonly elapsedMs: number; readonly notSent: number }): KindReport {
    const at = (percentile: number) => this.#latencies.getValueAtPercentile(percentile) / 1000
    const ok = this.#latencies.totalCount
    return {
      kind: this.#kind,
      askedPerSecond: this.#askedPerSecond,
      ok,
      okPerSecond: run.elapsedMs === 0 ? 0 : Math.round((ok / run.elapsedMs) * 10_000) / 10,
      failed: [...this.#errors.values()].reduce((sum, times) => sum + times, 0),
      notSent: run.notSent,
      latencyMs: {
        p50: at(50),
        p90: at(90),
        p99: at(99),
        p999: at(99.9),
        max: ok === 0 ? 0 : this.#latencies.maxValue / 1000,
      },
      errors: Object.fromEntries(this.#errors),
    }
  }
}

export function printReports(reports: readonly KindReport[]): string {
  const rows = reports.map((report) => {
    const { p50, p90, p99, p999, max } = report.latencyMs
    return [
      report.kind,
      String(report.askedPerSecond),
      String(report.okPerSecond),
      report.ok.toLocaleString('en-US'),
      report.failed.toLocaleString('en-US'),
      report.notSent.toLocaleString('en-US'),
      ...[p50, p90, p99, p999, max].map((ms) => (report.ok === 0 ? '-' : duration(ms))),
    ]
  })
  const heading = ['', 'asked/s', 'done/s', 'done', 'failed', 'not sent']
  const errors = reports.flatMap((report) =>
    Object.entries(report.errors).map(([reason, times]) => `${report.kind}: ${times} x ${reason}`),
  )
  return [table([[...heading, 'p50', 'p90', 'p99', 'p99.9', 'max'], ...rows]), ...errors].join('\n')
}
