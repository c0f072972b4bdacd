// What a cell keeps of users as authors, in memory: followers, facts and greatest ids, names.

import type { UserKey } from '../../cells/model/user-key.ts'
import type {
  AuthorRow,
  AuthorTable,
  FollowerRow,
  FollowerTable,
  GreatestBlock,
  NameRow,
  NameTable,
  Version,
} from '../../cells/ports/cell-store.ts'
import { isGreater } from '../in-process/version-order.ts'

const ROWS_PER_BATCH = 1_000

export class MemoryFollowerTable implements FollowerTable {
  readonly #authors = new Map<number, Map<UserKey, FollowerRow>>()

  async put(rows: readonly FollowerRow[]): Promise<void> {
    for (const row of rows) {
      const followers = this.#authors.get(row.author) ?? new Map<UserKey, FollowerRow>()
      this.#authors.set(row.author, followers)
      const standing = followers.get(row.user)
      if (standing === undefined || row.version > standing.version) followers.set(row.user, row)
    }
  }

  async after(author: number, after: UserKey | undefined, limit: number): Promise<UserKey[]> {
    return [...(this.#authors.get(author)?.values() ?? [])]
      .filter((row) => row.follows && (after === undefined || row.user > after))
      .map((row) => row.user)
      .sort()
      .slice(0, limit)
  }
}

export class MemoryAuthorTable implements AuthorTable {
  readonly #rows = new Map<number, AuthorRow>()
  readonly #greatest = new Map<number, GreatestBlock>()

  async put(rows: readonly AuthorRow[]): Promise<void> {
    for (const row of rows) keepGreater(this.#rows, row.author, row)
  }

  async *all(): AsyncIterable<readonly AuthorRow[]> {
    yield* inBatches([...this.#rows.values()].sort((a, b) => a.author - b.author))
  }

  async putGreatest(blocks: readonly GreatestBlock[]): Promise<void> {
    for (const block of blocks) keepGreater(this.#greatest, block.block, block)
  }

  async *greatest(): AsyncIterable<readonly GreatestBlock[]> {
    yield* inBatches([...this.#greatest.values()].sort((a, b) => a.block - b.block))
  }
}

export class MemoryNameTable implements NameTable {
  readonly #rows = new Map<number, NameRow>()
  #reservedEnd = 0

  async reserve(end: number): Promise<void> {
    this.#reservedEnd = Math.max(this.#reservedEnd, end)
  }

  async reservedEnd(): Promise<number> {
    return this.#reservedEnd
  }

  async put(rows: readonly NameRow[]): Promise<void> {
    for (const row of rows) {
      if (this.#rows.get(row.number)?.id !== '') this.#rows.set(row.number, row)
    }
  }

  async *all(): AsyncIterable<readonly NameRow[]> {
    yield* inBatches([...this.#rows.values()].sort((a, b) => a.number - b.number))
  }

  async get(numbers: readonly number[]): Promise<(NameRow | undefined)[]> {
    return numbers.map((number) => this.#rows.get(number))
  }
}

type Versioned = { readonly version: Version; readonly bytes: Uint8Array }

function keepGreater<R extends Versioned>(rows: Map<number, R>, key: number, row: R): void {
  const standing = rows.get(key)
  if (standing !== undefined && !isGreater(row.version, standing.version)) return
  rows.set(key, { ...row, bytes: row.bytes.slice() })
}

function* inBatches<R>(rows: readonly R[]): Iterable<readonly R[]> {
  for (let i = 0; i < rows.length; i += ROWS_PER_BATCH) yield rows.slice(i, i + ROWS_PER_BATCH)
}
