// Drives the moves of a placement: looks at what cells report, and says so in the placement by compare-and-set. It keeps nothing of its
// own, so it may die or sleep at any step, and several may run: whoever is late changes nothing.
//
// What is looked at is looked at after the placement was read, so a change that comes between makes the compare-and-set fail. Only what
// a verification found, which may take long, is said although another move has changed meanwhile.
//
// Each move has its own turns: one whose cells do not answer, or that is being verified, keeps no other waiting.

import { advance, type MoveEvent } from '../model/move.ts'
import type { CellName, Move, Placement } from '../model/placement.ts'
import { hasReached } from '../model/position.ts'
import type { SlotsQuery, SlotsReport } from '../ports/cell-client.ts'
import type { Clock } from '../ports/clock.ts'
import type { Placements } from '../ports/placements.ts'
import { holds, mayGoBack, shownBy } from './hand-over.ts'

export type MoverPorts = {
  readonly placements: Pick<Placements, 'read' | 'replace'>
  readonly clock: Clock
  /** What a cell reports; undefined when it does not answer. `logEnd`: with the log's end, read now. */
  readonly report: (cell: CellName, query?: SlotsQuery) => Promise<SlotsReport | undefined>
  /** Whether the cell's lease has ended. */
  readonly isDead: (cell: CellName) => Promise<boolean>
  /** What the target shows against what the source shows: undefined when both show the same. */
  readonly verify: (move: Move) => Promise<string | undefined>
}
export type MoverOptions = {
  /** A pause between two looks at all moves; and between two looks when there was none. */
  readonly stepMs: number
  readonly idleMs: number
  /** How long a source keeps its slots up to date after a cutover. */
  readonly retireMs: number
  /** After a standby took over: how long until the source may own its slots again, and until it never will. */
  readonly returnMs: number
  readonly awayMs: number
}

export class Mover {
  readonly #ports: MoverPorts
  readonly #options: MoverOptions
  readonly #turns = new Map<number, Promise<void>>()

  constructor(ports: MoverPorts, options: MoverOptions) {
    this.#ports = ports
    this.#options = options
  }

  /** Until the signal aborts. What fails is tried again; `failed` is told. Turns that are not over by then come to nothing. */
  async run(signal: AbortSignal, failed: (error: unknown) => void): Promise<void> {
    const { stepMs, idleMs } = this.#options
    const tell = (error: unknown): void => {
      if (!signal.aborted) failed(error)
    }
    while (!signal.aborted) {
      let moves = 0
      try {
        moves = await this.#begin(tell)
      } catch (error) {
        tell(error)
      }
      await this.#ports.clock.sleep(moves === 0 ? idleMs : stepMs, signal)
    }
  }

  /** Gets every move on as far as it goes now. */
  async step(failed: (error: unknown) => void): Promise<void> {
    await this.#begin(failed)
    await Promise.all(this.#turns.values())
  }

  /** Begins a turn of every move that is not in one. Answers how many moves there are. */
  async #begin(failed: (error: unknown) => void): Promise<number> {
    const { moves } = (await this.#ports.placements.read()).placement
    for (const { id } of moves) {
      if (this.#turns.has(id)) continue
      const turn = this.#turn(id)
        .catch(failed)
        .finally(() => this.#turns.delete(id))
      this.#turns.set(id, turn)
    }
    return moves.length
  }

  async #turn(id: number): Promise<void> {
    const { placements, clock } = this.#ports
    let before: Move | undefined
    let event: MoveEvent | undefined
    for (;;) {
      const { placement, revision } = await placements.read()
      const move = placement.moves.find((each) => each.id === id)
      if (move === undefined) return
      if (!isVerdict(event) || !isSame(before, move)) event = await this.#next(move, placement)
      if (event === undefined) return
      const next = advance(placement, id, event, clock.nowMs())
      if ('refused' in next) throw new Error(next.refused)
      await placements.replace(revision, next)
      before = move
    }
  }

  /** What has happened to a move that its phase does not say yet. */
  async #next(move: Move, { epoch }: Placement): Promise<MoveEvent | undefined> {
    if (move.isPaused) return undefined
    switch (move.phase.kind) {
      case 'preparing':
        return (await this.#isPrepared(move)) ? { kind: 'prepared' } : undefined
      case 'copying': {
        const term = await this.#termThere(move)
        return term === undefined ? undefined : { kind: 'copied', term }
      }
      case 'verifying': {
        const target = await this.#ports.report(move.to)
        if (target?.ready !== true) return undefined
        if (!holds(target, move)) return { kind: 'lost' }
        // One that was rebuilt, and misses something, shows what is not so.
        const source = await this.#ports.report(move.from)
        if (source?.ready === false) return undefined
        const detail = await this.#ports.verify(move)
        return detail === undefined ? { kind: 'verified' } : { kind: 'differed', detail }
      }
      case 'differs':
        return undefined
      case 'ready':
        return this.#cutOver(move)
      case 'retiring': {
        const agoMs = this.#ports.clock.nowMs() - move.phase.sinceMs
        return this.#end(move, { agoMs, isTakeover: move.phase.isTakeover, epoch })
      }
    }
  }

  async #isPrepared({ id, from }: Move): Promise<boolean> {
    const report = await this.#ports.report(from)
    if (report !== undefined) return report.prepared.includes(id)
    return this.#ports.isDead(from)
  }

  async #termThere({ id, to }: Move): Promise<number | undefined> {
    const report = await this.#ports.report(to)
    return report?.arrived.find(({ move }) => move === id)?.term
  }

  /**
   * When the target has passed the source's position; of a source that is dead, or recovers, the log's end as read after that was
   * seen.
   */
  async #cutOver(move: Move): Promise<MoveEvent | undefined> {
    const isTakeover = move.isStandby
    // A standby waits for just that; one that was rebuilt, and has nothing, begins anew.
    if (isTakeover && !(await this.#ports.isDead(move.from))) {
      const standby = await this.#ports.report(move.to)
      return standby?.ready === true && !holds(standby, move) ? { kind: 'lost' } : undefined
    }
    const source = isTakeover ? undefined : await this.#ports.report(move.from)
    const isGone = source === undefined
    if (isGone && !isTakeover && !(await this.#ports.isDead(move.from))) return undefined
    const shown = shownBy(source)
    const target = await this.#ports.report(move.to, { logEnd: shown === undefined })
    if (target?.ready !== true) return undefined
    if (!holds(target, move)) return { kind: 'lost' }
    const passed = shown ?? target.logEnd ?? []
    return hasReached(target.position, passed) ? { kind: 'cut-over', isTakeover } : undefined
  }

  /** Nobody wants to go back any more; or somebody has to: the target is dead, or the source that was dead is well again. */
  async #end(
    move: Move,
    now: { readonly agoMs: number; readonly isTakeover: boolean; readonly epoch: number },
  ): Promise<MoveEvent | undefined> {
    const { agoMs, isTakeover, epoch } = now
    const { retireMs, returnMs, awayMs } = this.#options
    if (await this.#ports.isDead(move.to)) {
      const source = await this.#ports.report(move.from, { logEnd: true })
      return mayGoBack(move, source, source?.logEnd) ? { kind: 'rolled-back' } : undefined
    }
    const isOver = agoMs >= (isTakeover ? awayMs : retireMs)
    const mayReturn = isTakeover && agoMs >= returnMs
    if (!isOver && !mayReturn) return undefined
    const target = await this.#ports.report(move.to)
    if (mayReturn && !(await this.#ports.isDead(move.from))) {
      const source = await this.#ports.report(move.from)
      if (mayGoBack(move, source, shownBy(target))) return { kind: 'rolled-back' }
    }
    if (!isOver) return undefined
    // Whoever the source sends away must be let in there.
    return target !== undefined && target.epoch >= epoch ? { kind: 'retired' } : undefined
  }
}

function isVerdict(event: MoveEvent | undefined): boolean {
  return event?.kind === 'verified' || event?.kind === 'differed'
}

function isSame(one: Move | undefined, other: Move): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
