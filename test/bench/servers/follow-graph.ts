// Who follows whom in these benches: readers 1 .. n each follow the same number of users, drawn alike, so that every post has as
// many followers as every reader has follows, on the average. Two packed arrays each way; no object per edge.

import { different, drawFrom } from '../draw.ts'

export const READERS = 100_000
export const FOLLOWS = 200
const SEED = 11

export type FollowGraph = {
  /** Ascending. */
  followsOf(reader: number): Uint32Array
  followersOf(author: number): Uint32Array
}

export function followGraph(users: number, readers = READERS, follows = FOLLOWS): FollowGraph {
  const draw = drawFrom(SEED)
  const authors = new Uint32Array(readers * follows)
  const begins = new Uint32Array(users + 2)
  for (let i = 0; i < readers; i++) {
    const followed = different(draw, follows, users, i + 1)
    authors.set(followed, i * follows)
    for (const author of followed) begins[author + 1] = (begins[author + 1] ?? 0) + 1
  }
  for (let user = 1; user < begins.length; user++) {
    begins[user] = (begins[user] ?? 0) + (begins[user - 1] ?? 0)
  }
  const followers = new Uint32Array(authors.length)
  const ends = begins.slice()
  for (let edge = 0; edge < authors.length; edge++) {
    const author = authors[edge] ?? 0
    const at = ends[author] ?? 0
    followers[at] = Math.floor(edge / follows) + 1
    ends[author] = at + 1
  }
  return {
    followsOf: (reader) => authors.subarray((reader - 1) * follows, reader * follows),
    followersOf: (author) => followers.subarray(begins[author] ?? 0, begins[author + 1] ?? 0),
  }
}
