// Why a post is, or is not, on a dashboard, where a page takes it from, and what decided that.

import { hiOf, ID_EPOCH_MS, loOf, type PostId, secondOfHalves } from '../model/post-id.ts'
import {
  BLOCKED,
  BLOCKED_BY,
  COVERED_FROM,
  HIDE_REBLOGS,
  MUTED,
  NOT_COVERED,
} from '../model/reader.ts'
import type { UserKey } from '../model/user-key.ts'
import type { Explanation, Place, Verdict } from '../ports/cell-client.ts'
import type { Clock } from '../ports/clock.ts'
import type { PostRow } from '../ports/post-table.ts'
import type { AuthorPosts } from './author-posts.ts'
import type { CellState, Slot } from './cell-state.ts'
import type { Viewer } from './hydrate.ts'
import type { NameBook } from './name-book.ts'
import type { Policy } from './policy.ts'
import { isMark } from './post-rows.ts'
import type { ReaderClasses } from './reader-classes.ts'

export class Explanations {
  readonly #state: CellState
  readonly #names: NameBook
  readonly #authorPosts: Pick<AuthorPosts, 'row'>
  readonly #policy: Pick<Policy, 'figuresOf' | 'pairFiguresOf'>
  readonly #classes: ReaderClasses
  readonly #clock: Pick<Clock, 'nowMs'>

  constructor(options: {
    state: CellState
    names: NameBook
    authorPosts: Pick<AuthorPosts, 'row'>
    policy: Pick<Policy, 'figuresOf' | 'pairFiguresOf'>
    classes: ReaderClasses
    clock: Pick<Clock, 'nowMs'>
  }) {
    this.#state = options.state
    this.#names = options.names
    this.#authorPosts = options.authorPosts
    this.#policy = options.policy
    this.#classes = options.classes
    this.#clock = options.clock
  }

  async explain(user: UserKey, slot: Slot, post: Place, lagMs: number): Promise<Explanation> {
    const row = await this.#authorPosts.row(post.author, post.postId)
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
      pairFigures:
        edge === undefined || viewer.reader === undefined
          ? undefined
          : this.#policy.pairFiguresOf(viewer.reader, author),
      readerClass:
        viewer.reader === undefined
          ? undefined
          : this.#classes.of(viewer.reader, slot, this.#clock.nowMs()),
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
}

/** Coverage in Unix seconds; 0 where everything is covered. */
function unixSecond(covered: number): number {
  return covered === 0 ? 0 : covered + ID_EPOCH_MS / 1000
}
