// What every change of the placement has to keep to, whoever makes it: slots are moved from who owns them; nobody takes over from a cell
// that lives; what is paused stays; and whoever owns a slot next answers as of what its owner before had answered.

import {
  type CellName,
  hasSlot,
  ownerOf,
  type Placement,
  slotsIn,
} from '../../cells/model/placement.ts'
import type { Position } from '../../cells/model/position.ts'
import { Violation } from './violation.ts'
import type { World } from './world.ts'

/** When each cell was last found dead. */
export type Deaths = ReadonlyMap<CellName, number>

export class ChangeCheck {
  readonly #world: World
  readonly #deaths: Deaths
  #revision = 0
  #readAtUs = 0
  #answered: ReadonlyMap<CellName, Position> = new Map()

  constructor(world: World, deaths: Deaths) {
    this.#world = world
    this.#deaths = deaths
  }

  /** The placement is read, for the first time by this one: a change may be made from what is seen from now on. */
  noteRead(): void {
    const { hosts, scheduler, control } = this.#world
    const { revision } = control.found
    if (revision === this.#revision) return
    this.#revision = revision
    this.#readAtUs = scheduler.nowUs
    this.#answered = new Map(hosts.map(({ name, answered }) => [name, answered]))
  }

  /** A change by an operator. */
  changed(before: Placement, after: Placement): void {
    for (const { id, slots, from, to, phase } of after.moves) {
      const owner = phase.kind === 'retiring' ? to : from
      const other = slotsIn(slots).find((slot) => ownerOf(after, slot).cell !== owner)
      if (other === undefined) continue
      this.#report(`move ${id}, ${phase.kind} from ${from} to ${to}, has slot ${other} of another`)
    }
    for (const slot of slotsIn(after.ranges)) {
      if (!hasSlot(before, slot)) continue
      const [left, next] = [ownerOf(before, slot).cell, ownerOf(after, slot).cell]
      if (left === next) continue
      this.#world.hostOf(next).noteAnswered(this.#answered.get(left) ?? [])
    }
  }

  /** A change that nobody asked for. */
  changedByItself(before: Placement, after: Placement): void {
    this.changed(before, after)
    for (const { id, isPaused, isStandby, from, phase } of after.moves) {
      const old = before.moves.find((move) => move.id === id)
      const hasGoneOn = old !== undefined && old.phase.kind !== phase.kind
      if (hasGoneOn && isPaused) this.#report(`paused move ${id} went on`)
      const isTakeover = hasGoneOn && phase.kind === 'retiring' && phase.isTakeover
      const isAdoption = old === undefined && !isStandby
      if (!isTakeover && !isAdoption) continue
      if ((this.#deaths.get(from) ?? -1) >= this.#readAtUs) continue
      this.#report(`move ${id} takes slots from ${from}, which lives`)
    }
  }

  #report(what: string): void {
    this.#world.report(new Violation(what))
  }
}
