// Copies the posts of another cell into this one: bodies and marks, re-encoded with this cell's own numbers, and who was deleted.
// Rows carry the log's order, so a row that is here already and newer stays, and copying again changes nothing. What the donor
// adds meanwhile is met or not: it is in the log, from the donor's checkpoint on. Every row is read back and compared, byte by byte,
// before the checkpoint counts that says it is here.

import { hiOf, loOf } from '../model/post-id.ts'
import { decodeAuthorFacts } from '../model/rows.ts'
import type { UserKey } from '../model/user-key.ts'
import type { Loading } from '../ports/cell-client.ts'
import type { Clock } from '../ports/clock.ts'
import type { Donor } from '../ports/donor.ts'
import type { PostRow, PostTable } from '../ports/post-table.ts'
import type { AuthorBook } from './author-book.ts'
import type { CellState } from './cell-state.ts'
import type { NameBook } from './name-book.ts'
import type { Persistence } from './persist.ts'
import { TheirNumbers } from './their-numbers.ts'

export type Copied = {
  readonly posts: number
  readonly marks: number
  readonly deletedUsers: number
  /** Numbers of users homed here who have posts. */
  readonly authorsHere: ReadonlySet<number>
}

/** The store does not hold what it has said to have. */
export class CopyDiffers extends Error {
  readonly code = 'COPY_DIFFERS'
  override readonly name = 'CopyDiffers'
}

export class DonorCopy {
  readonly #state: CellState
  readonly #donor: Donor
  readonly #names: NameBook
  readonly #posts: PostTable
  readonly #authors: AuthorBook
  readonly #persistence: Persistence
  readonly #numbers: TheirNumbers
  readonly #onProgress: (loading: Loading) => void

  constructor(options: {
    state: CellState
    donor: Donor
    names: NameBook
    posts: PostTable
    authors: AuthorBook
    persistence: Persistence
    clock: Clock
    onProgress: (loading: Loading) => void
  }) {
    this.#state = options.state
    this.#donor = options.donor
    this.#names = options.names
    this.#posts = options.posts
    this.#authors = options.authors
    this.#persistence = options.persistence
    this.#onProgress = options.onProgress
    const { donor, names: ourNames, persistence, clock } = options
    this.#numbers = new TheirNumbers({ names: donor.names, ourNames, persistence, clock })
  }

  /** After the donor's checkpoint was read: what it stands for is there. */
  async run(): Promise<Copied> {
    const deleted = await this.#copyDeletions()
    const authorsHere = new Set<number>()
    let posts = 0
    let marks = 0
    for await (const theirs of this.#donor.posts.allPosts()) {
      const rows = await this.#inOurNumbers(theirs.rows)
      await this.#names.flush()
      await this.#persistence.untilDurable(() => this.#posts.put(rows))
      await this.#readBack(rows)
      for (const row of rows) {
        this.#state.authors.noteId(row.author, hiOf(row.postId), loOf(row.postId))
        if (row.body === undefined) marks++
        else {
          posts++
          if (this.#isHere(row.author)) authorsHere.add(row.author)
        }
      }
      this.#onProgress({ step: 'posts', done: posts + marks, part: theirs.part })
    }
    await this.#erase(deleted)
    return { posts, marks, deletedUsers: deleted.size, authorsHere }
  }

  /** Users who are deleted, by our number. Marked here before their posts are read, and for good. */
  async #copyDeletions(): Promise<Map<number, UserKey>> {
    const deleted = new Map<number, UserKey>()
    for await (const rows of this.#donor.authors.all()) {
      const theirs = rows.filter(({ bytes }) => decodeAuthorFacts(bytes).deleted)
      await this.#numbers.learn(theirs.map(({ author }) => author))
      for (const { author } of theirs) {
        const ours = this.#numbers.ours(author)
        const key = this.#numbers.keyOf(author)
        if (ours === 0 || key === undefined) continue
        if (!this.#state.authors.isDeleted(ours)) await this.#authors.deleteUser(ours)
        deleted.set(ours, key)
      }
    }
    return deleted
  }

  async #readBack(rows: readonly PostRow[]): Promise<void> {
    const stored = await this.#persistence.untilDurable(() => this.#posts.get(rows))
    for (const [i, row] of rows.entries()) {
      if (holds(stored[i], row)) continue
      throw new CopyDiffers(
        `the store does not hold post ${row.postId} as it was copied: look after the store, then begin anew`,
      )
    }
  }

  /** After the copy: a body could come after the mark of its author. */
  async #erase(deleted: ReadonlyMap<number, UserKey>): Promise<void> {
    for (const [user, key] of deleted) {
      await this.#persistence.untilDurable(() => this.#posts.eraseAuthor(user))
      await this.#names.forget(user, key)
    }
  }

  async #inOurNumbers(theirs: readonly PostRow[]): Promise<PostRow[]> {
    const numbers = theirs.flatMap(({ author, body }) =>
      body?.reblogOf === undefined ? [author] : [author, body.reblogOf.author],
    )
    await this.#numbers.learn(numbers)
    const rows: PostRow[] = []
    for (const row of theirs) {
      const author = this.#numbers.ours(row.author)
      const origin = row.body?.reblogOf
      const originAuthor = origin && this.#numbers.ours(origin.author)
      if (author === 0 || originAuthor === 0) continue
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

  #isHere(number: number): boolean {
    const key = this.#names.table.keyOf(number)
    return key !== undefined && this.#state.slotOfUser(key) !== undefined
  }
}

/** As it was written, or as something later has made it. */
function holds(stored: PostRow | undefined, row: PostRow): boolean {
  if (stored === undefined || stored.version < row.version) return false
  if (stored.version > row.version || row.body === undefined) return true
  const { body } = stored
  return (
    body !== undefined &&
    stored.createdOffset === row.createdOffset &&
    body.followersOnly === row.body.followersOnly &&
    body.reblogOf?.author === row.body.reblogOf?.author &&
    body.reblogOf?.postId === row.body.reblogOf?.postId &&
    Buffer.compare(body.head, row.body.head) === 0 &&
    Buffer.compare(body.content, row.body.content) === 0
  )
}
