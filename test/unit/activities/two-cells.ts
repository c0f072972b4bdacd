// Two cells beside each other on memory adapters, and slots that move from the first to the second step by step.

import type { CellLimits } from '../../../cells/model/cell-limits.ts'
import { advance, type MoveEvent, planMove } from '../../../cells/model/move.ts'
import { firstPlacement, type Placement } from '../../../cells/model/placement.ts'
import { MemoryFirehose } from '../../../infra/memory/firehose.ts'
import { MemoryPlacements } from '../../../infra/memory/placements.ts'
import { type Neighbourhood, Stage, StandingClock, START_MS, until } from './stage.ts'

/** A firehose and a placement of cells `a`, which has all slots, and `b`. */
export class TwoCells {
  readonly moving: MemoryPlacements
  readonly source: Stage
  readonly target: Stage
  readonly #slots: number
  #move = 0

  private constructor(slots: number, limits: Partial<CellLimits>) {
    const clock = new StandingClock()
    const firehose = new MemoryFirehose({ clock, logId: 'log', partitionsPerTopic: 2 })
    const placement = { ...firstPlacement(['a'], slots), cells: ['a', 'b'] }
    this.moving = new MemoryPlacements(placement)
    const near: Omit<Neighbourhood, 'name'> = { clock, firehose, moving: this.moving, placement }
    this.source = new Stage(limits, { ...near, name: 'a' })
    this.target = new Stage(limits, { ...near, name: 'b' })
    this.moving.addSource('a', this.source.store)
    this.#slots = slots
  }

  static async start(slots: number, limits: Partial<CellLimits> = {}): Promise<TwoCells> {
    const cells = new TwoCells(slots, limits)
    await cells.source.create(1).start()
    await cells.target.create(2).start()
    return cells
  }

  /** Plans a move of all slots to `b`; resolves when `a` is prepared. */
  async plan(options: { readonly isStandby?: boolean } = {}): Promise<void> {
    const slots = [{ first: 0, last: this.#slots - 1 }]
    const wanted = { slots, to: 'b', ...options }
    const planned = await this.#change((placement) => planMove(placement, wanted, START_MS))
    this.#move = planned.moves[0]?.id ?? 0
    await until(async () => (await this.source.cell.slots()).prepared.includes(this.#move))
  }

  async advance(event: MoveEvent): Promise<void> {
    await this.#change((placement) => advance(placement, this.#move, event, START_MS))
  }

  /** Resolves when `b` has the slots, and the placement says so. */
  async arrived(): Promise<void> {
    await until(async () => (await this.target.cell.slots()).arrived.length === 1)
    const { arrived } = await this.target.cell.slots()
    await this.advance({ kind: 'copied', term: arrived[0]?.term ?? 0 })
    await this.advance({ kind: 'verified' })
  }

  /** Plans a move of all slots to `b`; resolves when only the cutover is left. */
  async ready(): Promise<void> {
    await this.plan()
    await this.advance({ kind: 'prepared' })
    await this.arrived()
  }

  /** Resolves when `b` has heard that it owns the slots. */
  async cutOver({ isTakeover = false } = {}): Promise<void> {
    await this.advance({ kind: 'cut-over', isTakeover })
    const { placement } = await this.moving.read()
    await until(async () => (await this.target.cell.slots()).epoch === placement.epoch)
  }

  async #change(
    to: (placement: Placement) => Placement | { readonly refused: string },
  ): Promise<Placement> {
    const { placement, revision } = await this.moving.read()
    const next = to(placement)
    if ('refused' in next) throw new Error(next.refused)
    if (!(await this.moving.replace(revision, next))) throw new Error('the placement has changed')
    return next
  }
}
