// What a cell keeps of users as authors, on LMDB: followers, facts and greatest ids, names.
//
//     followers  u32 author | 16 bytes user key  ->  u8 follows | u48 offset of the event
//     authors    u32 author                      ->  versioned row
//     greatest   u32 block                       ->  versioned row
//     names      u32 number                      ->  16 bytes user key | id
//
// An empty id is the mark of an erased name and stays.

import { bytesOfUserKey, type UserKey } from '../../cells/model/user-key.ts'
import type {
  AuthorRow,
  AuthorTable,
  FollowerRow,
  FollowerTable,
  GreatestBlock,
  NameRow,
  NameTable,
} from '../../cells/ports/cell-store.ts'
import type { Environment } from './environment.ts'
import { u32Key, u48Key } from './keys.ts'
import type { Table } from './table.ts'
import { bytesIn, putGreater, rowOf } from './versioned-row.ts'

const FOLLOWER_BYTES = 27
const ROWS_PER_BATCH = 1_000
const KEY_BYTES = 16
const RESERVED_KEY = Buffer.from('names reserved')

export class EmbeddedFollowerTable implements FollowerTable {
  readonly #environment: Environment
  readonly #followers: Table

  constructor(environment: Environment) {
    this.#environment = environment
    this.#followers = environment.table('followers')
  }

  async put(rows: readonly FollowerRow[]): Promise<void> {
    await this.#environment.commit(rows.length * FOLLOWER_BYTES, () => {
      for (const row of rows) {
        const key = followerKey(row.author, row.user)
        const standing = this.#followers.latest(key)
        if (standing !== undefined && standing.readUIntBE(1, 6) >= row.version) continue
        const value = Buffer.allocUnsafe(7)
        value.writeUInt8(row.follows ? 1 : 0, 0)
        value.writeUIntBE(row.version, 1, 6)
        this.#followers.put(key, value)
      }
    })
  }

  async after(author: number, after: UserKey | undefined, limit: number): Promise<UserKey[]> {
    const followers: UserKey[] = []
    if (limit <= 0) return followers
    const start = after === undefined ? u32Key(author) : justAfter(followerKey(author, after))
    for (const { key, value } of this.#followers.range({ start, end: u32Key(author + 1) })) {
      if (value.readUInt8(0) === 0) continue
      followers.push(key.toString('latin1', 4) as UserKey)
      if (followers.length === limit) break
    }
    return followers
  }
}

export class EmbeddedAuthorTable implements AuthorTable {
  readonly #environment: Environment
  readonly #authors: Table
  readonly #greatest: Table

  constructor(environment: Environment) {
    this.#environment = environment
    this.#authors = environment.table('authors')
    this.#greatest = environment.table('greatest')
  }

  async put(rows: readonly AuthorRow[]): Promise<void> {
    await this.#environment.commit(bytesIn(rows), () => {
      for (const row of rows) putGreater(this.#authors, u32Key(row.author), row)
    })
  }

  async *all(): AsyncIterable<readonly AuthorRow[]> {
    for (const rows of inBatches(this.#authors)) {
      yield rows.map(({ number: author, value }) => ({ author, ...rowOf(value) }))
    }
  }

  async putGreatest(blocks: readonly GreatestBlock[]): Promise<void> {
    await this.#environment.commit(bytesIn(blocks), () => {
      for (const block of blocks) putGreater(this.#greatest, u32Key(block.block), block)
    })
  }

  async *greatest(): AsyncIterable<readonly GreatestBlock[]> {
    for (const rows of inBatches(this.#greatest)) {
      yield rows.map(({ number: block, value }) => ({ block, ...rowOf(value) }))
    }
  }
}

export class EmbeddedNameTable implements NameTable {
  readonly #environment: Environment
  readonly #names: Table

  constructor(environment: Environment) {
    this.#environment = environment
    this.#names = environment.table('names')
  }

  async reserve(end: number): Promise<void> {
    const { meta } = this.#environment
    await this.#environment.commit(0, () => {
      if (end > reservedIn(meta.latest(RESERVED_KEY))) meta.put(RESERVED_KEY, u48Key(end))
    })
  }

  async reservedEnd(): Promise<number> {
    return reservedIn(this.#environment.meta.get(RESERVED_KEY))
  }

  async put(rows: readonly NameRow[]): Promise<void> {
    await this.#environment.commit(rows.length * 2 * KEY_BYTES, () => {
      for (const { number, key, id } of rows) {
        const isErased = this.#names.latest(u32Key(number))?.length === KEY_BYTES
        if (isErased) continue
        this.#names.put(u32Key(number), Buffer.concat([bytesOfUserKey(key), Buffer.from(id)]))
      }
    })
  }

  async *all(): AsyncIterable<readonly { readonly number: number; readonly key: UserKey }[]> {
    for (const rows of inBatches(this.#names)) {
      yield rows.map(({ number, value }) => ({ number, key: keyIn(value) }))
    }
  }

  async get(numbers: readonly number[]): Promise<(NameRow | undefined)[]> {
    return numbers.map((number) => {
      const value = this.#names.get(u32Key(number))
      return value && { number, key: keyIn(value), id: value.toString('utf8', KEY_BYTES) }
    })
  }
}

function keyIn(name: Buffer): UserKey {
  return name.toString('latin1', 0, KEY_BYTES) as UserKey
}

/** All rows of a table whose key is one number, in batches that are each read at once. */
function* inBatches(table: Table): Iterable<{ number: number; value: Buffer }[]> {
  for (let from = 0; ; ) {
    const range = { start: u32Key(from), end: u32Key(0xffff_ffff), limit: ROWS_PER_BATCH }
    const rows = Array.from(table.range(range), ({ key, value }) => ({
      number: key.readUInt32BE(0),
      value,
    }))
    if (rows.length > 0) yield rows
    if (rows.length < ROWS_PER_BATCH) return
    from = (rows.at(-1)?.number ?? 0) + 1
  }
}

function followerKey(author: number, user: UserKey): Buffer {
  return Buffer.concat([u32Key(author), bytesOfUserKey(user)])
}

function justAfter(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.of(0)])
}

function reservedIn(value: Buffer | undefined): number {
  return value?.readUIntBE(0, 6) ?? 0
}
