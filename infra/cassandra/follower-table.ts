// Who follows an author, on Cassandra: a partition an author, in the order of keys.
//
//     followers  ((author), user)  ->  follows    timestamp: the offset of the event
//
// Conflicts: one column, whose timestamp is the offset in the author's partition: the newest event stays. Who unfollowed keeps a
// row that says so, not a deleted one: a deletion would be forgotten some days later, and a follow from before could land then.
//
// An author's partition is some 40 bytes for each follower who is homed in this cell: 160 MB for four million.

import { bytesOfUserKey, type UserKey } from '../../cells/model/user-key.ts'
import type { FollowerRow, FollowerTable } from '../../cells/ports/cell-store.ts'
import { bufferOf } from './buffer-of.ts'
import { groupRows } from './row-groups.ts'
import type { Session } from './session.ts'
import { numberTimestamp } from './write-timestamps.ts'

const FOLLOWER_BYTES = 40
/** Rows of who unfollowed are passed over: fewer rows than this are never asked for. */
const ASKED_MIN = 64
const BEFORE_ALL_KEYS = Buffer.alloc(0)

export class CassandraFollowerTable implements FollowerTable {
  readonly #session: Session
  readonly #insert: string
  readonly #select: string

  constructor(session: Session, keyspace: string) {
    const followers = `${keyspace}.followers`
    this.#session = session
    this.#insert = `INSERT INTO ${followers} (author, user, follows) VALUES (?, ?, ?) USING TIMESTAMP ?`
    this.#select = `SELECT user, follows FROM ${followers} WHERE author = ? AND user > ? LIMIT ?`
  }

  async put(rows: readonly FollowerRow[]): Promise<void> {
    const groups = groupRows(
      rows,
      ({ author }) => author,
      () => FOLLOWER_BYTES,
    )
    await this.#session.forEach(groups, (group) =>
      this.#session.writeTogether(
        group.map(({ author, user, follows, version }) => ({
          query: this.#insert,
          params: [author, bufferOf(bytesOfUserKey(user)), follows, numberTimestamp(version)],
        })),
      ),
    )
  }

  async after(author: number, after: UserKey | undefined, limit: number): Promise<UserKey[]> {
    const followers: UserKey[] = []
    if (limit <= 0) return followers
    const asked = Math.max(limit, ASKED_MIN)
    let from = after === undefined ? BEFORE_ALL_KEYS : bufferOf(bytesOfUserKey(after))
    for (;;) {
      const rows = await this.#session.read(this.#select, [author, from, asked])
      for (const row of rows) {
        from = row['user'] as Buffer
        if (row['follows'] === true) followers.push(from.toString('latin1') as UserKey)
        if (followers.length === limit) return followers
      }
      if (rows.length < asked) return followers
    }
  }
}
