// The line that says how far copies are: replaced on a terminal, elsewhere printed from time to time.

import type { Move } from '../../client/move-calls.ts'
import type { Terminal } from '../terminal.ts'
import { CopyRate } from './copy-rate.ts'

const EVERY_MS = 5_000

export class ProgressLine {
  readonly #terminal: Terminal
  readonly #rate = new CopyRate()
  #shownMs: number

  constructor(terminal: Terminal) {
    this.#terminal = terminal
    this.#shownMs = terminal.nowMs()
  }

  show(moves: readonly Move[]): void {
    const { isInteractive, nowMs, progress } = this.#terminal
    const line = this.#rate.note(moves, nowMs())
    if (!isInteractive && (line === '' || nowMs() - this.#shownMs < EVERY_MS)) return
    this.#shownMs = nowMs()
    progress(line)
  }

  clear(): void {
    if (this.#terminal.isInteractive) this.#terminal.progress('')
  }
}
