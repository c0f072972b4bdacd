// The tally of an import, kept in a file a few times a second, and taken up again by the next run.

import type { Terminal } from '../terminal.ts'
import type { ImportTally } from './import-lines.ts'
import {
  type ImportAbout,
  type ImportState,
  loadState,
  removeState,
  saveState,
} from './progress-state.ts'

const savedEveryMs = 250

/** Without a path nothing is kept. */
export class ProgressFile {
  readonly asOf: Date
  readonly #path: string | undefined
  readonly #about: ImportAbout
  readonly #nowMs: () => number
  #tally: ImportTally
  #savedAtMs: number

  private constructor(
    path: string | undefined,
    start: { about: ImportAbout; asOf: Date; tally: ImportTally; nowMs: () => number },
  ) {
    this.#path = path
    this.#about = start.about
    this.asOf = start.asOf
    this.#tally = start.tally
    this.#nowMs = start.nowMs
    this.#savedAtMs = start.nowMs()
  }

  static async open(
    path: string | undefined,
    about: ImportAbout,
    { asOf, terminal }: { asOf: Date; terminal: Terminal },
  ): Promise<ProgressFile> {
    const { nowMs } = terminal
    const loaded = path === undefined ? ({ kind: 'none' } as const) : await loadState(path, about)
    if (loaded.kind === 'goesOn') {
      const { state } = loaded
      const { linesDone, accepted, badLines, firstBadLine } = state
      const tally = { linesDone, accepted, badLines, firstBadLine }
      terminal.note(`Going on after line ${linesDone.toLocaleString('en-US')}.`)
      return new ProgressFile(path, { about, asOf: new Date(state.asOf), tally, nowMs })
    }
    if (loaded.kind === 'other') terminal.note(`Beginning anew: of the earlier run, ${loaded.why}.`)
    const tally = { linesDone: 0, accepted: 0, badLines: 0, firstBadLine: undefined }
    const file = new ProgressFile(path, { about, asOf, tally, nowMs })
    // Now, so that a file that can not be written is known before the work.
    await file.#save()
    return file
  }

  get tally(): ImportTally {
    return this.#tally
  }

  get isKept(): boolean {
    return this.#path !== undefined
  }

  async advance(tally: ImportTally): Promise<void> {
    this.#tally = tally
    if (this.#nowMs() - this.#savedAtMs >= savedEveryMs) await this.#save()
  }

  async finish(): Promise<void> {
    if (this.#path !== undefined) await removeState(this.#path)
  }

  /** Interrupted or failed: keeps how far it got, if it got anywhere. */
  async stop(): Promise<void> {
    if (this.#tally.linesDone > 0) await this.#save()
    else await this.finish()
  }

  async #save(): Promise<void> {
    if (this.#path === undefined) return
    const { firstBadLine, ...tally } = this.#tally
    const state: ImportState = {
      version: 1,
      about: this.#about,
      asOf: this.asOf.toISOString(),
      linesDone: tally.linesDone,
      accepted: tally.accepted,
      badLines: tally.badLines,
      ...(firstBadLine === undefined ? {} : { firstBadLine }),
    }
    await saveState(this.#path, state)
    this.#savedAtMs = this.#nowMs()
  }
}
