// What events make of a post's row.

import type { PostCreated, PostEdited } from '../model/event.ts'
import type { PostId } from '../model/post-id.ts'
import { MARK_VERSION, type PostKey, type PostRow } from '../ports/post-table.ts'

export function postKeyText(author: number, postId: PostId): string {
  return `${author}:${postId}`
}

export function markOf(author: number, postId: PostId): PostRow {
  return { author, postId, version: MARK_VERSION, createdOffset: -1, body: undefined }
}

export function isMark(row: PostRow): boolean {
  return row.version === MARK_VERSION
}

/** `origin` is the reblogged post. */
export function created(
  fact: PostCreated,
  at: { readonly author: number; readonly offset: number; readonly origin: PostKey | undefined },
): PostRow {
  return {
    author: at.author,
    postId: fact.postId,
    version: at.offset,
    createdOffset: at.offset,
    body: {
      head: fact.head,
      content: fact.content,
      followersOnly: fact.audience === 'followers',
      reblogOf: at.origin,
    },
  }
}

/** A row that is a mark, or as of this edit or later, stays as it is. */
export function edited(row: PostRow, { content }: PostEdited, offset: number): PostRow {
  if (row.body === undefined || row.version >= offset) return row
  return { ...row, version: offset, body: { ...row.body, content } }
}
