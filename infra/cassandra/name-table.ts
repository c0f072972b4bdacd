// Names on Cassandra: which number stands for which user.
//
//     names  ((block of 16384 numbers), number)  ->  key, id           timestamp: 1, or 2 of an erased name
//
// Conflicts: a number is given to one user once, so every write of its name has the same bytes, but for the last one: an erased
// name has no id and the greater timestamp. Both columns are always written. The reserved end is a fact (fact-table.ts).

import { bytesOfUserKey, type UserKey } from '../../cells/model/user-key.ts'
import type { NameRow, NameTable } from '../../cells/ports/cell-store.ts'
import { bufferOf } from './buffer-of.ts'
import { FactTable } from './fact-table.ts'
import { NumberBlocks } from './number-blocks.ts'
import { groupRows } from './row-groups.ts'
import type { Session } from './session.ts'
import { numberTimestamp, ONCE_TIMESTAMP } from './write-timestamps.ts'

const NAMES_PER_BLOCK = 16_384
const NAME_BYTES = 48
const RESERVED_END = 'reserved end'
const ERASED_TIMESTAMP = numberTimestamp(2)

export class CassandraNameTable implements NameTable {
  readonly #session: Session
  readonly #facts: FactTable
  readonly #blocks: NumberBlocks
  readonly #insert: string
  readonly #select: string
  readonly #selectSome: string

  constructor(session: Session, keyspace: string) {
    const names = `${keyspace}.names`
    this.#session = session
    this.#facts = new FactTable(session, keyspace)
    this.#blocks = new NumberBlocks(session, keyspace, {
      kind: 'names',
      numbersPerBlock: NAMES_PER_BLOCK,
    })
    this.#insert = `INSERT INTO ${names} (block, number, key, id) VALUES (?, ?, ?, ?) USING TIMESTAMP ?`
    this.#select = `SELECT number, key FROM ${names} WHERE block = ?`
    this.#selectSome = `SELECT number, key, id FROM ${names} WHERE block = ? AND number IN ?`
  }

  reserve(end: number): Promise<void> {
    return this.#facts.raise(RESERVED_END, end)
  }

  reservedEnd(): Promise<number> {
    return this.#facts.get(RESERVED_END)
  }

  async put(rows: readonly NameRow[]): Promise<void> {
    await this.#blocks.list(rows.map(({ number }) => number))
    const groups = groupRows(
      rows,
      ({ number }) => this.#blocks.blockOf(number),
      ({ id }) => NAME_BYTES + id.length,
    )
    await this.#session.forEach(groups, (group) =>
      this.#session.writeTogether(group.map((row) => this.#writeOf(row))),
    )
  }

  async *all(): AsyncIterable<readonly { readonly number: number; readonly key: UserKey }[]> {
    for await (const rows of this.#blocks.rows(this.#select)) {
      yield rows.map((row) => ({
        number: row['number'] as number,
        key: keyIn(row),
      }))
    }
  }

  async get(numbers: readonly number[]): Promise<(NameRow | undefined)[]> {
    const rows = new Map<number, NameRow>()
    const groups = groupRows(
      numbers,
      (number) => this.#blocks.blockOf(number),
      () => 0,
    )
    await Promise.all(
      groups.map(async (group) => {
        const block = this.#blocks.blockOf(group[0] ?? 0)
        for (const row of await this.#session.read(this.#selectSome, [block, group])) {
          const number = row['number'] as number
          rows.set(number, { number, key: keyIn(row), id: row['id'] as string })
        }
      }),
    )
    return numbers.map((number) => rows.get(number))
  }

  #writeOf({ number, key, id }: NameRow) {
    const timestamp = id === '' ? ERASED_TIMESTAMP : ONCE_TIMESTAMP
    const block = this.#blocks.blockOf(number)
    const params = [block, number, bufferOf(bytesOfUserKey(key)), id, timestamp]
    return { query: this.#insert, params }
  }
}

function keyIn(row: { readonly [column: string]: unknown }): UserKey {
  return (row['key'] as Buffer).toString('latin1') as UserKey
}
