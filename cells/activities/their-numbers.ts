// The numbers that another cell gave to users, and ours of the same users: what is copied from its store is written with ours.

import { NamesTable } from '../model/names-table.ts'
import type { UserKey } from '../model/user-key.ts'
import type { NameTable } from '../ports/cell-store.ts'
import type { NameBook } from './name-book.ts'
import type { Persistence } from './persist.ts'

/** The applier gives numbers too, and asks for room some time before it does. */
const ROOM_LEFT = 64

export class TheirNumbers {
  readonly #names: Pick<NameTable, 'all' | 'idsOf'>
  readonly #ourNames: NameBook
  readonly #persistence: Persistence
  readonly #theirs = new NamesTable()
  readonly #ours = new Map<number, number>()

  constructor(options: {
    names: Pick<NameTable, 'all' | 'idsOf'>
    ourNames: NameBook
    persistence: Persistence
  }) {
    this.#names = options.names
    this.#ourNames = options.ourNames
    this.#persistence = options.persistence
  }

  /** Reads all names that there are by now. */
  async load(): Promise<void> {
    for await (const rows of this.#names.all()) {
      for (const { key, number } of rows) this.#theirs.add(key, number)
    }
  }

  keyOf(theirs: number): UserKey | undefined {
    return this.#theirs.keyOf(theirs)
  }

  /** Our number; undefined for one that was not learned, or that was given after the names were read. */
  ours(theirs: number): number | undefined {
    return this.#ours.get(theirs)
  }

  /** Gives those of their users a number here who have none. */
  async learn(theirs: Iterable<number>): Promise<void> {
    const unknown: number[] = []
    for (const number of new Set(theirs)) {
      const key = this.#ours.has(number) ? undefined : this.#theirs.keyOf(number)
      if (key === undefined) continue
      const ours = this.#ourNames.lookup(key)
      if (ours === 0) unknown.push(number)
      else this.#ours.set(number, ours)
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
      if (key !== undefined) this.#ours.set(number, this.#ourNames.numberOf({ key, id }))
    }
  }
}
