// Waits until a cell that was added serves, and says how far it is. It may be left at any time: the cell goes on.

import { setTimeout } from 'node:timers/promises'
import type { CellLoading, CellStatus } from '../client/admin-calls.ts'
import type { Cellfeed } from '../client/connect.ts'
import { exitCodes } from './exit.ts'
import { duration } from './human-time.ts'
import { count, harmless, jsonLine } from './print.ts'
import { Rate } from './rate.ts'
import type { Terminal } from './terminal.ts'

const LOOK_MS = 250
const TOLD_EVERY_MS = 5_000
/** A server takes a moment to see that there is a new cell; a cell that fails is started again. */
const PATIENCE_MS = 5_000

/** Ends, with the reason and exit code 1, when the cell refuses; with a note when no process of it is there: somebody has to start it. */
export async function awaitCell(
  feed: Cellfeed,
  name: string,
  { terminal, isJson }: { readonly terminal: Terminal; readonly isJson: boolean },
): Promise<void> {
  const { interrupted, nowMs } = terminal
  const shown = new Shown(terminal, isJson)
  let wellMs = nowMs()
  while (!interrupted.aborted) {
    const cell = (await feed.cells()).find((each) => each.cell === name)
    if (cell?.state === 'SERVING') return shown.end(cell, `${name} serves`)
    const isWell = cell?.state === 'LOADING'
    if (isWell) {
      wellMs = nowMs()
      shown.progress(cell)
    } else if (nowMs() - wellMs > PATIENCE_MS) {
      if (cell?.state !== 'UNREACHABLE') terminal.endWith(exitCodes.no)
      return shown.end(cell, whyNot(name, cell))
    }
    await setTimeout(LOOK_MS)
  }
}

function whyNot(name: string, cell: CellStatus | undefined): string {
  if (cell === undefined) return `${name} does not start: see the log of the server`
  const verb = cell.state === 'UNREACHABLE' ? 'does not run' : 'does not serve'
  return `${name} ${verb}: ${cell.stateDetail}`
}

class Shown {
  readonly #terminal: Terminal
  readonly #isJson: boolean
  readonly #rates = { posts: new Rate(), events: new Rate() }
  #toldMs = 0

  constructor(terminal: Terminal, isJson: boolean) {
    this.#terminal = terminal
    this.#isJson = isJson
  }

  progress(cell: CellStatus): void {
    const { isInteractive, nowMs, progress } = this.#terminal
    const text = progressText(cell, this.#rates, nowMs())
    const isDue = nowMs() - this.#toldMs >= TOLD_EVERY_MS
    if (!isInteractive && !isDue) return
    this.#toldMs = nowMs()
    if (!this.#isJson) progress(harmless(`${cell.cell} ${text}`))
    else if (isDue) this.#json(cell)
  }

  end(cell: CellStatus | undefined, text: string): void {
    const { isInteractive, out, progress } = this.#terminal
    if (isInteractive) progress('')
    if (!this.#isJson) out(harmless(text))
    else if (cell !== undefined) this.#json(cell)
  }

  #json({ cell, state, stateDetail, loading }: CellStatus): void {
    this.#terminal.out(jsonLine({ cell, state, stateDetail, loading }))
  }
}

function progressText(
  { loading, stateDetail }: CellStatus,
  rates: Readonly<Record<CellLoading['step'], Rate>>,
  nowMs: number,
): string {
  if (loading === undefined) return stateDetail === '' ? 'starts' : stateDetail
  const { step, part, done } = loading
  const { perSecond, leftMs } = rates[step].note({ part, count: Number(done) }, nowMs)
  const noun = step === 'posts' ? 'post' : 'event'
  const left = Number.isFinite(leftMs) ? `, ${duration(leftMs)} left` : ''
  return `${loadingText(loading)}, ${count(Math.round(perSecond), noun)}/s${left}`
}

/** "applies the firehose: 34 %, 1,200 events". */
export function loadingText({ step, part, done }: CellLoading): string {
  const what = step === 'posts' ? 'copies posts' : 'applies the firehose'
  return `${what}: ${Math.floor(part * 100)} %, ${count(done, step === 'posts' ? 'post' : 'event')}`
}
