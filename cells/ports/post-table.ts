// The cell's posts: one row a post, deleted ones as a mark. Rows are idempotent and carry the log's order: of two writes of
// one row the one with the greater version stays, also when they land late or in another order; a write that failed or timed
// out may still land later. A mark has the greatest version of all, so nothing replaces it.

import type { PostId } from '../model/post-id.ts'

/** A post named inside one cell: the author by number. */
export type PostKey = { readonly author: number; readonly postId: PostId }

/** Version of a mark: greater than every offset. */
export const MARK_VERSION = Number.MAX_SAFE_INTEGER

export type PostRow = PostKey & {
  /** Offset of the create or of the newest edit; MARK_VERSION of a deleted post. */
  readonly version: number
  /** Offset of the create, which tells a repeat of that very event from another create of the same post. -1 in a mark. */
  readonly createdOffset: number
  readonly body: PostBody | undefined
}

export type PostBody = {
  /** The two halves of the public post, encoded for the wire. */
  readonly head: Uint8Array
  readonly content: Uint8Array
  readonly followersOnly: boolean
  readonly reblogOf: PostKey | undefined
}

/** The ids of stored posts without their bodies, newest first. Marks are left out. */
export type PostIdList = {
  readonly postIds: readonly PostId[]
  /** Per id: whether it is a reblog. */
  readonly reblogs: readonly boolean[]
}

export type PostBatch = {
  readonly rows: readonly PostRow[]
  /** How much of the whole has been read with these, about: 0 to 1. */
  readonly part: number
}

export interface PostTable {
  /** Resolves when all rows are durable. Rows of one call may become durable in any order. */
  put(rows: readonly PostRow[]): Promise<void>
  /** In the order of the keys; undefined where there is neither post nor mark. */
  get(keys: readonly PostKey[]): Promise<(PostRow | undefined)[]>
  /** The author's posts with ids below `below` (all when undefined), at most `limit`; fewer only at the end. */
  idsBelow(author: number, below: PostId | undefined, limit: number): Promise<PostIdList>
  /**
   * Every row, marks too, once each, in any order, in bounded batches. A row that is added or changed meanwhile is met as it was
   * or as it is; one that is only added may be missed.
   */
  allPosts(): AsyncIterable<PostBatch>
  /** Turns every stored post of the author into a mark. Idempotent. */
  eraseAuthor(author: number): Promise<void>
}
