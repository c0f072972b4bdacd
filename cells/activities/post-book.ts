// The posts that a cell still holds in memory, and their way to the store.
//
//   applied --> recent rows, by window sequence number --write behind, in order--> durable --> evicted, oldest first
//   edits, marks, late rows --> changed rows, by key --write behind, cache entry removed--> settled
//
// Whoever reads a post asks here first: what is here is newer than any cache or store. Rows that are not durable are never
// evicted; their bytes are bounded, and over the bound the applier waits.

import type { CellLimits } from '../model/cell-limits.ts'
import type { PostId } from '../model/post-id.ts'
import type { BodyCache } from '../ports/body-cache.ts'
import type { PostKey, PostRow, PostTable } from '../ports/post-table.ts'
import { Bell } from './bell.ts'
import type { NameBook } from './name-book.ts'
import { type Persistence, Stopped } from './persist.ts'
import { isMark, postKeyText } from './post-rows.ts'

const ROW_BYTES = 200

export class PostBook {
  readonly #table: PostTable
  readonly #cache: BodyCache
  readonly #names: NameBook
  readonly #persistence: Persistence
  readonly #limits: CellLimits
  readonly #signal: AbortSignal
  /** Row of the window entry `seq` at `seq` modulo their number; those of [evicted, head). */
  #recent: (PostRow | undefined)[] = new Array<PostRow | undefined>(1024)
  /** Bytes that a recent row counts for, as it was appended: edits and marks do not change it. */
  #sizes = new Uint32Array(1024)
  #head = 0
  #evictedTo = 0
  #durableTo = 0
  #recentBytes = 0
  #pendingBytes = 0
  readonly #changed = new Map<string, PostRow>()
  /** Late posts that are being stored: their record does not count yet. */
  #held: ReadonlySet<string> = new Set()
  readonly #work = new Bell()
  readonly #progress = new Bell()
  /** Called when a post was edited or deleted: what others hold of it is stale. */
  onChange: (key: string) => void = () => {}

  constructor(options: {
    table: PostTable
    cache: BodyCache
    names: NameBook
    persistence: Persistence
    limits: CellLimits
    signal: AbortSignal
  }) {
    this.#table = options.table
    this.#cache = options.cache
    this.#names = options.names
    this.#persistence = options.persistence
    this.#limits = options.limits
    this.#signal = options.signal
  }

  /** Entries before `seq` came from the store: they are durable and their bodies are not here. */
  startAt(seq: number): void {
    this.#head = seq
    this.#evictedTo = seq
    this.#durableTo = seq
  }

  /** The row of the window's newest entry. */
  append(row: PostRow): void {
    if (this.#head - this.#evictedTo === this.#recent.length) this.#grow()
    const bytes = bytesOf(row)
    this.#recent[this.#place(this.#head)] = row
    this.#sizes[this.#place(this.#head)] = bytes
    this.#head++
    this.#recentBytes += bytes
    this.#pendingBytes += bytes
    this.#evict()
    this.#work.ring()
  }

  /** The row of a window entry (seq modulo 2^32), if it is still here. */
  recent(entry: number): PostRow | undefined {
    const behind = (this.#head - entry) >>> 0
    if (behind === 0 || behind > this.#head - this.#evictedTo) return undefined
    return this.#recent[this.#place(entry)]
  }

  /** An edited or deleted post, or a late one, until that is durable and no cache has it otherwise. */
  changed(author: number, postId: PostId): PostRow | undefined {
    return this.#changed.size === 0 ? undefined : this.#changed.get(postKeyText(author, postId))
  }

  /** An edit or a mark; `entry` is the post's window entry or -1. */
  change(row: PostRow, entry: number): void {
    const key = postKeyText(row.author, row.postId)
    this.#pendingBytes += bytesOf(row) - bytesOf(this.#changed.get(key))
    this.#changed.set(key, row)
    if (entry >= 0 && this.recent(entry) !== undefined) {
      this.#recent[this.#place(entry)] = isMark(row) ? undefined : row
    }
    this.onChange(key)
    this.#work.ring()
  }

  /** Late posts from now on: nobody is shown what another cell, at the same position, would not show. */
  hold(rows: readonly PostRow[]): void {
    this.#held = new Set(rows.map(({ author, postId }) => postKeyText(author, postId)))
  }

  /** Those that were held count. */
  release(): void {
    this.#held = new Set()
  }

  /** The same rows; those that are held without body. */
  asShown(rows: (PostRow | undefined)[]): (PostRow | undefined)[] {
    const held = this.#held
    if (held.size === 0) return rows
    return rows.map((row) => {
      const isHeld = row !== undefined && held.has(postKeyText(row.author, row.postId))
      return isHeld ? { ...row, body: undefined } : row
    })
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  get pendingPosts(): number {
    return this.#head - this.#durableTo + this.#changed.size
  }

  get recentBytes(): number {
    return this.#recentBytes
  }

  /** Window entries before this have durable rows. */
  get durableTo(): number {
    return this.#durableTo
  }

  /** Resolves when there is room for more rows. */
  async room(): Promise<void> {
    while (this.#pendingBytes > this.#limits.pendingBytesMax) await this.#progressed()
  }

  /** Resolves when everything that was here when it was called is durable and settled. */
  async settle(): Promise<void> {
    const head = this.#head
    const rows = [...this.#changed]
    while (this.#durableTo < head || rows.some(([key, row]) => this.#changed.get(key) === row)) {
      await this.#progressed()
    }
  }

  async #progressed(): Promise<void> {
    await this.#progress.wait(this.#signal)
    if (this.#signal.aborted) throw new Stopped('the cell is stopping')
  }

  /** Writes behind until the cell stops. */
  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      if (this.#durableTo === this.#head && this.#changed.size === 0)
        await this.#work.wait(this.#signal)
      else await this.#writeSome()
    }
  }

  async #writeSome(): Promise<void> {
    const end = Math.min(this.#head, this.#durableTo + this.#limits.postBatchRows)
    const rows: PostRow[] = []
    for (let seq = this.#durableTo; seq < end; seq++) {
      const row = this.#recent[this.#place(seq)]
      if (row !== undefined) rows.push(row)
    }
    const changed = [...this.#changed].slice(0, this.#limits.postBatchRows)
    for (const [, row] of changed) rows.push(row)
    await this.#names.flush()
    await this.#persistence.untilDurable(() => this.#table.put(rows))
    for (let seq = this.#durableTo; seq < end; seq++) this.#pendingBytes -= this.#sizeOf(seq)
    this.#durableTo = end
    this.#evict()
    if (changed.length > 0) await this.#settleChanged(changed)
    this.#progress.ring()
  }

  /** Takes posts out of the cache and out of what else is kept of them. */
  async uncache(keys: readonly PostKey[]): Promise<void> {
    for (const key of keys) this.onChange(postKeyText(key.author, key.postId))
    if (keys.length > 0) await this.#removeCached(keys)
  }

  #removeCached(keys: readonly PostKey[]): Promise<void> {
    return this.#persistence.untilDurable(async () => {
      try {
        await this.#cache.remove(keys)
      } catch {
        await this.#cache.renew()
      }
    })
  }

  async #settleChanged(changed: readonly (readonly [string, PostRow])[]): Promise<void> {
    await this.#removeCached(changed.map(([, row]) => row))
    for (const [key, row] of changed) {
      if (this.#changed.get(key) !== row) continue
      this.#changed.delete(key)
      this.#pendingBytes -= bytesOf(row)
    }
  }

  #evict(): void {
    while (
      this.#recentBytes > this.#limits.bodyMemoryBytes / 2 &&
      this.#evictedTo < this.#durableTo
    ) {
      this.#recentBytes -= this.#sizeOf(this.#evictedTo)
      this.#recent[this.#place(this.#evictedTo)] = undefined
      this.#evictedTo++
    }
  }

  #grow(): void {
    const grown = new Array<PostRow | undefined>(this.#recent.length * 2)
    const sizes = new Uint32Array(grown.length)
    for (let seq = this.#evictedTo; seq < this.#head; seq++) {
      grown[seq % grown.length] = this.#recent[this.#place(seq)]
      sizes[seq % grown.length] = this.#sizeOf(seq)
    }
    this.#recent = grown
    this.#sizes = sizes
  }

  /** Their number is a power of two, so an entry (seq modulo 2^32) has the place of its seq. */
  #place(seq: number): number {
    return seq & (this.#recent.length - 1)
  }

  #sizeOf(seq: number): number {
    return this.#sizes[this.#place(seq)] as number
  }
}

function bytesOf(row: PostRow | undefined): number {
  if (row === undefined) return 0
  return ROW_BYTES + (row.body === undefined ? 0 : row.body.head.length + row.body.content.length)
}
