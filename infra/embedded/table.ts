// One table of an LMDB environment: binary keys in byte order, binary values. Reads see what is committed. Writes are made
// only inside a group commit, where `latest` also sees the commit's own earlier writes.

import type { Database } from 'lmdb'
import type { GroupCommit } from './group-commit.ts'

export type Entry = { readonly key: Buffer; readonly value: Buffer }

export type Range = {
  readonly start: Buffer
  /** Not included; of a reversed range, where it stops. */
  readonly end: Buffer
  readonly limit?: number
  readonly reverse?: boolean
}

/** What lmdb's types leave out: options of an asynchronous put. */
type Appendable = {
  put(key: Buffer, value: Buffer, options: { append: true }): Promise<boolean>
}

export class Table {
  readonly #database: Database<Buffer, Buffer>
  readonly #commit: GroupCommit
  /** Of the running commit: key -> value, undefined when removed. */
  readonly #pending = new Map<string, Buffer | undefined>()

  constructor(database: Database<Buffer, Buffer>, commit: GroupCommit) {
    this.#database = database
    this.#commit = commit
  }

  /** A copy that the caller may keep. */
  get(key: Buffer): Buffer | undefined {
    return this.#database.getBinary(key)
  }

  /** Entries in key order, or from `start` down when reversed. */
  range(range: Range): Iterable<Entry> {
    return this.#database.getRange(range)
  }

  /** How many rows there are. */
  count(): number {
    const stats: { entryCount?: number } = this.#database.getStats()
    return stats.entryCount ?? 0
  }

  /** In a commit: the row as it will be. */
  latest(key: Buffer): Buffer | undefined {
    const name = key.toString('latin1')
    return this.#pending.has(name) ? this.#pending.get(name) : this.#database.getBinary(key)
  }

  /** In a commit: whether there will be such a row. */
  has(key: Buffer): boolean {
    const name = key.toString('latin1')
    if (this.#pending.has(name)) return this.#pending.get(name) !== undefined
    return this.#database.doesExist(key)
  }

  /** In a commit. The value must not change until the commit has ended. */
  put(key: Buffer, value: Buffer): void {
    this.#pending.set(key.toString('latin1'), value)
    void this.#database.put(key, value)
  }

  /** In a commit: a row whose key is greater than all before. Fills pages to the brim; `latest` does not see it. */
  append(key: Buffer, value: Buffer): void {
    const database: Appendable = this.#database
    this.#commit.track(database.put(key, value, { append: true }))
  }

  /** In a commit. */
  remove(key: Buffer): void {
    this.#pending.set(key.toString('latin1'), undefined)
    void this.#database.remove(key)
  }

  /** The environment calls this after each commit. */
  forgetPending(): void {
    this.#pending.clear()
  }
}
