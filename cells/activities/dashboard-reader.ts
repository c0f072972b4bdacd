// Reads a dashboard: the merge of window, inbox and stored posts, filtered by the graph, until the page is full or history ends.
//
// Order of things: coverage is taken first, then the window (pinned, so that nothing leaves it under the read), then the store.
// A generation written meanwhile holds only what the pinned window has. What changes while the read awaits is left
// out where it is seen; a page is never older than the position that its answer names.

import { DashboardMerge, type MergeStart, type MergeStep } from '../model/merge.ts'
import { type FollowedWords, MergeRoom } from '../model/merge-room.ts'
import { type MergeWay, wayCosts, wayOf } from '../model/merge-way.ts'
import {
  firstIdAt,
  hiOf,
  isAbove,
  loOf,
  msOf,
  type PostId,
  postIdOf,
  secondOfHalves,
} from '../model/post-id.ts'
import { HIDE_REBLOGS, type Reader } from '../model/reader.ts'
import type { UserKey } from '../model/user-key.ts'
import type { DashboardQuery, Page, Place, PostView, Unread } from '../ports/cell-client.ts'
import type { InboxTable } from '../ports/cell-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { PostRow, PostTable } from '../ports/post-table.ts'
import { AuthorPulls, type PulledFor, pulledOf } from './author-pulls.ts'
import type { Wanted } from './bodies.ts'
import type { CellState, Slot } from './cell-state.ts'
import type { Hydration, Viewer } from './hydrate.ts'
import { InboxSource } from './inbox-source.ts'
import type { NameBook } from './name-book.ts'

const ROOMS_KEPT = 16
/** One merge of so many tries the other way. */
const MERGES_PER_TRY = 64
const FOLLOWS_MEASURED = 128
const TOP: MergeStart = { hi: 0xffff_ffff, lo: 0xffff_ffff, isAfter: () => true }

export class DashboardReader {
  readonly #state: CellState
  readonly #names: NameBook
  readonly #inbox: InboxTable
  readonly #pulls: AuthorPulls
  readonly #hydration: Hydration
  /** Rooms of merges that ended, for those that come. */
  readonly #rooms: MergeRoom[] = []
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #monotonicMs: () => number
  #merges = 0
  #inboxReads = 0

  constructor(options: {
    state: CellState
    names: NameBook
    inbox: InboxTable
    posts: PostTable
    hydration: Hydration
    clock: Pick<Clock, 'nowMs'>
    monotonicMs: () => number
  }) {
    this.#state = options.state
    this.#clock = options.clock
    this.#monotonicMs = options.monotonicMs
    this.#names = options.names
    this.#inbox = options.inbox
    this.#pulls = new AuthorPulls(options)
    this.#hydration = options.hydration
  }

  async page(viewer: NonNullable<Viewer>, slot: Slot, query: DashboardQuery): Promise<Page> {
    const { reader } = viewer
    if (reader === undefined || this.#state.authors.isDeleted(viewer.number))
      return emptyPage(query)
    const limit = Math.min(query.limit, this.#state.limits.pageMax)
    const page =
      query.from?.direction === 'newer'
        ? await this.#newerThan(viewer, reader, slot, query.from.place, limit)
        : await this.#olderThan(viewer, reader, slot, query.from?.place, limit)
    const cap = query.countUnreadTo
    const unread = cap === undefined ? undefined : await this.countUnread(viewer, slot, cap)
    return { ...page, readMark: readMarkOf(reader), unread }
  }

  /** Posts of the dashboard above the read mark, counted to a cap. */
  async countUnread(viewer: NonNullable<Viewer>, slot: Slot, cap: number): Promise<Unread> {
    const { reader } = viewer
    if (reader === undefined || this.#state.authors.isDeleted(viewer.number)) {
      return { count: 0, capped: false }
    }
    const { readMarkHi: hi, readMarkLo: lo } = reader
    let count = 0
    await this.#walk(viewer, reader, slot, TOP, (row) => {
      const isUnread = hiOf(row.postId) > hi || (hiOf(row.postId) === hi && loOf(row.postId) > lo)
      if (isUnread) count++
      return isUnread && count <= cap
    })
    return { count: Math.min(count, cap), capped: count > cap }
  }

  async #olderThan(
    viewer: NonNullable<Viewer>,
    reader: Reader,
    slot: Slot,
    place: Place | undefined,
    limit: number,
  ): Promise<Page> {
    const rows: PostRow[] = []
    const start = place === undefined ? TOP : this.#startAt(place)
    await this.#walk(viewer, reader, slot, start, (row) => rows.push(row) <= limit, limit + 1)
    const hasMore = rows.length > limit
    if (hasMore) rows.length = limit
    const views = await this.#hydration.views(viewer, rows)
    const last = views.at(-1)
    const newer = place === undefined ? this.#newerPlace(views[0]) : (placeOf(views[0]) ?? place)
    return {
      posts: views,
      older: hasMore && last !== undefined ? placeOf(last) : undefined,
      newer,
      readMark: undefined,
      unread: undefined,
    }
  }

  /** The posts next above the place. Costs a merge from the top down to it. */
  async #newerThan(
    viewer: NonNullable<Viewer>,
    reader: Reader,
    slot: Slot,
    place: Place,
    limit: number,
  ): Promise<Page> {
    const rows: PostRow[] = []
    let above = 0
    await this.#walk(viewer, reader, slot, TOP, (row) => {
      if (!this.#isAbove(row, place)) return false
      above++
      rows.push(row)
      if (rows.length > limit) rows.shift()
      return true
    })
    const views = await this.#hydration.views(viewer, rows)
    const newest = views[0]
    const last = views.at(-1)
    const isLive = above <= limit
    return {
      posts: views,
      older: last === undefined ? place : placeOf(last),
      newer: newest === undefined ? place : isLive ? this.#newerPlace(newest) : placeOf(newest),
      readMark: undefined,
      unread: undefined,
    }
  }

  /**
   * Hands over the visible posts of the dashboard below `start` in order until `take` answers false. Bodies are found for about
   * `atOnce` posts together.
   */
  async #walk(
    viewer: NonNullable<Viewer>,
    reader: Reader,
    slot: Slot,
    start: MergeStart,
    take: (row: PostRow) => boolean,
    atOnce = 21,
  ): Promise<void> {
    const inbox = new InboxSource({
      state: this.#state,
      table: this.#inbox,
      slot,
      reader,
      start,
    })
    const room = this.#rooms.pop() ?? new MergeRoom(this.#names.table)
    const begunMs = this.#monotonicMs()
    const merge = this.#mergeOf(reader, { floor: slot.floor, start, inbox, room, wanted: atOnce })
    const addedMs = this.#monotonicMs()
    const pulled = pulledOf(reader, slot.floor)
    const pin = this.#state.window.pin()
    try {
      let wanted: Wanted[] = []
      for (let isFirst = true; ; isFirst = false) {
        const step = this.#collect(viewer, reader, merge, wanted, atOnce)
        // Until here nothing was awaited.
        if (isFirst && start === TOP) {
          const nowMs = this.#monotonicMs()
          this.#noteCost(merge, reader.edges.size, nowMs - begunMs, nowMs - addedMs)
        }
        if (step === 'open-inbox') {
          await this.#readInbox(inbox, merge, pulled)
          continue
        }
        if (step === 'open-author') {
          await this.#pulls.pull(merge, start, pulled)
          continue
        }
        if (!(await this.#handOver(viewer, reader, wanted, take)) || step === 'end') return
        wanted = []
      }
    } finally {
      this.#noteRead(reader, slot, merge, pulled)
      this.#state.window.unpin(pin)
      room.clear()
      if (this.#rooms.length < ROOMS_KEPT) this.#rooms.push(room)
    }
  }

  /** The next chunks. Each read has its share of what it took beside others. */
  async #readInbox(inbox: InboxSource, merge: DashboardMerge, pulled: PulledFor): Promise<void> {
    const begunMs = this.#monotonicMs()
    const together = ++this.#inboxReads
    const runs = await inbox.read().finally(() => this.#inboxReads--)
    const tookUs = ((this.#monotonicMs() - begunMs) * 1_000) / together
    pulled.inboxUs = (pulled.inboxUs ?? 0) + tookUs
    for (const run of runs) merge.addRun(run)
    const { bound } = inbox
    if (bound !== undefined) merge.addInbox(bound.hi, bound.lo)
  }

  /** Adds posts to `wanted`, up to `atOnce` of them; where the merge stopped. */
  #collect(
    viewer: Viewer,
    reader: Reader,
    merge: DashboardMerge,
    wanted: Wanted[],
    atOnce: number,
  ): MergeStep {
    for (;;) {
      const step = merge.next()
      if (step !== 'post') return step
      if (!this.#belongs(viewer, reader, merge)) continue
      const postId = postIdOf(merge.hi, merge.lo)
      if (wanted.push({ author: merge.author, postId, entry: merge.entry }) >= atOnce) return step
    }
  }

  #mergeOf(
    reader: Reader,
    page: {
      readonly floor: number
      readonly start: MergeStart
      readonly inbox: InboxSource
      readonly room: MergeRoom
      readonly wanted: number
    },
  ): DashboardMerge {
    const { window, authors, costs } = this.#state
    const { floor, start, inbox, room, wanted } = page
    reader.edges.compact()
    const merge = new DashboardMerge({ window, authors, start, room })
    const way = (followed: FollowedWords, count: number): MergeWay => {
      const estimate = wayCosts({ window, followed, count, startHi: start.hi, wanted, costs })
      return wayOf(estimate, ++this.#merges % MERGES_PER_TRY === 0)
    }
    merge.addFollowed(reader.edges, { floor, way })
    const { bound } = inbox
    // Where nobody is covered all that it may hold is pulled anyway.
    if (bound !== undefined && merge.covered > 0) merge.addInbox(bound.hi, bound.lo)
    return merge
  }

  /** How far down the merge came. Pages that only compare what is covered with what is not are no one's reads. */
  #noteRead(reader: Reader, slot: Slot, { hi, lo }: DashboardMerge, pulled: PulledFor): void {
    const { slots, rates, window, limits, costs } = this.#state
    if (slots.get(slot.slot) !== slot) return
    const isInWindow = isAbove(hi, lo, window.droppedHi, window.droppedLo)
    const depth = isInWindow ? 'window' : pulled.opened > 0 ? 'below' : 'inbox'
    rates.noteRead(reader.number, depth, this.#clock.nowMs())
    costs.note('pullUs', pulled.opened, pulled.tookUs)
    if (pulled.inboxUs !== undefined) costs.note('inboxUs', 1, pulled.inboxUs)
    if (pulled.authors === 0) return
    const { authors, entries } = pulled
    const page = { authors, entries, second: secondOfHalves(hi, lo) }
    this.#state.pulled.note(reader.number, page, costs.all, limits.policy)
  }

  /** What a merge from the top cost until it first waited: all of it, or, as far as it walks, without what each follow costs either way. */
  #noteCost(
    { way, walked }: DashboardMerge,
    follows: number,
    tookMs: number,
    mergedMs: number,
  ): void {
    const { costs } = this.#state
    if (way === 'walk') costs.note('walkedUs', walked, mergedMs * 1_000)
    else if (follows >= FOLLOWS_MEASURED) costs.note('chainUs', follows, tookMs * 1_000)
  }

  /** What need not be found at all. The window's posts are of authors followed when the read began; they are asked again. */
  #belongs(viewer: Viewer, reader: Reader, merge: DashboardMerge): boolean {
    if (merge.entry < 0 || merge.isReblog) {
      const edge = reader.edges.get(merge.author)
      if (edge === undefined) return false
      if (merge.isReblog && edge >= HIDE_REBLOGS) return false
    }
    return this.#hydration.isAuthorVisible(viewer, merge.author)
  }

  /** False once `take` has enough. */
  async #handOver(
    viewer: Viewer,
    reader: Reader,
    wanted: readonly Wanted[],
    take: (row: PostRow) => boolean,
  ): Promise<boolean> {
    const rows = await this.#hydration.find(wanted)
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]
      if (row === undefined) {
        const post = wanted[i]
        throw new MissingPost(
          `post ${post?.postId} of author ${post?.author} has neither body nor mark`,
        )
      }
      if (row.body === undefined || !this.#stillBelongs(viewer, reader, row)) continue
      if (!take(row)) return false
    }
    return true
  }

  /** Asked again after awaiting: what was unfollowed, hidden or deleted meanwhile is not shown. */
  #stillBelongs(viewer: Viewer, reader: Reader, row: PostRow): boolean {
    const edge = reader.edges.get(row.author)
    if (edge === undefined) return false
    if (row.body?.reblogOf !== undefined && edge >= HIDE_REBLOGS) return false
    return this.#hydration.isAuthorVisible(viewer, row.author)
  }

  #startAt(place: Place): MergeStart {
    return {
      hi: hiOf(place.postId),
      lo: loOf(place.postId),
      isAfter: (author) => (this.#names.table.keyOf(author) ?? '') > place.author,
    }
  }

  #isAbove(row: PostRow, place: Place): boolean {
    if (row.postId !== place.postId) return row.postId > place.postId
    return (this.#names.table.keyOf(row.author) ?? '') < place.author
  }

  /** From where a page of newer posts starts: reaches back, as another gateway's post may land late with a smaller id. */
  #newerPlace(newest: PostView | undefined): Place {
    const skewMs = this.#state.limits.clockSkewMs
    const ms = newest === undefined ? 0 : msOf(newest.postId) - skewMs
    return { postId: ms <= 0 ? (1n as PostId) : firstIdAt(ms), author: '' as UserKey }
  }
}

/** The store has lost a post, or was changed from outside. */
export class MissingPost extends Error {
  readonly code = 'MISSING_POST'
  override readonly name = 'MissingPost'
}

function emptyPage(query: DashboardQuery): Page {
  const unread = query.countUnreadTo === undefined ? undefined : { count: 0, capped: false }
  const newer = { postId: 1n as PostId, author: '' as UserKey }
  return { posts: [], older: undefined, newer, readMark: undefined, unread }
}

export function readMarkOf(reader: Reader): PostId | undefined {
  if (reader.readMarkHi === 0 && reader.readMarkLo === 0) return undefined
  return postIdOf(reader.readMarkHi, reader.readMarkLo)
}

function placeOf(view: PostView | undefined): Place | undefined {
  return view === undefined ? undefined : { postId: view.postId, author: view.author }
}
