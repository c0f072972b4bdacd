// One author's posts, and one post: reads that start from the author, not the viewer.

import { hiOf, loOf, type PostId } from '../model/post-id.ts'
import type { UserKey } from '../model/user-key.ts'
import type { AuthorPage, Place, PostFound, PostView } from '../ports/cell-client.ts'
import type { PostRow, PostTable } from '../ports/post-table.ts'
import type { CellState } from './cell-state.ts'
import type { Hydration, Viewer } from './hydrate.ts'
import type { NameBook } from './name-book.ts'
import { isMark } from './post-rows.ts'

export class AuthorPosts {
  readonly #state: CellState
  readonly #names: NameBook
  readonly #posts: PostTable
  readonly #hydration: Hydration

  constructor(options: {
    state: CellState
    names: NameBook
    posts: PostTable
    hydration: Hydration
  }) {
    this.#state = options.state
    this.#names = options.names
    this.#posts = options.posts
    this.#hydration = options.hydration
  }

  async post(viewer: Viewer, author: UserKey, postId: PostId): Promise<PostFound> {
    const row = await this.row(author, postId)
    if (row === undefined) return { kind: 'unknown' }
    if (row.body === undefined || this.#state.authors.isDeleted(row.author))
      return { kind: 'deleted' }
    if (!this.#hydration.isVisible(viewer, row.author, row.body)) return { kind: 'not-visible' }
    const [post] = await this.#hydration.views(viewer, [row])
    return post === undefined
      ? { kind: 'deleted' }
      : { kind: 'found', post, createdOffset: row.createdOffset }
  }

  async page(
    viewer: Viewer,
    author: UserKey,
    query: { readonly limit: number; readonly older: Place | undefined },
  ): Promise<AuthorPage> {
    const number = this.#names.lookup(author)
    if (number === 0 || !this.#hydration.isAuthorVisible(viewer, number)) {
      return { posts: [], older: undefined }
    }
    const limit = Math.min(query.limit, this.#state.limits.pageMax)
    const posts: PostView[] = []
    let below = query.older?.postId
    for (;;) {
      const ids = await this.#idsBelow(number, below, limit + 1)
      const rows = await this.#visibleRows(viewer, number, ids)
      posts.push(...(await this.#hydration.views(viewer, rows)))
      if (posts.length > limit || ids.length <= limit) break
      below = ids.at(-1)
    }
    const hasMore = posts.length > limit
    if (hasMore) posts.length = limit
    const last = posts.at(-1)
    const older = hasMore && last !== undefined ? { postId: last.postId, author } : undefined
    return { posts, older }
  }

  /** Undefined when the cell has neither body nor mark. */
  async row(author: UserKey, postId: PostId): Promise<PostRow | undefined> {
    const number = this.#names.lookup(author)
    if (number === 0) return undefined
    const [row] = await this.#hydration.find([this.#hydration.wanted({ author: number, postId })])
    const isThere = row !== undefined && (row.body !== undefined || isMark(row))
    return isThere ? row : undefined
  }

  /** Ids of the author's posts below the place, newest first: of the window and of the store, which overlap. */
  async #idsBelow(author: number, below: PostId | undefined, limit: number): Promise<PostId[]> {
    const { window } = this.#state
    const recent: PostId[] = []
    const hi = below === undefined ? 0xffff_ffff : hiOf(below)
    const lo = below === undefined ? 0xffff_ffff : loOf(below)
    for (
      let entry = window.firstBelow(author, hi, lo, below === undefined);
      entry >= 0 && recent.length < limit;
      entry = window.older(entry)
    ) {
      recent.push(((BigInt(window.hiAt(entry)) << 32n) | BigInt(window.loAt(entry))) as PostId)
    }
    const stored = await this.#posts.idsBelow(author, below, limit)
    const ids = [...new Set([...recent, ...stored.postIds])]
    return ids.sort((a, b) => (a > b ? -1 : a < b ? 1 : 0)).slice(0, limit)
  }

  async #visibleRows(viewer: Viewer, author: number, ids: readonly PostId[]): Promise<PostRow[]> {
    const rows = await this.#hydration.find(
      ids.map((postId) => this.#hydration.wanted({ author, postId })),
    )
    return rows.filter(
      (row): row is PostRow =>
        row?.body !== undefined && this.#hydration.isVisible(viewer, author, row.body),
    )
  }
}
