// The log that is explored: three posts of authors whom the slot's reader follows, in two partitions. The first has been applied and
// is in every checkpoint when the exploration begins. A set of posts is kept as bits.

import type { Position } from '../../cells/model/position.ts'

const PARTITIONS = [[1, 2], [4]] as const
export const NOWHERE: Position = [0, 0]
/** Where both cells begin. */
export const LOG_START: Position = [1, 0]
export const LOG_END: Position = PARTITIONS.map((posts) => posts.length)

/** The posts of one partition between two offsets. */
export function postsBetween(partition: number, from = 0, to = 0): number {
  let posts = 0
  for (const post of (PARTITIONS[partition] ?? []).slice(from, to)) posts |= post
  return posts
}

/** What a dashboard has to show as of a position. */
export function postsBelow(position: Position): number {
  return position.reduce((posts, offset, p) => posts | postsBetween(p, 0, offset), 0)
}
