// Where what a product says of a user differs from what the user's cell holds, as the records that put it right. Pure.

import type { ImportRecord, Related, Relations } from '../../client/connect.ts'
import type { StatedUser } from './stated-user.ts'

/** A block ends both follows: of somebody whom the user blocks, no follow is stated. */
export function differences(stated: StatedUser, held: Relations): ImportRecord[] {
  const { user, follows, blocks, mutes, readUntil } = stated
  const heldBy = new Map(held.related.map((related) => [related.userId, related]))
  const records: ImportRecord[] = []
  for (const [author, hideReblogs] of follows ?? []) {
    const has = heldBy.get(author)
    if (author === user || blocks?.has(author) === true) continue
    if (has?.follows === true && has.hideReblogs === hideReblogs) continue
    records.push({ follow: { userId: user, authorId: author, hideReblogs } })
  }
  records.push(...missing(user, blocks, heldBy, 'block'), ...missing(user, mutes, heldBy, 'mute'))
  for (const { userId: other, ...has } of held.related) {
    const follow = follows === undefined || (follows.has(other) && blocks?.has(other) !== true)
    if (has.follows && !follow) records.push({ unfollow: { userId: user, authorId: other } })
    const relation = { userId: user, targetId: other }
    if (has.blocks && blocks?.has(other) === false) records.push({ unblock: relation })
    if (has.mutes && mutes?.has(other) === false) records.push({ unmute: relation })
  }
  const isRead = readUntil !== undefined && !(readAtMs(held) >= readUntil.getTime())
  if (isRead) records.push({ readMark: { userId: user, readUntil } })
  return records
}

/** The cell of whoever is blocked keeps the block too: `blockers` are all who are said to block the user. */
export function blockDifferences(
  user: string,
  held: Relations,
  said: { readonly blockers: ReadonlySet<string>; readonly isStated: (user: string) => boolean },
): ImportRecord[] {
  const has = new Set(held.related.filter((each) => each.blockedBy).map((each) => each.userId))
  const records: ImportRecord[] = []
  for (const blocker of said.blockers) {
    if (!has.has(blocker)) records.push({ block: { userId: blocker, targetId: user } })
  }
  for (const blocker of has) {
    if (said.blockers.has(blocker) || !said.isStated(blocker)) continue
    records.push({ unblock: { userId: blocker, targetId: user } })
  }
  return records
}

function missing(
  user: string,
  targets: ReadonlySet<string> | undefined,
  heldBy: ReadonlyMap<string, Related>,
  kind: 'block' | 'mute',
): ImportRecord[] {
  const records: ImportRecord[] = []
  for (const target of targets ?? []) {
    const has = heldBy.get(target)
    if (target === user || (kind === 'block' ? has?.blocks : has?.mutes) === true) continue
    const relation = { userId: user, targetId: target }
    records.push(kind === 'block' ? { block: relation } : { mute: relation })
  }
  return records
}

/** 2000-01-01, from which post ids count. */
const ID_EPOCH_MS = 946_684_800_000

function readAtMs({ readMark }: Relations): number {
  return readMark === undefined ? 0 : Number(BigInt(readMark) >> 22n) + ID_EPOCH_MS
}
