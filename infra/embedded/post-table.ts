// A cell's posts on LMDB, laid out so that writing them stays cheap for hours.
//
//     index   (author, id)                   ->  u8 flags | u48 version | u48 place       (a mark: u8 flags)
//     bodies  u48 place, in order of arrival ->  u8 flags | u48 created offset | [u32 author | u64 post id] |
//                                                u32 head length | head | content
//
// Keyed by (author, id), bodies of a kilobyte would each touch a leaf of their own in a tree larger than memory. Bodies in
// order of arrival fill one page after the other, and the index (post-index.ts) is written in sorted runs. It also answers
// which ids an author has without reading a body.
//
// An edit replaces the body at its place; a mark removes it. Both are found by one read of the index.

import assert from 'node:assert/strict'
import type { PostId } from '../../cells/model/post-id.ts'
import {
  MARK_VERSION,
  type PostBody,
  type PostBatch,
  type PostIdList,
  type PostKey,
  type PostRow,
  type PostTable,
} from '../../cells/ports/post-table.ts'
import type { Environment } from './environment.ts'
import { u48Key } from './keys.ts'
import { PostIndex, type PostIndexOptions } from './post-index.ts'
import type { Table } from './table.ts'

const MARK = 1
const REBLOG = 2
const FOLLOWERS_ONLY = 4
const MARK_VALUE = Buffer.of(MARK)
const INDEX_ROW_BYTES = 37
/** An author is erased in commits of so many posts, so that other writes wait little. */
const ERASE_POSTS_MAX = 1_000
const POSTS_PER_BATCH = 500

export class EmbeddedPostTable implements PostTable {
  readonly #environment: Environment
  readonly #index: PostIndex
  readonly #bodies: Table
  /** Where the next body goes. Only grows: a place of a failed commit stays empty. */
  #nextPlace: number

  constructor(environment: Environment, options: PostIndexOptions = {}) {
    this.#environment = environment
    this.#index = new PostIndex(environment, options)
    this.#bodies = environment.table('post bodies')
    const [last] = this.#bodies.range({
      start: u48Key(2 ** 48 - 1),
      end: u48Key(0),
      reverse: true,
      limit: 1,
    })
    this.#nextPlace = last === undefined ? 1 : last.key.readUIntBE(0, 6) + 1
  }

  async put(rows: readonly PostRow[]): Promise<void> {
    await this.#index.room()
    const bytes = rows.reduce((sum, { body }) => sum + INDEX_ROW_BYTES + bodyBytes(body), 0)
    await this.#environment.commit(bytes, () => {
      for (const row of rows) this.#putOne(row)
    })
  }

  async get(keys: readonly PostKey[]): Promise<(PostRow | undefined)[]> {
    return keys.map((key) => {
      const indexed = this.#index.get(key)
      return indexed === undefined ? undefined : this.#rowAt(key, indexed)
    })
  }

  async idsBelow(author: number, below: PostId | undefined, limit: number): Promise<PostIdList> {
    const found = this.#index.below(author, below, limit, (value) => !isMark(value))
    return {
      postIds: found.map(({ postId }) => postId),
      reblogs: found.map(({ value }) => (value.readUInt8(0) & REBLOG) !== 0),
    }
  }

  async *allPosts(): AsyncIterable<PostBatch> {
    let read = 0
    for (let place: PostKey | undefined; ; ) {
      const found = this.#index.after(place, POSTS_PER_BATCH)
      place = found.at(-1)
      if (place === undefined) return
      read += found.length
      const rows = found.map((key) => this.#rowAt(key, key.value))
      yield { rows, part: Math.min(1, read / this.#index.entriesMax) }
    }
  }

  async eraseAuthor(author: number): Promise<void> {
    for (let below: PostId | undefined; ; ) {
      const { postIds } = await this.idsBelow(author, below, ERASE_POSTS_MAX)
      await this.put(postIds.map((postId) => markOf({ author, postId })))
      if (postIds.length < ERASE_POSTS_MAX) return
      below = postIds.at(-1)
    }
  }

  /** Ends what the index does in the background. */
  close(): Promise<void> {
    return this.#index.close()
  }

  #rowAt(key: PostKey, indexed: Buffer): PostRow {
    if (isMark(indexed)) return markOf(key)
    const value = this.#bodies.get(placeKey(indexed))
    assert(value !== undefined, `post ${key.author}/${key.postId} has an index row but no body`)
    return rowOf(key, versionOf(indexed), value)
  }

  #putOne(row: PostRow): void {
    assert((row.body === undefined) === (row.version === MARK_VERSION), 'a mark has no body')
    const standing = this.#index.latest(row)
    if (standing !== undefined && versionOf(standing) >= row.version) return
    if (row.body === undefined) {
      this.#index.put(row, MARK_VALUE)
      if (standing !== undefined) this.#bodies.remove(placeKey(standing))
    } else if (standing === undefined) {
      const place = this.#nextPlace++
      this.#index.put(row, indexValue(row.body, row.version, place))
      this.#bodies.append(u48Key(place), bodyValue(row.createdOffset, row.body))
    } else {
      this.#index.put(row, indexValue(row.body, row.version, placeOf(standing)))
      this.#bodies.put(placeKey(standing), bodyValue(row.createdOffset, row.body))
    }
  }
}

function indexValue(body: PostBody, version: number, place: number): Buffer {
  const value = Buffer.allocUnsafe(13)
  value.writeUInt8(body.reblogOf === undefined ? 0 : REBLOG, 0)
  value.writeUIntBE(version, 1, 6)
  value.writeUIntBE(place, 7, 6)
  return value
}

function isMark(indexed: Buffer): boolean {
  return (indexed.readUInt8(0) & MARK) !== 0
}

function versionOf(indexed: Buffer): number {
  return isMark(indexed) ? MARK_VERSION : indexed.readUIntBE(1, 6)
}

function placeOf(indexed: Buffer): number {
  return indexed.readUIntBE(7, 6)
}

function placeKey(indexed: Buffer): Buffer {
  return u48Key(placeOf(indexed))
}

function markOf({ author, postId }: PostKey): PostRow {
  return { author, postId, version: MARK_VERSION, createdOffset: -1, body: undefined }
}

function bodyBytes(body: PostBody | undefined): number {
  return body === undefined ? 0 : 23 + body.head.length + body.content.length
}

function bodyValue(createdOffset: number, body: PostBody): Buffer {
  const { reblogOf, head, content, followersOnly } = body
  const value = Buffer.allocUnsafe(bodyBytes(body) - (reblogOf === undefined ? 12 : 0))
  const flags = (reblogOf === undefined ? 0 : REBLOG) | (followersOnly ? FOLLOWERS_ONLY : 0)
  let at = value.writeUInt8(flags, 0)
  at = value.writeUIntBE(createdOffset, at, 6)
  if (reblogOf !== undefined) {
    at = value.writeUInt32BE(reblogOf.author, at)
    at = value.writeBigUInt64BE(reblogOf.postId, at)
  }
  at = value.writeUInt32BE(head.length, at)
  value.set(head, at)
  value.set(content, at + head.length)
  return value
}

function rowOf(key: PostKey, version: number, value: Buffer): PostRow {
  const flags = value.readUInt8(0)
  const isReblog = (flags & REBLOG) !== 0
  const headAt = (isReblog ? 19 : 7) + 4
  const contentAt = headAt + value.readUInt32BE(headAt - 4)
  const reblogOf = isReblog
    ? { author: value.readUInt32BE(7), postId: value.readBigUInt64BE(11) as PostId }
    : undefined
  const body = {
    head: value.subarray(headAt, contentAt),
    content: value.subarray(contentAt),
    followersOnly: (flags & FOLLOWERS_ONLY) !== 0,
    reblogOf,
  }
  const { author, postId } = key
  return { author, postId, version, createdOffset: value.readUIntBE(1, 6), body }
}
