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

  /** False when none of them is being copied: there is nothing to show. */
  show(moves: readonly Move[]): boolean {
    const { isInteractive, nowMs, progress } = this.#terminal
    const line = this.#rate.note(moves, nowMs())
    if (line === '') return false
    if (!isInteractive && nowMs() - this.#shownMs < EVERY_MS) return true
    this.#shownMs = nowMs()
    progress(line)
    return true
  }

  clear(): void {
    if (this.#terminal.isInteractive) this.#terminal.progress('')
  }
}
