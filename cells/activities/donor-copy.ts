// Copies the posts of another cell into this one: bodies and marks, re-encoded with this cell's own numbers, and who was deleted.
// Rows carry the log's order, so a row that is here already and newer stays, and copying again changes nothing. What the donor
// adds meanwhile is met or not: it is in the log, from the donor's checkpoint on.

import { NamesTable } from '../model/names-table.ts'
import { hiOf, loOf } from '../model/post-id.ts'
import { decodeAuthorFacts } from '../model/rows.ts'
import type { UserKey } from '../model/user-key.ts'
import type { NameTable } from '../ports/cell-store.ts'
import type { Donor } from '../ports/donor.ts'
import type { PostRow, PostTable } from '../ports/post-table.ts'
import type { AuthorBook } from './author-book.ts'
import type { CellState } from './cell-state.ts'
import type { NameBook } from './name-book.ts'
import type { Persistence } from './persist.ts'

export type Copied = {
  readonly posts: number
  readonly marks: number
  readonly deletedUsers: number
  /** Numbers of users homed here who have posts. */
  readonly authorsHere: ReadonlySet<number>
}

export class DonorCopy {
  readonly #state: CellState
  readonly #donor: Donor
  readonly #names: NameBook
  readonly #posts: PostTable
  readonly #authors: AuthorBook
  readonly #persistence: Persistence
  /** The donor's numbers, and for those met so far ours. */
  readonly #theirNames = new NamesTable()
  readonly #ours = new Map<number, number>()

  constructor(options: {
    state: CellState
    donor: Donor
    names: NameBook
    posts: PostTable
    authors: AuthorBook
    persistence: Persistence
  }) {
    this.#state = options.state
    this.#donor = options.donor
    this.#names = options.names
    this.#posts = options.posts
    this.#authors = options.authors
    this.#persistence = options.persistence
  }

  /** After the donor's checkpoint was read: what it stands for is there. */
  async run(): Promise<Copied> {
    for await (const rows of this.#donor.names.all()) {
      for (const { key, number } of rows) this.#theirNames.add(key, number)
    }
    const deleted = await this.#copyDeletions()
    const authorsHere = new Set<number>()
    let posts = 0
    let marks = 0
    for await (const theirs of this.#donor.posts.allPosts()) {
      const rows = await this.#inOurNumbers(theirs)
      await this.#names.flush()
      await this.#persistence.untilDurable(() => this.#posts.put(rows))
      for (const row of rows) {
        this.#state.authors.noteId(row.author, hiOf(row.postId), loOf(row.postId))
        if (row.body === undefined) marks++
        else {
          posts++
          if (this.#isHere(row.author)) authorsHere.add(row.author)
        }
      }
    }
    await this.#erase(deleted)
    return { posts, marks, deletedUsers: deleted.size, authorsHere }
  }

  /** Users who are deleted, by our number. Marked here before their posts are read, and for good. */
  async #copyDeletions(): Promise<Map<number, UserKey>> {
    const deleted = new Map<number, UserKey>()
    for await (const rows of this.#donor.authors.all()) {
      const theirs = rows.filter(({ bytes }) => decodeAuthorFacts(bytes).deleted)
      await this.#learn(theirs.map(({ author }) => author))
      for (const { author } of theirs) {
        const ours = this.#ours.get(author)
        const key = this.#theirNames.keyOf(author)
        if (ours === undefined || key === undefined) continue
        if (!this.#state.authors.isDeleted(ours)) await this.#authors.deleteUser(ours)
        deleted.set(ours, key)
      }
    }
    return deleted
  }

  /** After the copy: a body could come after the mark of its author. */
  async #erase(deleted: ReadonlyMap<number, UserKey>): Promise<void> {
    for (const [user, key] of deleted) {
      await this.#persistence.untilDurable(() => this.#posts.eraseAuthor(user))
      await this.#names.forget(user, key)
    }
  }

  /** Without rows of users named after the donor's names were read: they are of records from the donor's checkpoint on. */
  async #inOurNumbers(theirs: readonly PostRow[]): Promise<PostRow[]> {
    const numbers = theirs.flatMap(({ author, body }) =>
      body?.reblogOf === undefined ? [author] : [author, body.reblogOf.author],
    )
    await this.#learn(numbers)
    const rows: PostRow[] = []
    for (const row of theirs) {
      const author = this.#ours.get(row.author)
      const origin = row.body?.reblogOf
      const originAuthor = origin && this.#ours.get(origin.author)
      if (author === undefined || (origin !== undefined && originAuthor === undefined)) continue
      if (row.body === undefined) rows.push({ ...row, author })
      else {
        const reblogOf =
          origin === undefined || originAuthor === undefined
            ? undefined
            : { author: originAuthor, postId: origin.postId }
        rows.push({ ...row, author, body: { ...row.body, reblogOf } })
      }
    }
    return rows
  }

  /** Gives those of the donor's users a number here who have none. */
  async #learn(theirs: readonly number[]): Promise<void> {
    const unknown: number[] = []
    for (const number of new Set(theirs)) {
      const key = this.#ours.has(number) ? undefined : this.#theirNames.keyOf(number)
      if (key === undefined) continue
      const ours = this.#names.lookup(key)
      if (ours === 0) unknown.push(number)
      else this.#ours.set(number, ours)
    }
    if (unknown.length === 0) return
    if (!this.#names.hasRoomFor(unknown.length)) await this.#names.reserve(unknown.length + 65_536)
    const ids = await this.#idsOf(unknown)
    for (const [i, number] of unknown.entries()) {
      const key = this.#theirNames.keyOf(number)
      if (key !== undefined) this.#ours.set(number, this.#names.numberOf({ key, id: ids[i] ?? '' }))
    }
  }

  /** Nothing for users who were erased. */
  #idsOf(numbers: readonly number[]): ReturnType<NameTable['idsOf']> {
    return this.#persistence.untilDurable(() => this.#donor.names.idsOf(numbers))
  }

  #isHere(number: number): boolean {
    const key = this.#names.table.keyOf(number)
    return key !== undefined && this.#state.slotOfUser(key) !== undefined
  }
}
