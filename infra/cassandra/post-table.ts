// A cell's posts on Cassandra: a row a post, by author and month, newest first (why not in blocks: docs/decisions/0010).
//
//     posts   ((author, month), post_id desc)  ->  flags, body          timestamp: the row's version
//     months  ((author), month desc)                                    those the author has rows in
//
// Conflicts: a write names its version as its timestamp and writes both columns, so the row of the greater version stays whole,
// in whatever order writes land. Two writes of one version are of one event and have the same bytes. A mark has the greatest
// version and empty bytes, not a deleted row: a deletion would be forgotten some days later, a mark never is.
//
// Costs: a request per author and month, so usually per post. The month's row is written once for each author in a process.

import assert from 'node:assert/strict'
import type { PostId } from '../../cells/model/post-id.ts'
import {
  MARK_VERSION,
  type PostBatch,
  type PostIdList,
  type PostKey,
  type PostRow,
  type PostTable,
} from '../../cells/ports/post-table.ts'
import { MonthMemory } from './month-memory.ts'
import {
  bodyBytes,
  encodeBody,
  flagsOf,
  isMarkFlags,
  isReblogFlags,
  monthOfPost,
  postIdBytes,
  postIdOfBytes,
  postRowOf,
} from './post-row.ts'
import { groupRows } from './row-groups.ts'
import type { Row, Session } from './session.ts'
import { numberTimestamp, ONCE_TIMESTAMP } from './write-timestamps.ts'

const MONTHS = 4096
const POSTS_AT_ONCE = 256
/** An author is erased so many posts at a time. */
const ERASE_POSTS_MAX = 500
/** Marks are passed over: fewer rows than this are never asked for. */
const IDS_ASKED_MIN = 16

export class CassandraPostTable implements PostTable {
  readonly #session: Session
  readonly #months = new MonthMemory()
  readonly #insert: string
  readonly #insertMonth: string
  readonly #select: string
  readonly #selectMonths: string
  readonly #selectIds: string
  readonly #selectAll: string

  constructor(session: Session, keyspace: string) {
    const posts = `${keyspace}.posts`
    const months = `${keyspace}.months`
    this.#session = session
    this.#insert = `INSERT INTO ${posts} (author, month, post_id, flags, body) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?`
    this.#insertMonth = `INSERT INTO ${months} (author, month) VALUES (?, ?) USING TIMESTAMP ?`
    this.#select = `SELECT post_id, flags, body, writetime(flags) AS version FROM ${posts} WHERE author = ? AND month = ? AND post_id IN ?`
    this.#selectMonths = `SELECT month FROM ${months} WHERE author = ? AND month <= ?`
    this.#selectIds = `SELECT post_id, flags FROM ${posts} WHERE author = ? AND month = ? AND post_id < ? LIMIT ?`
    this.#selectAll = `SELECT author, token(author, month) AS place, post_id, flags, body, writetime(flags) AS version FROM ${posts}`
  }

  put(rows: readonly PostRow[]): Promise<void> {
    const groups = groupRows(rows, partitionOf, (row) => bodyBytes(row.body))
    return this.#session.forEach(groups, (group) => this.#putGroup(group))
  }

  async get(keys: readonly PostKey[]): Promise<(PostRow | undefined)[]> {
    const found = new Map<string, PostRow>()
    const groups = groupRows(keys, partitionOf, () => 0)
    await Promise.all(groups.map((group) => this.#getGroup(group, found)))
    return keys.map((key) => found.get(nameOf(key)))
  }

  async idsBelow(author: number, below: PostId | undefined, limit: number): Promise<PostIdList> {
    const postIds: PostId[] = []
    const reblogs: boolean[] = []
    const newest = below === undefined ? MONTHS : monthOfPost(below)
    const months = limit <= 0 ? [] : await this.#session.read(this.#selectMonths, [author, newest])
    for (const { month } of months) {
      for await (const { postId, isReblog } of this.#idsOf(author, month as number, below, limit)) {
        postIds.push(postId)
        reblogs.push(isReblog)
        if (postIds.length === limit) return { postIds, reblogs }
      }
    }
    return { postIds, reblogs }
  }

  /** Reads the ring from end to end, by tokens. */
  async *allPosts(): AsyncIterable<PostBatch> {
    for await (const rows of this.#session.pages(this.#selectAll, [], POSTS_AT_ONCE)) {
      const last = rows.at(-1)?.['place']
      yield {
        rows: rows.map((row) => rowOf(row['author'] as number, row)),
        part: partOfRing(Number(last)),
      }
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

  /** The posts of one month that are no marks. */
  async *#idsOf(author: number, month: number, before: PostId | undefined, limit: number) {
    const asked = Math.max(limit, IDS_ASKED_MIN)
    let below = before === undefined ? ABOVE_ALL_IDS : postIdBytes(before)
    for (;;) {
      const rows = await this.#session.read(this.#selectIds, [author, month, below, asked])
      for (const row of rows) {
        const flags = row['flags'] as number
        below = row['post_id'] as Buffer
        if (!isMarkFlags(flags))
          yield { postId: postIdOfBytes(below), isReblog: isReblogFlags(flags) }
      }
      if (rows.length < asked) return
    }
  }

  /** A post counts as durable with its month's row: without that, nobody would look for it. */
  async #putGroup(rows: readonly PostRow[]): Promise<void> {
    const [first] = rows
    if (first === undefined) return
    const { author } = first
    const month = monthOfPost(first.postId)
    const written = this.#session.writeTogether(rows.map((row) => this.#writeOf(row, month)))
    if (this.#months.has(author, month)) return written
    const noted = this.#session.write(this.#insertMonth, [author, month, ONCE_TIMESTAMP])
    await bothOf(written, noted)
    this.#months.add(author, month)
  }

  #writeOf(row: PostRow, month: number) {
    assert((row.body === undefined) === (row.version === MARK_VERSION), 'a mark has no body')
    const version = numberTimestamp(row.version)
    const params = [
      row.author,
      month,
      postIdBytes(row.postId),
      flagsOf(row),
      encodeBody(row),
      version,
    ]
    return { query: this.#insert, params }
  }

  async #getGroup(keys: readonly PostKey[], found: Map<string, PostRow>): Promise<void> {
    const [first] = keys
    if (first === undefined) return
    const { author } = first
    const ids = keys.map(({ postId }) => postIdBytes(postId))
    const params = [author, monthOfPost(first.postId), ids]
    for (const row of await this.#session.read(this.#select, params)) {
      const post = rowOf(author, row)
      found.set(nameOf(post), post)
    }
  }
}

/** Nine bytes: greater than every id of eight. */
const ABOVE_ALL_IDS = Buffer.alloc(9, 0xff)

function rowOf(author: number, row: Row): PostRow {
  const key = { author, postId: postIdOfBytes(row['post_id'] as Buffer) }
  return postRowOf(key, {
    flags: row['flags'] as number,
    body: row['body'] as Buffer,
    version: Number(row['version']),
  })
}

function partitionOf({ author, postId }: PostKey): number {
  return author * MONTHS + monthOfPost(postId)
}

function nameOf({ author, postId }: PostKey): string {
  return `${author}:${postId}`
}

function markOf({ author, postId }: PostKey): PostRow {
  return { author, postId, version: MARK_VERSION, createdOffset: -1, body: undefined }
}

/** Waits for both also when one fails, so that none is left floating. */
async function bothOf(a: Promise<void>, b: Promise<void>): Promise<void> {
  const ended = await Promise.allSettled([a, b])
  for (const end of ended) if (end.status === 'rejected') throw end.reason
}

/** Tokens are spread evenly over all signed 64-bit numbers. */
function partOfRing(token: number): number {
  return (token + 2 ** 63) / 2 ** 64
}
