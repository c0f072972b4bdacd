// Places in a dashboard that a gateway makes by itself.

import { firstIdAt, msOf, type PostId } from '../../cells/model/post-id.ts'
import { type UserKey, userKeyOfBytes } from '../../cells/model/user-key.ts'
import type { Page, Place } from '../../cells/ports/cell-client.ts'

/** Sorts before every key. */
export const LEAST_KEY: UserKey = keyOf(0)
const GREATEST_KEY: UserKey = keyOf(255)

/** Older than every post: all posts are newer. */
export const PLACE_BEFORE_ALL: Place = { postId: 1n as PostId, author: GREATEST_KEY }

/** Where posts newer than this one start, reaching back by the clock skew: another gateway's post may land late. */
export function placeBehind(postId: PostId, clockSkewMs: number): Place {
  return { postId: firstIdAt(msOf(postId) - clockSkewMs), author: GREATEST_KEY }
}

/** Whether a page of newer posts reaches up to the newest: one that has more above it names its own newest post. */
export function endsAtTop({ posts, newer }: Pick<Page, 'posts' | 'newer'>): boolean {
  const [newest] = posts
  return newest === undefined || newer?.postId !== newest.postId || newer.author !== newest.author
}

/** The one further up in a dashboard. */
export function newerOf(a: Place, b: Place): Place {
  if (a.postId !== b.postId) return a.postId > b.postId ? a : b
  return a.author < b.author ? a : b
}

function keyOf(byte: number): UserKey {
  const key = userKeyOfBytes(new Uint8Array(16).fill(byte))
  if (key === undefined) throw new Error('a key has 16 bytes')
  return key
}
