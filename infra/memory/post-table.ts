// A cell's posts in memory.

import type { PostId } from '../../cells/model/post-id.ts'
import {
  MARK_VERSION,
  type PostBatch,
  type PostIdList,
  type PostKey,
  type PostRow,
  type PostTable,
} from '../../cells/ports/post-table.ts'

/** `ids` are all of `rows`, marks too, newest first. */
type AuthorPosts = { readonly ids: PostId[]; readonly rows: Map<PostId, PostRow> }

const ROWS_PER_BATCH = 1_000

export class MemoryPostTable implements PostTable {
  readonly #authors = new Map<number, AuthorPosts>()

  async put(rows: readonly PostRow[]): Promise<void> {
    for (const row of rows) this.#putOne(row)
  }

  async get(keys: readonly PostKey[]): Promise<(PostRow | undefined)[]> {
    return keys.map((key) => this.#authors.get(key.author)?.rows.get(key.postId))
  }

  async idsBelow(author: number, below: PostId | undefined, limit: number): Promise<PostIdList> {
    const postIds: PostId[] = []
    const reblogs: boolean[] = []
    const posts = this.#authors.get(author)
    if (posts === undefined) return { postIds, reblogs }
    const from = below === undefined ? 0 : firstAtOrBelow(posts.ids, below)
    for (let i = from; i < posts.ids.length && postIds.length < limit; i++) {
      const body = bodyAt(posts, i)
      const id = posts.ids[i]
      if (body === undefined || id === undefined || id === below) continue
      postIds.push(id)
      reblogs.push(body.reblogOf !== undefined)
    }
    return { postIds, reblogs }
  }

  async *allPosts(): AsyncIterable<PostBatch> {
    const authors = [...this.#authors.values()]
    for (const [read, { rows }] of authors.entries()) {
      const ofAuthor = [...rows.values()]
      for (let i = 0; i < ofAuthor.length; i += ROWS_PER_BATCH) {
        yield { rows: ofAuthor.slice(i, i + ROWS_PER_BATCH), part: (read + 1) / authors.length }
      }
    }
  }

  async eraseAuthor(author: number): Promise<void> {
    for (const postId of this.#authors.get(author)?.ids ?? []) {
      const mark = { version: MARK_VERSION, createdOffset: -1, body: undefined }
      this.#putOne({ author, postId, ...mark })
    }
  }

  #putOne(row: PostRow): void {
    let posts = this.#authors.get(row.author)
    if (posts === undefined) {
      posts = { ids: [], rows: new Map() }
      this.#authors.set(row.author, posts)
    }
    const standing = posts.rows.get(row.postId)
    if (standing !== undefined && standing.version >= row.version) return
    if (standing === undefined) {
      posts.ids.splice(firstAtOrBelow(posts.ids, row.postId), 0, row.postId)
    }
    posts.rows.set(row.postId, copyOf(row))
  }
}

function bodyAt(posts: AuthorPosts, index: number) {
  const id = posts.ids[index]
  return id === undefined ? undefined : posts.rows.get(id)?.body
}

/** The first index whose id is not above `id`; ids descend. */
function firstAtOrBelow(ids: readonly PostId[], id: PostId): number {
  let low = 0
  let high = ids.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ids[middle] ?? 0n) > id) low = middle + 1
    else high = middle
  }
  return low
}

/** Bytes may be views of a batch that the caller goes on to use. */
function copyOf(row: PostRow): PostRow {
  const { author, postId, version, createdOffset, body } = row
  if (body === undefined) return { author, postId, version, createdOffset, body }
  const copy = { ...body, head: body.head.slice(), content: body.content.slice() }
  return { author, postId, version, createdOffset, body: copy }
}
