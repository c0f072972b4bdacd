// One author's posts, one post, and why a post is or is not on a dashboard: reads that start from the author, not the viewer.

import { hiOf, ID_EPOCH_MS, loOf, type PostId, secondOfHalves } from '../model/post-id.ts'
import {
  BLOCKED,
  BLOCKED_BY,
  COVERED_FROM,
  NOT_COVERED,
  HIDE_REBLOGS,
  MUTED,
} from '../model/reader.ts'
import type { UserKey } from '../model/user-key.ts'
import type {
  AuthorPage,
  Explanation,
  Place,
  PostFound,
  PostView,
  Verdict,
} from '../ports/cell-client.ts'
import type { PostRow, PostTable } from '../ports/post-table.ts'
import type { CellState, Slot } from './cell-state.ts'
import type { Hydration, Viewer } from './hydrate.ts'
import type { NameBook } from './name-book.ts'
import type { Policy } from './policy.ts'
import { isMark } from './post-rows.ts'

export class AuthorPosts {
  readonly #state: CellState
  readonly #names: NameBook
  readonly #posts: PostTable
  readonly #hydration: Hydration
  readonly #policy: Pick<Policy, 'figuresOf'>

  constructor(options: {
    state: CellState
    names: NameBook
    posts: PostTable
    hydration: Hydration
    policy: Pick<Policy, 'figuresOf'>
  }) {
    this.#state = options.state
    this.#names = options.names
    this.#posts = options.posts
    this.#hydration = options.hydration
    this.#policy = options.policy
  }

  async post(viewer: Viewer, author: UserKey, postId: PostId): Promise<PostFound> {
    const row = await this.#row(author, postId)
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

  async explain(user: UserKey, slot: Slot, post: Place, lagMs: number): Promise<Explanation> {
    const row = await this.#row(post.author, post.postId)
    // As of now: what came while the row was read may have made a reader of the user.
    const number = this.#names.lookup(user)
    const viewer = { number, reader: slot.readers.get(number) }
    const author = this.#names.lookup(post.author)
    const edge = author === 0 ? undefined : viewer.reader?.edges.get(author)
    // Until the cell has applied everything, no other reason counts.
    const isBehind = row === undefined && lagMs > 0
    const verdict = isBehind ? 'not-applied-yet' : this.#verdict(viewer, author, edge, row)
    const covered =
      edge === undefined
        ? undefined
        : Math.max(edge & COVERED_FROM, this.#state.authors.raisedOf(author), slot.floor)
    return {
      verdict,
      source:
        verdict === 'on-dashboard' ? this.#source(author, post.postId, covered ?? 0) : undefined,
      coveredFromSecond:
        covered === undefined || covered === NOT_COVERED ? undefined : unixSecond(covered),
      authorPulled: author !== 0 && this.#state.authors.isPulled(author),
      pairLeftOut: edge !== undefined && (edge & COVERED_FROM) === NOT_COVERED,
      classFigures: author === 0 ? undefined : this.#policy.figuresOf(author),
      slot: slot.slot,
      lagMs,
    }
  }

  #verdict(
    viewer: Viewer,
    author: number,
    edge: number | undefined,
    row: PostRow | undefined,
  ): Verdict {
    const { authors } = this.#state
    if (authors.isDeleted(author)) return 'author-deleted'
    if (viewer !== undefined && authors.isDeleted(viewer.number)) return 'reader-deleted'
    if (row === undefined) return 'unknown-post'
    if (isMark(row)) return 'deleted'
    const hidden = viewer?.reader?.hiddenBits(author) ?? 0
    if ((hidden & BLOCKED) !== 0) return 'blocked'
    if ((hidden & BLOCKED_BY) !== 0) return 'blocked-by-author'
    if ((hidden & MUTED) !== 0) return 'muted'
    if (edge === undefined) return 'not-followed'
    if (row.body?.reblogOf !== undefined && edge >= HIDE_REBLOGS) return 'reblog-hidden'
    return 'on-dashboard'
  }

  #source(author: number, postId: PostId, covered: number): 'window' | 'inbox' | 'pulled' {
    const hi = hiOf(postId)
    const lo = loOf(postId)
    if (this.#state.window.find(author, hi, lo) >= 0) return 'window'
    return secondOfHalves(hi, lo) < covered ? 'pulled' : 'inbox'
  }

  async #row(author: UserKey, postId: PostId): Promise<PostRow | undefined> {
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

/** Coverage in Unix seconds; 0 where everything is covered. */
function unixSecond(covered: number): number {
  return covered === 0 ? 0 : covered + ID_EPOCH_MS / 1000
}
