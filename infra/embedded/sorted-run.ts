// One sorted run of the index of posts: a stretch of a table whose keys begin with the run's number.

import type { PostId } from '../../cells/model/post-id.ts'
import type { PostKey } from '../../cells/ports/post-table.ts'
import { u32Key } from './keys.ts'
import type { Table } from './table.ts'

/** `entries` and the bounds of the ids may claim more than the run holds, after a commit failed; never less. */
export type Run = {
  readonly table: Table
  readonly number: number
  /** 0 when written entry by entry; a run merged from level n is of level n + 1. */
  readonly level: number
  entries: number
  minId: PostId
  maxId: PostId
}

export function isWithin(run: Run, postId: PostId): boolean {
  return run.minId <= postId && postId <= run.maxId
}

/** u32 run | u32 author | u64 ~id: an author's newest post first. */
export function entryKey(run: number, author: number, postId: PostId): Buffer {
  const key = Buffer.allocUnsafe(16)
  key.writeUInt32BE(run, 0)
  key.writeUInt32BE(author, 4)
  key.writeBigUInt64BE(BigInt.asUintN(64, ~postId), 8)
  return key
}

export function idOf(key: Buffer): PostId {
  return BigInt.asUintN(64, ~key.readBigUInt64BE(8)) as PostId
}

/** The key right after an entry's, whether or not there is one. */
export function keyAfter(run: number, { author, postId }: PostKey): Buffer {
  return entryKey(run, author, (postId - 1n) as PostId)
}

/** The key of the same entry in another run. */
export function keyInRun(run: number, key: Buffer): Buffer {
  const moved = Buffer.from(key)
  moved.writeUInt32BE(run, 0)
  return moved
}

/** The numbers of all runs in the table, ascending: one seek for each. */
export function runsIn(table: Table): number[] {
  const numbers: number[] = []
  for (let from = 0; ; ) {
    const [first] = table.range({ start: u32Key(from), end: u32Key(0xffff_ffff), limit: 1 })
    if (first === undefined) return numbers
    const number = first.key.readUInt32BE(0)
    numbers.push(number)
    from = number + 1
  }
}

/** A run of level 0 as it stands in the table. */
export function scanRun(table: Table, number: number): Run {
  let entries = 0
  let minId = 0n as PostId
  let maxId = 0n as PostId
  for (const { key } of table.range({ start: u32Key(number), end: u32Key(number + 1) })) {
    const id = idOf(key)
    if (entries === 0 || id < minId) minId = id
    if (id > maxId) maxId = id
    entries++
  }
  return { table, number, level: 0, entries, minId, maxId }
}
