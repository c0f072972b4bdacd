// Which users homed here may follow an author: rows in the store, and over them what is not durable yet. Everybody who does is in
// it, but for readers of slots that are not indexed yet; whether one does, the reader decides. Only lists of followers read it;
// dashboards never do.

import type { Position } from '../model/position.ts'
import type { Reader } from '../model/reader.ts'
import type { UserKey } from '../model/user-key.ts'
import type { FollowerRow, FollowerTable } from '../ports/cell-store.ts'
import type { NameBook } from './name-book.ts'
import type { Persistence } from './persist.ts'

type Rows = Map<number, Map<UserKey, FollowerRow>>

const BATCH = 1_000

export class FollowerIndex {
  readonly #table: FollowerTable
  readonly #names: NameBook
  readonly #persistence: Persistence
  #pending: Rows = new Map()
  #inFlight: Rows = new Map()
  #flushing: Promise<void> = Promise.resolve()

  constructor(options: { table: FollowerTable; names: NameBook; persistence: Persistence }) {
    this.#table = options.table
    this.#names = options.names
    this.#persistence = options.persistence
  }

  note(row: FollowerRow): void {
    const rows = this.#pending.get(row.author)
    if (rows === undefined) this.#pending.set(row.author, new Map([[row.user, row]]))
    else rows.set(row.user, row)
  }

  /** Notes everybody whom a reader follows, as of a position at least as late as what the reader reflects. */
  noteEdges(reader: Reader, position: Position): void {
    const user = this.#names.table.keyOf(reader.number)
    if (user === undefined) return
    const version = Math.max(...position, ...(reader.recoveredAt ?? []))
    reader.edges.compact()
    for (const author of reader.edges.keys.subarray(0, reader.edges.size)) {
      if (author !== reader.number) this.note({ author, user, version, follows: true })
    }
  }

  /** Makes everything noted so far durable. */
  flush(): Promise<void> {
    const turn = this.#flushing.then(() => this.#flush())
    this.#flushing = turn.catch(() => undefined)
    return turn
  }

  async #flush(): Promise<void> {
    if (this.#pending.size === 0) return
    this.#inFlight = this.#pending
    this.#pending = new Map()
    await this.#names.flush()
    const rows = [...this.#inFlight.values()].flatMap((ofAuthor) => [...ofAuthor.values()])
    for (let from = 0; from < rows.length; from += BATCH) {
      const batch = rows.slice(from, from + BATCH)
      await this.#persistence.untilDurable(() => this.#table.put(batch))
    }
    this.#inFlight = new Map()
  }

  /** Followers with key > `after` in key order: at least `limit` unless there are no more. */
  async after(author: number, after: UserKey | undefined, limit: number): Promise<UserKey[]> {
    const found: UserKey[] = []
    let from = after
    for (;;) {
      // Taken before and after the read: a row that becomes durable meanwhile is seen in one of the two.
      const noted = [this.#inFlight.get(author), this.#pending.get(author)]
      const stored = await this.#table.after(author, from, limit)
      const end = stored.length < limit ? undefined : stored.at(-1)
      const keys = new Set(stored)
      const later = [this.#inFlight.get(author), this.#pending.get(author)]
      for (const rows of [...noted, ...later]) overlay(keys, rows, from, end)
      found.push(...[...keys].sort((a, b) => (a < b ? -1 : 1)))
      if (end === undefined || found.length >= limit) return found
      from = end
    }
  }
}

function overlay(
  keys: Set<UserKey>,
  rows: Map<UserKey, FollowerRow> | undefined,
  from: UserKey | undefined,
  end: UserKey | undefined,
): void {
  for (const row of rows?.values() ?? []) {
    if ((from !== undefined && row.user <= from) || (end !== undefined && row.user > end)) continue
    if (row.follows) keys.add(row.user)
    else keys.delete(row.user)
  }
}
