// The numbers that another cell gave to users, and ours of the same users: what is copied from its store is written with ours.
//
// Only names that are asked for are read: who moves a hundred users out of ten million reads those whom they follow. Numbers are dense,
// so ours of theirs is one array: 4 bytes for each number that the other cell ever gave.

import type { UserKey } from '../model/user-key.ts'
import type { NameRow, NameTable } from '../ports/cell-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { NameBook } from './name-book.ts'
import type { Persistence } from './persist.ts'

/** The applier gives numbers too, and asks for room some time before it does. */
const ROOM_LEFT = 64
const NAMES_AT_ONCE = 256

export class TheirNumbers {
  readonly #names: Pick<NameTable, 'get'>
  readonly #ourNames: NameBook
  readonly #persistence: Persistence
  readonly #clock: Pick<Clock, 'yield'>
  /** By their number; 0 where it was not learned. */
  #ours = new Uint32Array(1024)

  constructor(options: {
    names: Pick<NameTable, 'get'>
    ourNames: NameBook
    persistence: Persistence
    clock: Pick<Clock, 'yield'>
  }) {
    this.#names = options.names
    this.#ourNames = options.ourNames
    this.#persistence = options.persistence
    this.#clock = options.clock
  }

  /** Of one that was learned. */
  keyOf(theirs: number): UserKey | undefined {
    return this.#ourNames.table.keyOf(this.ours(theirs))
  }

  /** Our number; 0 for one that was not learned, or that has no name there. */
  ours(theirs: number): number {
    return this.#ours[theirs] ?? 0
  }

  /** Gives those of their users a number here who have none. */
  async learn(theirs: Iterable<number>): Promise<void> {
    const isUnknown = (number: number): boolean => this.ours(number) === 0
    const numbers = [...new Set(theirs)].filter(isUnknown)
    for (let from = 0; from < numbers.length; from += NAMES_AT_ONCE) {
      // Whoever learns beside this may have come first.
      const some = numbers.slice(from, from + NAMES_AT_ONCE).filter(isUnknown)
      const rows = await this.#persistence.untilDurable(() => this.#names.get(some))
      // A store in this process is read without waiting for anything.
      await this.#clock.yield()
      await this.#number(rows.filter((row) => row !== undefined))
    }
  }

  async #number(rows: readonly NameRow[]): Promise<void> {
    const strangers = rows.filter(({ key }) => this.#ourNames.lookup(key) === 0).length
    while (!this.#ourNames.hasRoomFor(strangers + ROOM_LEFT)) {
      await this.#ourNames.reserve(strangers + 65_536)
    }
    for (const { number, key, id } of rows) {
      if (number >= this.#ours.length) this.#grow(number)
      this.#ours[number] = this.#ourNames.numberOf({ key, id })
    }
  }

  #grow(number: number): void {
    const grown = new Uint32Array(Math.max(number + 1, this.#ours.length * 2))
    grown.set(this.#ours)
    this.#ours = grown
  }
}
