// Posts on the command line: AUTHOR/POST_ID, as every command shows them and takes them.

import type { PostRef } from '../client/post.ts'
import { usageFailure } from './exit.ts'

/** Reads "bob/345678901234567890". A slash may be part of the author's id: the last one counts. */
export function parsePostName(given: string): PostRef {
  const slash = given.lastIndexOf('/')
  const postId = given.slice(slash + 1)
  if (slash < 1 || !isPostId(postId)) {
    throw usageFailure(
      `"${given}" names no post: give AUTHOR/POST_ID, as "cellfeed dashboard" shows it`,
    )
  }
  return { authorId: given.slice(0, slash), postId }
}

/** Reads a post id alone, or the one in a post's name. */
export function parsePostId(given: string): string {
  return isPostId(given) ? given : parsePostName(given).postId
}

/** A post's name as a shell takes it: quoted if the author's id needs it. */
export function postName(post: PostRef): string {
  const name = `${post.authorId}/${post.postId}`
  return /^[\p{L}\p{M}\p{N}_@%+=:,./-]+$/u.test(name) && !name.startsWith('-')
    ? name
    : `'${name.replaceAll("'", `'\\''`)}'`
}

function isPostId(given: string): boolean {
  return /^[1-9]\d{0,19}$/.test(given)
}
