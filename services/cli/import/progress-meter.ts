// What an import says while it runs: records, rate, time left, on standard error.

import { duration } from '../human-time.ts'
import { count } from '../print.ts'
import type { Terminal } from '../terminal.ts'
import type { ImportTally } from './import-lines.ts'
import type { ImportSource } from './import-source.ts'

export class ProgressMeter {
  readonly #source: ImportSource
  readonly #run: { startedMs: number; before: ImportTally; terminal: Terminal }
  #shownAtMs: number

  constructor(
    source: ImportSource,
    run: { startedMs: number; before: ImportTally; terminal: Terminal },
  ) {
    this.#source = source
    this.#run = run
    this.#shownAtMs = run.startedMs
  }

  show(tally: ImportTally): void {
    const { startedMs, before, terminal } = this.#run
    const nowMs = terminal.nowMs()
    if (nowMs - this.#shownAtMs < (terminal.isInteractive ? 200 : 5_000)) return
    this.#shownAtMs = nowMs
    const ms = nowMs - startedMs
    const perSecond = Math.round(((tally.accepted - before.accepted) / ms) * 1000)
    const share = this.#source.share(tally.linesDone)
    const left =
      share === undefined || share === 0
        ? ''
        : `, ${Math.floor(share * 100)} %, ${duration((ms / share) * (1 - share))} left`
    const bad = tally.badLines === 0 ? '' : `, ${count(tally.badLines, 'bad line')}`
    terminal.progress(
      `${count(tally.accepted, 'record')}, ${perSecond.toLocaleString('en-US')}/s${left}${bad}`,
    )
  }
}
