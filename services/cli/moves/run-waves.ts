// Carries out a plan wave by wave: each is begun, waited for until its slots have new owners, and looked at before the next one. What is
// begun goes on without this; what is not begun is planned anew by whoever runs it again.

import { setTimeout } from 'node:timers/promises'
import type { BalancePlan, WaveMove } from '../../client/balance-calls.ts'
import type { Cellfeed } from '../../client/connect.ts'
import type { Move } from '../../client/move-calls.ts'
import { type WaveFigures, gateAfter } from '../../../cells/model/wave-gate.ts'
import { count, harmless, jsonLine } from '../print.ts'
import type { Terminal } from '../terminal.ts'
import { lineOf, nameOf } from './print-moves.ts'
import { ProgressLine } from './progress-line.ts'

const LOOK_MS = 250
/** How long figures may take to get well again. */
const PATIENCE_MS = 60_000

export class Waves {
  readonly #feed: Cellfeed
  readonly #terminal: Terminal
  readonly #isJson: boolean
  readonly #progress: ProgressLine

  constructor(feed: Cellfeed, terminal: Terminal, isJson: boolean) {
    this.#feed = feed
    this.#terminal = terminal
    this.#isJson = isJson
    this.#progress = new ProgressLine(terminal)
  }

  /** False when a gate stopped it; the reason was told. */
  async run({ waves }: BalancePlan): Promise<boolean> {
    const before = await this.#figures(0)
    for (const [i, { moves }] of waves.entries()) {
      this.#tell(
        { event: 'wave', wave: i + 1, of: waves.length },
        `wave ${i + 1} of ${waves.length}: ${count(moves.length, 'move')}`,
      )
      const begun = await this.#begin(moves)
      const differing = await this.#untilCutOver(begun)
      const reason = await this.#gate(before, differing)
      if (reason === undefined) continue
      const ids = begun.join(', ')
      const line = `stopped: ${reason}. Its moves can be taken back: ${ids} (cellfeed moves rollback)`
      this.#tell({ event: 'stopped', reason, moves: begun }, line)
      return false
    }
    return true
  }

  async #begin(moves: readonly WaveMove[]): Promise<number[]> {
    const begun: number[] = []
    for (const { slots, to } of moves) begun.push((await this.#feed.moveSlots(slots, to)).id)
    return begun
  }

  /** Until every move of the wave is over or retiring. Answers how many differ: those wait for somebody. */
  async #untilCutOver(ids: readonly number[]): Promise<number> {
    const phases = new Map<number, string>()
    for (;;) {
      const all = await this.#feed.moves()
      const wave = all.filter(({ id }) => ids.includes(id))
      for (const move of wave) this.#tellPhase(move, phases)
      const open = wave.filter(({ phase }) => phase !== 'RETIRING')
      if (open.every(({ phase }) => phase === 'DIFFERS')) {
        this.#progress.clear()
        return open.length
      }
      this.#progress.show(wave)
      await setTimeout(LOOK_MS)
    }
  }

  #tellPhase(move: Move, phases: Map<number, string>): void {
    const { id, phase, detail } = move
    if (phases.get(id) === `${phase} ${detail}`) return
    phases.set(id, `${phase} ${detail}`)
    if (phase === 'RETIRING') this.#tell({ event: 'moved', ...move }, `${nameOf(move)} is cut over`)
    else if (phase === 'DIFFERS' || detail !== '' || this.#isJson) {
      this.#tell({ event: 'move', ...move }, lineOf(move))
    }
  }

  /** Why the next wave must not begin; undefined when it may. */
  async #gate(before: WaveFigures, differences: number): Promise<string | undefined> {
    const endMs = this.#terminal.nowMs() + PATIENCE_MS
    for (;;) {
      const decision = gateAfter(before, await this.#figures(differences))
      if (decision.kind === 'go') return undefined
      if (decision.kind === 'stop' || this.#terminal.nowMs() > endMs) return decision.reason
      this.#terminal.progress(`waiting: ${decision.reason}`)
      await setTimeout(LOOK_MS)
    }
  }

  async #figures(differences: number): Promise<WaveFigures> {
    const cells = (await this.#feed.cells()).filter(({ state }) => state === 'SERVING')
    const sum = (of: (cell: (typeof cells)[number]) => number) =>
      cells.reduce((total, cell) => total + of(cell), 0)
    return {
      reads: sum((cell) => cell.readsPerSecond),
      failedReads: sum((cell) => cell.failedReadsPerSecond),
      readP99Ms: Math.max(0, ...cells.map((cell) => cell.readP99Ms)),
      lagMs: Math.max(0, ...cells.map((cell) => cell.lagMs)),
      differences,
    }
  }

  #tell(event: object, line: string): void {
    this.#progress.clear()
    this.#terminal.out(this.#isJson ? jsonLine(event) : harmless(line))
  }
}
