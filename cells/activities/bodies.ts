// Finds the bodies of posts: what the cell holds itself, then memory of bodies read before, then the cache, then the store. One
// flight a post. What is read is kept only if the post was not edited or deleted since the read began; a post that is neither
// there nor marked as deleted is an error of the store, never passed over.

import { ByteReader, ByteWriter } from '../model/byte-writer.ts'
import { hiOf, loOf, postIdOf } from '../model/post-id.ts'
import type { BodyCache } from '../ports/body-cache.ts'
import type { PostKey, PostRow, PostTable } from '../ports/post-table.ts'
import type { PostBook } from './post-book.ts'
import { isMark, postKeyText } from './post-rows.ts'

/** A post to find; `entry` is its window entry, or -1. */
export type Wanted = PostKey & { readonly entry: number }

type Flight = {
  stale: boolean
  readonly number: number
  readonly row: Promise<PostRow | undefined>
}

export class Bodies {
  readonly #book: PostBook
  readonly #cache: BodyCache
  readonly #table: PostTable
  readonly #memory: BodyMemory
  readonly #flights = new Map<string, Flight>()
  #launched = 0

  constructor(options: { book: PostBook; cache: BodyCache; table: PostTable; bytesMax: number }) {
    this.#book = options.book
    this.#cache = options.cache
    this.#table = options.table
    this.#memory = new BodyMemory(options.bytesMax)
    this.#book.onChange = (key) => this.#forget(key)
  }

  get bytes(): number {
    return this.#memory.bytes
  }

  /** The post's row or mark if it is in this cell's memory. */
  held(post: Wanted): PostRow | undefined {
    return (
      this.#book.changed(post.author, post.postId) ??
      (post.entry >= 0 ? this.#book.recent(post.entry) : undefined) ??
      this.#memory.get(post.author, post.postId)
    )
  }

  /** Rows in the order asked; undefined for a post that never was. One that does not count yet has no body, and is no mark. */
  async find(posts: readonly Wanted[]): Promise<(PostRow | undefined)[]> {
    const held = posts.map((post) => this.held(post))
    if (!held.includes(undefined)) return this.#book.asShown(held)
    const missing = posts.filter((_, i) => held[i] === undefined)
    const before = this.#launched
    this.#launch(missing)
    const landed = await Promise.all(missing.map((post) => this.#land(post, before)))
    let next = 0
    return this.#book.asShown(held.map((row) => row ?? landed[next++]))
  }

  /** A flight that began before may have looked before the post was there: then another one looks again. */
  async #land(post: Wanted, before: number): Promise<PostRow | undefined> {
    for (;;) {
      const held = this.held(post)
      if (held !== undefined) return held
      const flight = this.#flights.get(postKeyText(post.author, post.postId))
      if (flight === undefined) {
        this.#launch([post])
        continue
      }
      const row = await flight.row
      if (flight.stale || (row === undefined && flight.number <= before)) continue
      return this.#book.changed(post.author, post.postId) ?? row
    }
  }

  /** Starts one read for those that are not being read already. */
  #launch(posts: readonly Wanted[]): void {
    const keys = posts.filter((post) => !this.#flights.has(postKeyText(post.author, post.postId)))
    if (keys.length === 0) return
    const rows = this.#read(keys)
    const number = ++this.#launched
    for (const [i, post] of keys.entries()) {
      const key = postKeyText(post.author, post.postId)
      const flight: Flight = { stale: false, number, row: rows.then((found) => found[i]) }
      this.#flights.set(key, flight)
      void this.#fill(key, flight).catch(() => undefined)
    }
  }

  async #fill(key: string, flight: Flight): Promise<void> {
    try {
      const row = await flight.row
      if (flight.stale || row === undefined || isMark(row)) return
      this.#memory.set(key, row)
      await this.#cache.setMany([{ key: row, value: encodeRow(row) }])
    } finally {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    }
  }

  async #read(keys: readonly PostKey[]): Promise<(PostRow | undefined)[]> {
    const cached = await this.#cache.getMany(keys)
    const rows = keys.map((key, i) => {
      const value = cached[i]
      return value === undefined ? undefined : decodeRow(key, value)
    })
    const missing = keys.filter((_, i) => rows[i] === undefined)
    if (missing.length === 0) return rows
    const stored = await this.#table.get(missing)
    let next = 0
    return rows.map((row) => row ?? stored[next++])
  }

  #forget(key: string): void {
    this.#memory.delete(key)
    const flight = this.#flights.get(key)
    if (flight === undefined) return
    flight.stale = true
    this.#flights.delete(key)
  }
}

/** Least recently used rows, bounded in bytes. */
class BodyMemory {
  readonly #rows = new Map<string, PostRow>()
  readonly #bytesMax: number
  bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get(author: number, postId: bigint): PostRow | undefined {
    if (this.#rows.size === 0) return undefined
    const key = `${author}:${postId}`
    const row = this.#rows.get(key)
    if (row === undefined) return undefined
    this.#rows.delete(key)
    this.#rows.set(key, row)
    return row
  }

  set(key: string, row: PostRow): void {
    this.delete(key)
    this.#rows.set(key, row)
    this.bytes += sizeOf(row)
    for (const [oldest] of this.#rows) {
      if (this.bytes <= this.#bytesMax) return
      this.delete(oldest)
    }
  }

  delete(key: string): void {
    const row = this.#rows.get(key)
    if (row === undefined) return
    this.#rows.delete(key)
    this.bytes -= sizeOf(row)
  }
}

function sizeOf(row: PostRow): number {
  return 300 + (row.body === undefined ? 0 : row.body.head.length + row.body.content.length)
}

const CACHE_FORMAT = 1

function encodeRow(row: PostRow): Uint8Array {
  const to = new ByteWriter().u8(CACHE_FORMAT).varint(row.version).varint(row.createdOffset)
  const body = row.body
  if (body === undefined) throw new Error('a mark is not cached')
  to.run(body.head)
    .run(body.content)
    .u8(body.followersOnly ? 1 : 0)
  if (body.reblogOf === undefined) return to.u8(0).finish()
  const { author, postId } = body.reblogOf
  return to.u8(1).varint(author).u32(hiOf(postId)).u32(loOf(postId)).finish()
}

function decodeRow(key: PostKey, bytes: Uint8Array): PostRow | undefined {
  const from = new ByteReader(bytes)
  if (from.u8() !== CACHE_FORMAT) return undefined
  const version = from.varint()
  const createdOffset = from.varint()
  const head = from.run()
  const content = from.run()
  const followersOnly = from.u8() === 1
  const reblogOf =
    from.u8() === 1
      ? { author: from.varint(), postId: postIdOf(from.u32(), from.u32()) }
      : undefined
  return {
    author: key.author,
    postId: key.postId,
    version,
    createdOffset,
    body: { head, content, followersOnly, reblogOf },
  }
}
