// Live dashboards: whoever watches gets posts pushed when they are applied, through the same filter as pages. Each watcher has a
// bounded queue; one that falls behind, or whose graph changed, is told to read anew. One that comes from the cell where its user lived
// until just now goes on from where that one ended.

import type { PostId } from '../model/post-id.ts'
import { HIDE_REBLOGS, type Reader } from '../model/reader.ts'
import type { Position } from '../model/position.ts'
import { type News, RecentNews } from '../model/recent-news.ts'
import type { UserKey } from '../model/user-key.ts'
import type { WatchItem } from '../ports/cell-client.ts'
import type { Clock } from '../ports/clock.ts'
import type { PostRow } from '../ports/post-table.ts'
import type { Audience } from './applier.ts'
import { Bell } from './bell.ts'
import type { CellState, Slot } from './cell-state.ts'
import { readMarkOf } from './dashboard-reader.ts'
import type { Hydration, Viewer } from './hydrate.ts'
import type { NameBook } from './name-book.ts'
import type { ReaderWatch } from './relations.ts'

type Pushed =
  | {
      readonly kind: 'added' | 'edited'
      readonly row: PostRow
      readonly position: readonly number[]
    }
  | Exclude<WatchItem, { readonly kind: 'added' | 'edited' }>

/** What watchers were told, whoever they were: of a post, or of one user. */
type Recent = News &
  (
    | { readonly kind: 'post'; readonly author: number; readonly item: Pushed }
    | { readonly kind: 'graph' | 'gone' | 'mark'; readonly user: number }
  )

const RECENT = { most: 8_192, bytesMost: 16 << 20 }
/** What one takes beside its text. */
const RECENT_BYTES = 256
/** Slots that go back are no move any more. */
const RECENT_MS = 60_000

type Watcher = {
  readonly user: UserKey
  readonly viewer: NonNullable<Viewer>
  /** Whom the viewer followed when the watch began: a change of that ends it. */
  readonly authors: Uint32Array
  readonly queue: Pushed[]
  readonly bell: Bell
  closed: boolean
  /** A stream may have one watch after the other. */
  readonly forget: () => void
}

export class TooManyWatchers extends Error {
  readonly code = 'TOO_MANY_WATCHERS'
  override readonly name = 'TooManyWatchers'
}

export class Watchers implements Audience, ReaderWatch {
  readonly #state: CellState
  readonly #names: NameBook
  readonly #hydration: Hydration
  /** By author number: who follows the author and watches. */
  readonly #byAuthor = new Map<number, Set<Watcher>>()
  readonly #byReader = new Map<UserKey, Set<Watcher>>()
  /** While slots move, and for a while after. */
  readonly #recent = new RecentNews<Recent>(RECENT)
  #recentUntilMs: number | undefined
  #isOpen = false
  readonly #clock: Pick<Clock, 'nowMs'>
  count = 0

  constructor(options: {
    state: CellState
    names: NameBook
    hydration: Hydration
    clock: Pick<Clock, 'nowMs'>
  }) {
    this.#clock = options.clock
    this.#state = options.state
    this.#names = options.names
    this.#hydration = options.hydration
  }

  /**
   * Registers at once, until the signal aborts or the watch ends, whether or not anyone reads: everything applied from now on
   * is told, and before it what another cell has not told that told everything before `since`; if that is not known, nothing but
   * that the viewer is to read anew. Throws TooManyWatchers.
   */
  watch(
    user: UserKey,
    viewer: NonNullable<Viewer>,
    { signal, since }: { readonly signal: AbortSignal; readonly since: Position | undefined },
  ): AsyncIterable<WatchItem> {
    if (this.count >= this.#state.limits.watchersMax) {
      throw new TooManyWatchers('this cell has as many watchers as it may')
    }
    const isGone = this.#state.authors.isDeleted(viewer.number)
    const edges = isGone ? undefined : viewer.reader?.edges
    edges?.compact()
    const authors = edges?.keys.slice(0, edges.size) ?? new Uint32Array(0)
    const leave = (): void => this.#unregister(watcher)
    const forget = (): void => signal.removeEventListener('abort', leave)
    const watcher = { user, viewer, authors, queue: [], bell: new Bell(), closed: false, forget }
    this.#push(watcher, { kind: 'position', position: [...(since ?? this.#state.position)] })
    this.#register(watcher)
    if (since !== undefined) this.#repeat(watcher, since)
    signal.addEventListener('abort', leave)
    if (signal.aborted) this.#unregister(watcher)
    return this.#items(watcher, signal)
  }

  isWatching(reader: number): boolean {
    return this.count > 0 && [...this.#watchersOf(reader)].length > 0
  }

  /** The cell has caught up: from now on all that is applied is told, as no row of a reader reflects more than that. */
  open(): void {
    this.#isOpen = true
    this.placed()
  }

  /** To be called when the placement may have changed: what is told is kept while slots move. */
  placed(): void {
    if (!this.#isOpen) return
    const { placement, position } = this.#state
    if (placement.moves.length > 0) {
      this.#recent.begin(position)
      this.#recentUntilMs = undefined
    } else this.#recentUntilMs ??= this.#clock.nowMs() + RECENT_MS
  }

  /** Tells what is new since then; who can not be told everything reads anew. */
  #repeat(watcher: Watcher, since: Position): void {
    const { number } = watcher.viewer
    const news = this.#recent.since(since)
    const isOther = news?.some(
      (each) =>
        (each.kind === 'graph' && each.user === number) ||
        (each.kind === 'gone' && (each.user === number || watcher.authors.includes(each.user))),
    )
    if (news === undefined || isOther === true) {
      // It goes on from nowhere: that comes first.
      watcher.queue.length = 0
      this.#close(watcher, 'moved', [])
      return
    }
    // Who is deleted follows nobody, whatever the row says.
    if (watcher.authors.length === 0) return
    const removed = new Set(news.flatMap(removedIn))
    for (const each of news) {
      // Of what is gone by now only that it is.
      if (each.kind === 'post' && 'row' in each.item && removed.has(nameOf(each.item.row))) continue
      if (each.kind === 'post') this.#tellOne(watcher, each.author, each.item)
      else if (each.kind === 'mark' && each.user === number) this.#tellMark(watcher)
    }
  }

  /** Ends all watches, so that clients go elsewhere or come again. */
  stop(): void {
    for (const watchers of this.#byReader.values()) {
      for (const watcher of watchers) this.#close(watcher, 'stopping')
    }
  }

  /** Ends the watches of users whose slots another cell owns by now: they go on there. */
  moved(slots: ReadonlySet<Slot>): void {
    for (const [user, watchers] of this.#byReader) {
      const slot = this.#state.slotOfUser(user)
      if (slot === undefined || !slots.has(slot)) continue
      for (const watcher of watchers) this.#close(watcher, 'moved', [...this.#state.position])
    }
  }

  postAdded(author: number, row: PostRow): void {
    if (!this.#isNews(author)) return
    this.#tell(author, { kind: 'added', row, position: [...this.#state.position] })
  }

  postEdited(author: number, row: PostRow): void {
    if (!this.#isNews(author)) return
    this.#tell(author, { kind: 'edited', row, position: [...this.#state.position] })
  }

  postDeleted(author: number, postId: bigint): void {
    if (!this.#isNews(author)) return
    const key = this.#names.table.keyOf(author)
    if (key === undefined) return
    const position = [...this.#state.position]
    const item = {
      kind: 'removed',
      author: key,
      authorId: '',
      postId: postId as PostId,
      position,
    } as const
    this.#tell(author, item)
  }

  /** Whether somebody is told of the author's posts, or may be soon. */
  #isNews(author: number): boolean {
    return this.#isKept() || this.#byAuthor.has(author)
  }

  #isKept(): boolean {
    if (!this.#recent.isKept || this.#recentUntilMs === undefined) return this.#recent.isKept
    if (this.#clock.nowMs() >= this.#recentUntilMs) this.#recent.end()
    return this.#recent.isKept
  }

  userDeleted(user: number): void {
    this.#note('gone', user)
    for (const watcher of this.#byAuthor.get(user) ?? []) this.#close(watcher, 'graph-changed')
    for (const watcher of this.#watchersOf(user)) this.#close(watcher, 'graph-changed')
  }

  graphChanged(reader: Reader): void {
    this.#note('graph', reader.number)
    for (const watcher of this.#watchersOf(reader.number)) this.#close(watcher, 'graph-changed')
  }

  markRead(reader: Reader): void {
    this.#note('mark', reader.number)
    for (const watcher of this.#watchersOf(reader.number)) this.#tellMark(watcher)
  }

  #tellMark(watcher: Watcher): void {
    const { reader } = watcher.viewer
    const postId = reader && readMarkOf(reader)
    if (postId === undefined) return
    this.#push(watcher, { kind: 'read-mark', postId, position: [...this.#state.position] })
  }

  #note(kind: 'graph' | 'gone' | 'mark', user: number): void {
    if (this.#isKept()) {
      const position = [...this.#state.position]
      this.#recent.note({ kind, user, position, bytes: RECENT_BYTES })
    }
  }

  #tell(author: number, item: Extract<Pushed, { readonly position: Position }>): void {
    const body = 'row' in item ? item.row.body : undefined
    const bytes = RECENT_BYTES + (body?.head.length ?? 0) + (body?.content.length ?? 0)
    this.#recent.note({ kind: 'post', author, item, position: item.position, bytes })
    for (const watcher of this.#byAuthor.get(author) ?? []) this.#tellOne(watcher, author, item)
  }

  #tellOne(watcher: Watcher, author: number, item: Pushed): void {
    const { reader } = watcher.viewer
    const edge = reader?.edges.get(author)
    if (edge === undefined || !this.#hydration.isAuthorVisible(watcher.viewer, author)) return
    const isReblog = 'row' in item && item.row.body?.reblogOf !== undefined
    if (isReblog && edge >= HIDE_REBLOGS) return
    this.#push(watcher, item)
  }

  #push(watcher: Watcher, item: Pushed): void {
    if (watcher.closed) return
    if (watcher.queue.length >= this.#state.limits.watchQueueMax) {
      this.#close(watcher, 'too-slow')
      return
    }
    watcher.queue.push(item)
    watcher.bell.ring()
  }

  #close(
    watcher: Watcher,
    reason: Extract<WatchItem, { readonly kind: 'reload' }>['reason'],
    position: Position = [],
  ): void {
    if (watcher.closed) return
    watcher.closed = true
    if (reason === 'too-slow') watcher.queue.length = 0
    watcher.queue.push({ kind: 'reload', reason, position })
    watcher.bell.ring()
    this.#unregister(watcher)
  }

  async *#items(watcher: Watcher, signal: AbortSignal): AsyncGenerator<WatchItem> {
    try {
      while (!signal.aborted) {
        const item = watcher.queue.shift()
        if (item === undefined) {
          await watcher.bell.wait(signal)
          continue
        }
        const told = await this.#itemOf(watcher, item)
        if (told !== undefined) yield told
        if (item.kind === 'reload') return
      }
    } finally {
      this.#unregister(watcher)
    }
  }

  async #itemOf(watcher: Watcher, item: Pushed): Promise<WatchItem | undefined> {
    if (item.kind === 'removed') {
      const [authorId] = await this.#names.idsOf([this.#names.lookup(item.author)])
      return { ...item, authorId: authorId ?? '' }
    }
    if (!('row' in item)) return item
    const hydration = this.#hydration
    const { row } = item
    // Deleted or hidden since: the removal follows, or the watcher is told to read anew.
    if (!hydration.isAuthorVisible(watcher.viewer, row.author)) return undefined
    const newest = hydration.held(hydration.wanted(row)) ?? row
    if (newest.body === undefined) return undefined
    const [post] = await hydration.views(watcher.viewer, [newest])
    return post === undefined ? undefined : { kind: item.kind, post, position: item.position }
  }

  #watchersOf(user: number): Iterable<Watcher> {
    const key = this.#names.table.keyOf(user)
    return (key === undefined ? undefined : this.#byReader.get(key)) ?? []
  }

  #register(watcher: Watcher): void {
    this.count++
    addTo(this.#byReader, watcher.user, watcher)
    for (const author of watcher.authors) addTo(this.#byAuthor, author, watcher)
  }

  #unregister(watcher: Watcher): void {
    watcher.forget()
    if (!removeFrom(this.#byReader, watcher.user, watcher)) return
    this.count--
    watcher.closed = true
    for (const author of watcher.authors) removeFrom(this.#byAuthor, author, watcher)
  }
}

function nameOf({ author, postId }: Pick<PostRow, 'author' | 'postId'>): string {
  return `${author}/${postId}`
}

function removedIn(news: Recent): string[] {
  if (news.kind !== 'post' || news.item.kind !== 'removed') return []
  return [nameOf({ author: news.author, postId: news.item.postId })]
}

function addTo<K>(map: Map<K, Set<Watcher>>, key: K, watcher: Watcher): void {
  const set = map.get(key)
  if (set === undefined) map.set(key, new Set([watcher]))
  else set.add(watcher)
}

/** False when it was not there. */
function removeFrom<K>(map: Map<K, Set<Watcher>>, key: K, watcher: Watcher): boolean {
  const set = map.get(key)
  if (set === undefined || !set.delete(watcher)) return false
  if (set.size === 0) map.delete(key)
  return true
}
