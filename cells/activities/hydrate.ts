// What a viewer may see of a post, and the post for the wire. One rule for pages, watchers, unread counts and reblog origins:
// never a post that is deleted, or of an author who was deleted or is hidden from the viewer; posts for followers only to
// followers.

import { hiOf, loOf } from '../model/post-id.ts'
import type { Reader } from '../model/reader.ts'
import type { OriginView, PostView } from '../ports/cell-client.ts'
import type { PostBody, PostKey, PostRow } from '../ports/post-table.ts'
import type { Bodies, Wanted } from './bodies.ts'
import type { CellState } from './cell-state.ts'
import type { NameBook } from './name-book.ts'

/** Who looks: a reader, a user this cell has never heard of (0), or nobody in particular. */
export type Viewer = { readonly number: number; readonly reader: Reader | undefined } | undefined

export class Hydration {
  readonly #state: CellState
  readonly #names: NameBook
  readonly #bodies: Bodies
  /** What was read ahead, kept so that the reads are not left out. */
  touched = 0

  constructor(options: { state: CellState; names: NameBook; bodies: Bodies }) {
    this.#state = options.state
    this.#names = options.names
    this.#bodies = options.bodies
  }

  /** Whether the viewer may see this author at all. */
  isAuthorVisible(viewer: Viewer, author: number): boolean {
    if (this.#state.authors.isDeleted(author)) return false
    return (viewer?.reader?.hiddenBits(author) ?? 0) === 0
  }

  /** Whether the viewer may see this post outside of dashboards. */
  isVisible(viewer: Viewer, author: number, body: PostBody): boolean {
    if (!this.isAuthorVisible(viewer, author)) return false
    if (!body.followersOnly) return true
    return (
      viewer !== undefined && (viewer.number === author || viewer.reader?.follows(author) === true)
    )
  }

  wanted(key: PostKey): Wanted {
    const entry = this.#state.window.find(key.author, hiOf(key.postId), loOf(key.postId))
    return { author: key.author, postId: key.postId, entry }
  }

  find(posts: readonly Wanted[]): Promise<(PostRow | undefined)[]> {
    this.touched = this.#lookAhead(posts)
    return this.#bodies.find(posts)
  }

  /** Reads at random in loops of their own overlap: 20 posts take 5 us less when names and rows were looked at before. */
  #lookAhead(posts: readonly Wanted[]): number {
    let touched = 0
    for (const { author } of posts) touched += this.#names.table.firstWord(author)
    for (const post of posts) touched += this.#bodies.held(post)?.version ?? 0
    return touched
  }

  held(post: Wanted): PostRow | undefined {
    return this.#bodies.held(post)
  }

  /** The rows as views, origins included. Rows without body (marks) must have been left out. */
  async views(viewer: Viewer, rows: readonly PostRow[]): Promise<PostView[]> {
    if (rows.every((row) => row.body?.reblogOf === undefined))
      return rows.map((row) => this.#view(row, undefined))
    const origins = rows.map((row) => row.body?.reblogOf)
    const found = await Promise.all(origins.map((origin) => this.#origin(viewer, origin)))
    return rows.map((row, i) => this.#view(row, found[i]))
  }

  async #origin(viewer: Viewer, key: PostKey | undefined): Promise<OriginView | undefined> {
    if (key === undefined) return undefined
    const [row] = await this.#bodies.find([this.wanted(key)])
    if (row?.body === undefined || !this.isVisible(viewer, key.author, row.body)) {
      return { kind: 'unavailable' }
    }
    return { kind: 'visible', head: row.body.head, content: row.body.content }
  }

  #view(row: PostRow, origin: OriginView | undefined): PostView {
    const { body } = row
    const author = this.#names.table.keyOf(row.author)
    if (body === undefined || author === undefined) throw new Error('a mark has no view')
    return {
      author,
      postId: row.postId,
      head: body.head,
      content: body.content,
      audience: body.followersOnly ? 'followers' : 'public',
      origin,
    }
  }
}
