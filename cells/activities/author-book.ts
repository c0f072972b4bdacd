// Facts of authors that are durable at once: class, raised coverage, deletion. What shrinks coverage is durable before reads and
// generations count on it; what ends a raise is never forgotten. Rows are versioned, so a late write never undoes a later one.

import { secondOfHalves } from '../model/post-id.ts'
import { encodeAuthorFacts } from '../model/rows.ts'
import type { AuthorRow, AuthorTable } from '../ports/cell-store.ts'
import type { CellState } from './cell-state.ts'
import type { NameBook } from './name-book.ts'
import type { Persistence } from './persist.ts'

export class AuthorBook {
  readonly #state: CellState
  readonly #table: AuthorTable
  readonly #names: NameBook
  readonly #persistence: Persistence
  readonly #boot: number
  #count = 0
  /** Writes one after the other, so that each row is built on what the one before it decided. */
  #last: Promise<void> = Promise.resolve()

  constructor(options: {
    state: CellState
    table: AuthorTable
    names: NameBook
    persistence: Persistence
    boot: number
  }) {
    this.#state = options.state
    this.#table = options.table
    this.#names = options.names
    this.#persistence = options.persistence
    this.#boot = options.boot
  }

  /** Nothing of these authors before their second is covered any more. */
  raise(seconds: ReadonlyMap<number, number>): Promise<void> {
    return this.#inTurn(async () => {
      const authors = this.#state.authors
      const rows = [...seconds].map(([author, second]) =>
        this.#row(author, { raised: Math.max(authors.raisedToStore(author), second) }),
      )
      await this.#write(rows)
      for (const [author, second] of seconds) authors.raise(author, second)
    })
  }

  /** From now on generations leave these authors' posts out, and pages pull them. */
  pull(some: readonly number[]): Promise<void> {
    return this.#inTurn(async () => {
      await this.#write(some.map((author) => this.#row(author, { pulled: true })))
      const { authors } = this.#state
      for (const author of some) {
        authors.pull(author)
        authors.setLeftOut(author, true)
      }
    })
  }

  /** Generations take these authors in at once; coverage starts above everything applied until then, when that is durable. */
  deliver(some: readonly number[]): Promise<void> {
    return this.#inTurn(async () => {
      const { authors } = this.#state
      const pulled = some.filter((author) => authors.isPulled(author))
      const raises = pulled.map((author) => {
        authors.setLeftOut(author, false)
        const raised = Math.max(authors.raisedToStore(author), authors.coverageAtLink(author))
        return { author, raised }
      })
      await this.#write(
        raises.map(({ author, raised }) => this.#row(author, { pulled: false, raised })),
      )
      for (const { author, raised } of raises) authors.unpull(author, raised)
    })
  }

  /**
   * Writes the class of pulled authors again, with this boot's version: before generations leave them out, a row of an earlier
   * boot that ends the class and has yet to land must have lost.
   */
  reaffirmPulled(): Promise<void> {
    return this.#inTurn(async () => {
      const rows = [...this.#state.authors.pulled].map((author) => this.#row(author, {}))
      await this.#write(rows)
    })
  }

  /** A final mark. */
  deleteUser(user: number): Promise<void> {
    return this.#inTurn(async () => {
      await this.#write([this.#row(user, { deleted: true })])
      this.#state.authors.setDeleted(user)
    })
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => undefined)
    return turn
  }

  #row(
    author: number,
    change: { raised?: number; pulled?: boolean; deleted?: boolean },
  ): AuthorRow {
    const authors = this.#state.authors
    const facts = {
      raised: authors.raisedToStore(author),
      pulled: authors.isPulled(author),
      deleted: authors.isDeleted(author),
      ...change,
    }
    const version = { boot: this.#boot, count: ++this.#count }
    return { author, version, bytes: encodeAuthorFacts(facts) }
  }

  async #write(rows: readonly AuthorRow[]): Promise<void> {
    if (rows.length === 0) return
    await this.#names.flush()
    await this.#persistence.untilDurable(() => this.#table.put(rows))
  }
}

/** The first second above an id. */
export function secondAbove(hi: number, lo: number): number {
  return secondOfHalves(hi, lo) + 1
}
