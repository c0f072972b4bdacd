// The numbers that another cell gave to users, and ours of the same users: what is copied from its store is written with ours.
//
// Numbers are dense, so ours of theirs is one array: 4 bytes for each number that the other cell ever gave.

import { NamesTable } from '../model/names-table.ts'
import type { UserKey } from '../model/user-key.ts'
import type { NameTable } from '../ports/cell-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { NameBook } from './name-book.ts'
import type { Persistence } from './persist.ts'

/** The applier gives numbers too, and asks for room some time before it does. */
const ROOM_LEFT = 64

export class TheirNumbers {
  readonly #names: Pick<NameTable, 'all' | 'idsOf'>
  readonly #ourNames: NameBook
  readonly #persistence: Persistence
  readonly #clock: Clock
  readonly #theirs = new NamesTable()
  /** By their number; 0 where it was not learned. */
  #ours = new Uint32Array(1024)

  constructor(options: {
    names: Pick<NameTable, 'all' | 'idsOf'>
    ourNames: NameBook
    persistence: Persistence
    clock: Clock
  }) {
    this.#names = options.names
    this.#ourNames = options.ourNames
    this.#persistence = options.persistence
    this.#clock = options.clock
  }

  /** Reads all names that there are by now. */
  async load(): Promise<void> {
    for await (const rows of this.#names.all()) {
      // A store in this process is read without waiting for anything.
      await this.#clock.yield()
      for (const { key, number } of rows) {
        this.#theirs.add(key, number)
        if (number >= this.#ours.length) this.#grow(number)
      }
    }
  }

  keyOf(theirs: number): UserKey | undefined {
    return this.#theirs.keyOf(theirs)
  }

  /** Our number; 0 for one that was not learned, or that was given after the names were read. */
  ours(theirs: number): number {
    return this.#ours[theirs] ?? 0
  }

  /** Gives those of their users a number here who have none. */
  async learn(theirs: Iterable<number>): Promise<void> {
    const unknown: number[] = []
    for (const number of theirs) {
      if (this.ours(number) !== 0) continue
      const key = this.#theirs.keyOf(number)
      if (key === undefined) continue
      const ours = this.#ourNames.lookup(key)
      if (ours === 0) unknown.push(number)
      else this.#ours[number] = ours
    }
    if (unknown.length === 0) return
    const ids = await this.#persistence.untilDurable(() => this.#names.idsOf(unknown))
    while (!this.#ourNames.hasRoomFor(unknown.length + ROOM_LEFT)) {
      await this.#ourNames.reserve(unknown.length + 65_536)
    }
    for (const [i, number] of unknown.entries()) {
      const key = this.#theirs.keyOf(number)
      // Nothing for users who were erased.
      const id = ids[i] ?? ''
      if (key !== undefined) this.#ours[number] = this.#ourNames.numberOf({ key, id })
    }
  }

  #grow(number: number): void {
    const grown = new Uint32Array(Math.max(number + 1, this.#ours.length * 2))
    grown.set(this.#ours)
    this.#ours = grown
  }
}
