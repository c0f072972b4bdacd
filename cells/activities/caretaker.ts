// Keeps a placement as operators wish it when nobody looks: standbys where the rules want them, and slots of a dead cell that had none
// adopted by the others. Like the mover it keeps nothing of its own, and several may run.

import { adoption, ownedBy, towardsRules } from '../model/standbys.ts'
import type { CellName, Placement } from '../model/placement.ts'
import type { Clock } from '../ports/clock.ts'
import type { Placements } from '../ports/placements.ts'

export type CaretakerPorts = {
  readonly placements: Pick<Placements, 'read' | 'replace'>
  readonly clock: Pick<Clock, 'nowMs'>
  /** Whether its lease has ended so long ago that nobody waits for it any more. */
  readonly isLost: (cell: CellName) => Promise<boolean>
  /** Whether it answers, and is ready. */
  readonly isWell: (cell: CellName) => Promise<boolean>
}

export class Caretaker {
  readonly #ports: CaretakerPorts

  constructor(ports: CaretakerPorts) {
    this.#ports = ports
  }

  /** Changes one thing at most. */
  async step(): Promise<void> {
    const { placements, clock } = this.#ports
    const { placement, revision } = await placements.read()
    const next = towardsRules(placement, clock.nowMs()) ?? (await this.#adopted(placement))
    if (next !== undefined) await placements.replace(revision, next)
  }

  async #adopted(placement: Placement): Promise<Placement | undefined> {
    const { isLost, clock } = this.#ports
    for (const cell of placement.cells) {
      if (ownedBy(placement, cell).length === 0 || !(await isLost(cell))) continue
      const next = adoption(placement, cell, await this.#othersOf(placement, cell), clock.nowMs())
      if (next !== undefined) return next
    }
    return undefined
  }

  async #othersOf({ cells }: Placement, lost: CellName): Promise<CellName[]> {
    const well: CellName[] = []
    for (const cell of cells) if (cell !== lost && (await this.#ports.isWell(cell))) well.push(cell)
    return well
  }
}
