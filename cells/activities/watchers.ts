// Live dashboards: whoever watches gets posts pushed when they are applied, through the same filter as pages. Each watcher has a
// bounded queue; one that falls behind, or whose graph changed, is told to read anew.

import type { PostId } from '../model/post-id.ts'
import { HIDE_REBLOGS, type Reader } from '../model/reader.ts'
import type { UserKey } from '../model/user-key.ts'
import type { WatchItem } from '../ports/cell-client.ts'
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

type Watcher = {
  readonly user: UserKey
  readonly viewer: NonNullable<Viewer>
  /** Whom the viewer followed when the watch began: a change of that ends it. */
  readonly authors: Uint32Array
  readonly queue: Pushed[]
  readonly bell: Bell
  closed: boolean
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
  count = 0

  constructor(options: { state: CellState; names: NameBook; hydration: Hydration }) {
    this.#state = options.state
    this.#names = options.names
    this.#hydration = options.hydration
  }

  /**
   * Registers at once, until the signal aborts or the watch ends, whether or not anyone reads: everything applied from now on
   * is told. Throws TooManyWatchers.
   */
  watch(user: UserKey, viewer: NonNullable<Viewer>, signal: AbortSignal): AsyncIterable<WatchItem> {
    if (this.count >= this.#state.limits.watchersMax) {
      throw new TooManyWatchers('this cell has as many watchers as it may')
    }
    const isGone = this.#state.authors.isDeleted(viewer.number)
    const edges = isGone ? undefined : viewer.reader?.edges
    edges?.compact()
    const authors = edges?.keys.slice(0, edges.size) ?? new Uint32Array(0)
    const watcher = { user, viewer, authors, queue: [], bell: new Bell(), closed: false }
    this.#push(watcher, { kind: 'position', position: [...this.#state.position] })
    this.#register(watcher)
    signal.addEventListener('abort', () => this.#unregister(watcher), { once: true })
    if (signal.aborted) this.#unregister(watcher)
    return this.#items(watcher, signal)
  }

  isWatching(reader: number): boolean {
    return this.count > 0 && [...this.#watchersOf(reader)].length > 0
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
      for (const watcher of watchers) this.#close(watcher, 'moved')
    }
  }

  postAdded(author: number, row: PostRow): void {
    if (!this.#byAuthor.has(author)) return
    this.#tell(author, row, { kind: 'added', row, position: [...this.#state.position] })
  }

  postEdited(author: number, row: PostRow): void {
    if (!this.#byAuthor.has(author)) return
    this.#tell(author, row, { kind: 'edited', row, position: [...this.#state.position] })
  }

  postDeleted(author: number, postId: bigint): void {
    if (!this.#byAuthor.has(author)) return
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
    this.#tell(author, undefined, item)
  }

  userDeleted(user: number): void {
    for (const watcher of this.#byAuthor.get(user) ?? []) this.#close(watcher, 'graph-changed')
    for (const watcher of this.#watchersOf(user)) this.#close(watcher, 'graph-changed')
  }

  graphChanged(reader: Reader): void {
    for (const watcher of this.#watchersOf(reader.number)) this.#close(watcher, 'graph-changed')
  }

  markRead(reader: Reader): void {
    const postId = readMarkOf(reader)
    if (postId === undefined) return
    for (const watcher of this.#watchersOf(reader.number)) {
      this.#push(watcher, { kind: 'read-mark', postId, position: [...this.#state.position] })
    }
  }

  #tell(author: number, row: PostRow | undefined, item: Pushed): void {
    const watchers = this.#byAuthor.get(author)
    if (watchers === undefined) return
    for (const watcher of watchers) {
      const { reader } = watcher.viewer
      const edge = reader?.edges.get(author)
      if (edge === undefined || !this.#hydration.isAuthorVisible(watcher.viewer, author)) continue
      if (row?.body?.reblogOf !== undefined && edge >= HIDE_REBLOGS) continue
      this.#push(watcher, item)
    }
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
  ): void {
    if (watcher.closed) return
    watcher.closed = true
    if (reason === 'too-slow') watcher.queue.length = 0
    watcher.queue.push({ kind: 'reload', reason })
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
    if (!removeFrom(this.#byReader, watcher.user, watcher)) return
    this.count--
    watcher.closed = true
    for (const author of watcher.authors) removeFrom(this.#byAuthor, author, watcher)
  }
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
