// A move as its operator sees it: asks on and on in which phase it is, also while nobody answers.

import { setTimeout as wait } from 'node:timers/promises'
import type { Move, MovePhaseName } from '../../../services/client/move-calls.ts'
import { type Cellfeed, CellfeedError } from '../../../services/client/connect.ts'
import { insist } from '../../chaos/load/insist.ts'
import type { TakeBack } from './round-plan.ts'

export type SeenPhase = MovePhaseName | 'OVER'
type Look = { readonly askedMs: number; readonly toldMs: number }

const ORDER: readonly SeenPhase[] = [
  'UNKNOWN',
  'PREPARING',
  'COPYING',
  'VERIFYING',
  'DIFFERS',
  'READY',
  'RETIRING',
  'OVER',
]
const LOOK_MS = 30
const PAUSE_MS = 100

export class WatchedMove {
  readonly move: Move
  readonly beganMs = performance.now()
  /** When the target was first seen to own the slots. */
  cutOverMs: number | undefined
  overMs: number | undefined
  #phase: SeenPhase = 'PREPARING'
  #furthest = ORDER.indexOf('PREPARING')
  readonly #feed: Cellfeed
  readonly #signal: AbortSignal

  /** `signal`: by then it has to have come to its end. */
  constructor(feed: Cellfeed, move: Move, signal: AbortSignal) {
    this.#feed = feed
    this.move = move
    this.#signal = signal
  }

  /** As it was told last. */
  get phase(): SeenPhase {
    return this.#phase
  }

  /** Until the move is over or the other signal fires. `cutOver`: is told the look that saw it first. */
  async watch(ended: AbortSignal, cutOver: (look: Look) => void): Promise<void> {
    while (!ended.aborted && this.#phase !== 'OVER') {
      const askedMs = performance.now()
      const phase = await this.#look()
      const toldMs = performance.now()
      if (phase === 'RETIRING' && this.cutOverMs === undefined) {
        this.cutOverMs = toldMs
        cutOver({ askedMs, toldMs })
      }
      if (phase === 'OVER') this.overMs = toldMs
      this.#phase = phase
      this.#furthest = Math.max(this.#furthest, ORDER.indexOf(phase))
      await wait(LOOK_MS)
    }
  }

  /** Resolves when it has got so far, or is over. Rejects when it differs, or nothing came of it in time. */
  async reaches(phase: SeenPhase): Promise<void> {
    while (this.#furthest < ORDER.indexOf(phase)) {
      if (this.#phase === 'DIFFERS') throw new Error(`move ${this.move.id} differs`)
      if (this.#signal.aborted) throw new Error(`move ${this.move.id} stays ${this.#phase}`)
      await wait(LOOK_MS)
    }
  }

  /** Aborts it, or rolls it back: which of them it was in the end. */
  async takeBack({ how, phase, afterMs }: TakeBack): Promise<TakeBack['how']> {
    await this.reaches(phase)
    await wait(afterMs)
    if (how === 'abort' && (await this.#change('abort'))) return 'abort'
    await this.reaches('RETIRING')
    while (!(await this.#change('roll-back'))) {
      if (this.#signal.aborted) throw new Error(`move ${this.move.id} cannot be rolled back`)
      await wait(PAUSE_MS)
    }
    return 'roll-back'
  }

  /** False if it was refused, as the move is not so far, or too far. One that is gone was changed by an attempt before. */
  async #change(change: TakeBack['how']): Promise<boolean> {
    const { id } = this.move
    return insist(async () => {
      try {
        await this.#feed.changeMove(id, change)
        return true
      } catch (error) {
        if (!(error instanceof CellfeedError) || error.reason !== 'MOVE_REFUSED') throw error
        return !(await this.#feed.moves()).some((move) => move.id === id)
      }
    }, this.#signal)
  }

  async #look(): Promise<SeenPhase> {
    try {
      const move = (await this.#feed.moves()).find(({ id }) => id === this.move.id)
      return move === undefined ? 'OVER' : move.phase
    } catch (error) {
      if (!(error instanceof CellfeedError)) throw error
      return this.#phase
    }
  }
}
