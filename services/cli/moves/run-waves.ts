// Carries out a plan wave by wave: each is begun, waited for until its slots have new owners, and looked at before the next one. What is
// begun goes on without this; what is not begun is planned anew by whoever runs it again.

import { setTimeout } from 'node:timers/promises'
import type { BalancePlan, WaveMove } from '../../client/balance-calls.ts'
import type { CellStatus } from '../../client/admin-calls.ts'
import type { Cellfeed } from '../../client/connect.ts'
import type { Move } from '../../client/move-calls.ts'
import { gate, type WaveFigures } from '../../../cells/model/waves.ts'
import { duration } from '../human-time.ts'
import { count, harmless, jsonLine } from '../print.ts'
import type { Terminal } from '../terminal.ts'
import { lineOf, slotsIn } from './print-moves.ts'
import { ProgressLine } from './progress-line.ts'

const LOOK_MS = 250

type Vitals = Pick<WaveFigures, 'calls' | 'callsFailed' | 'p99Ms' | 'lagMs'> & {
  readonly serving: readonly string[]
}

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
  async run({ waves, readers: all }: BalancePlan): Promise<boolean> {
    const { nowMs } = this.#terminal
    const before = await this.#vitals()
    let done = 0n
    for (const [i, { moves }] of waves.entries()) {
      this.#event({ event: 'wave', wave: i + 1, of: waves.length, moves })
      const startedMs = nowMs()
      const begun = await this.#begin(moves)
      const reason = await this.#gate(new WaveWatch(begun), before)
      if (reason !== undefined) {
        await this.#stop(begun, reason)
        return false
      }
      const tookMs = nowMs() - startedMs
      const readers = readersIn(moves)
      done += readers
      this.#event({ event: 'wave-done', wave: i + 1, of: waves.length, tookMs, done, all })
      const left = leftText({ readers, tookMs }, all - done)
      this.#line(`${waveText(i, waves)}: moved in ${duration(tookMs)}${left}`)
    }
    return true
  }

  /** What is not cut over yet stays where it is; how to take the wave back is told. */
  async #stop(begun: readonly number[], reason: string): Promise<void> {
    const left = (await this.#feed.moves()).filter(({ id }) => begun.includes(id))
    const paused: number[] = []
    for (const { id, phase, isPaused } of left) {
      if (isPaused || phase === 'RETIRING' || phase === 'DIFFERS') continue
      // It may be cut over just now.
      const isDone = await this.#feed.changeMove(id, 'pause').then(
        () => true,
        () => false,
      )
      if (isDone) paused.push(id)
    }
    const moves = await this.#feed.moves()
    const back = moves
      .filter(({ id }) => begun.includes(id))
      .map(({ id, phase }) => `cellfeed moves ${phase === 'RETIRING' ? 'rollback' : 'abort'} ${id}`)
    this.#event({ event: 'stopped', reason, moves: begun, paused, back })
    this.#line(`stopped: ${reason}`)
    for (const id of paused) this.#line(`move ${id} is paused: cellfeed moves resume ${id}`)
    if (back.length > 0) this.#line(`to take the wave back: ${back.join('; ')}`)
  }

  async #begin(moves: readonly WaveMove[]): Promise<number[]> {
    const begun: number[] = []
    for (const { slots, to } of moves) {
      const move = await this.#feed.moveSlots(slots, to)
      this.#event({ event: 'move', ...move })
      begun.push(move.id)
    }
    return begun
  }

  /** Why the next wave must not begin; undefined when it may. */
  async #gate(wave: WaveWatch, before: Vitals): Promise<string | undefined> {
    const { nowMs, progress } = this.#terminal
    for (;;) {
      const moves = await this.#feed.moves()
      for (const move of wave.look(moves, nowMs())) this.#tellMove(move)
      const vitals = await this.#vitals()
      const cellsGone = before.serving.filter((cell) => !vitals.serving.includes(cell))
      const beside = { p99BeforeMs: before.p99Ms, cellsGone }
      const verdict = gate({ ...wave.figures(nowMs()), ...vitals, ...beside })
      if (verdict.kind === 'go-on') return undefined
      if (verdict.kind === 'stop') return verdict.why
      const own = moves.filter(({ id }) => wave.has(id))
      if (!this.#progress.show(own) && this.#terminal.isInteractive) {
        progress(`waiting: ${verdict.why}`)
      }
      await setTimeout(LOOK_MS)
    }
  }

  #tellMove(move: Move): void {
    this.#event({ event: move.phase === 'RETIRING' ? 'moved' : 'move', ...move })
    if (move.detail !== '') this.#line(lineOf(move))
  }

  /** Of all cells that serve, of the last ten seconds. */
  async #vitals(): Promise<Vitals> {
    const cells = (await this.#feed.cells()).filter(({ state }) => state === 'SERVING')
    const sum = (of: (cell: CellStatus) => number) =>
      cells.reduce((total, cell) => total + of(cell), 0)
    return {
      serving: cells.map(({ cell }) => cell),
      calls: sum((cell) => cell.readsPerSecond),
      callsFailed: sum((cell) => cell.failedReadsPerSecond),
      p99Ms: Math.max(0, ...cells.map((cell) => cell.readP99Ms)),
      lagMs: Math.max(0, ...cells.map((cell) => cell.lagMs)),
    }
  }

  /** For programs. */
  #event(event: object): void {
    if (this.#isJson) this.#terminal.out(jsonLine(event))
  }

  /** For people. */
  #line(line: string): void {
    if (this.#isJson) return
    this.#progress.clear()
    this.#terminal.out(harmless(line))
  }
}

/** "wave 3 of 15: 8 slots, 12 users". */
function waveText(i: number, waves: BalancePlan['waves']): string {
  const moves = waves[i]?.moves ?? []
  const slots = moves.reduce((sum, move) => sum + slotsIn(move.slots), 0)
  const users = count(readersIn(moves), 'user')
  return `wave ${i + 1} of ${waves.length}: ${count(slots, 'slot')}, ${users}`
}

function readersIn(moves: readonly WaveMove[]): bigint {
  return moves.reduce((sum, { readers }) => sum + readers, 0n)
}

/** At the rate of the last wave; later ones are larger, and faster than that. */
function leftText(
  wave: { readonly readers: bigint; readonly tookMs: number },
  left: bigint,
): string {
  if (left === 0n || wave.readers === 0n || wave.tookMs === 0) return ''
  const perMs = Number(wave.readers) / wave.tookMs
  const perSecond = count(Math.round(perMs * 1_000), 'user')
  return `, ${perSecond}/s; ${count(left, 'user')} to go, ${duration(Number(left) / perMs)} at most`
}

/** The moves of a wave, as they are seen from time to time. */
class WaveWatch {
  readonly #ids: ReadonlySet<number>
  readonly #cutOver = new Set<number>()
  readonly #told = new Map<number, string>()
  #differing = 0
  #gone = 0
  #cutOverMs: number | undefined

  constructor(ids: readonly number[]) {
    this.#ids = new Set(ids)
  }

  has(id: number): boolean {
    return this.#ids.has(id)
  }

  /** Answers those of which there is something new. */
  look(all: readonly Move[], nowMs: number): readonly Move[] {
    const own = all.filter(({ id }) => this.has(id))
    for (const { id, phase } of own) if (phase === 'RETIRING') this.#cutOver.add(id)
    this.#differing = own.filter(({ phase }) => phase === 'DIFFERS').length
    const there = new Set(own.map(({ id }) => id))
    this.#gone = [...this.#ids].filter((id) => !there.has(id) && !this.#cutOver.has(id)).length
    if (this.#cutOver.size === this.#ids.size) this.#cutOverMs ??= nowMs
    return own.filter(({ id, phase, detail }) => {
      const now = `${phase} ${detail}`
      const isNew = this.#told.get(id) !== now
      this.#told.set(id, now)
      return isNew
    })
  }

  figures(nowMs: number) {
    return {
      movesLeft: this.#ids.size - this.#cutOver.size,
      movesTakenBack: this.#gone,
      movesDiffering: this.#differing,
      waitedMs: this.#cutOverMs === undefined ? 0 : nowMs - this.#cutOverMs,
    }
  }
}
