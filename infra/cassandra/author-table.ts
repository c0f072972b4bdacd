// Facts and greatest ids of authors on Cassandra.
//
//     authors   ((block of 16384 authors), author)  ->  bytes    timestamp: the row's version
//     greatest  ((block of 64 blocks), number)      ->  bytes    timestamp: the row's version
//
// Conflicts: one column, whose timestamp is the version: the greater stays, whole.

import type { AuthorRow, AuthorTable, GreatestBlock } from '../../cells/ports/cell-store.ts'
import { bufferOf } from './buffer-of.ts'
import { NumberBlocks } from './number-blocks.ts'
import { groupRows } from './row-groups.ts'
import type { Session } from './session.ts'
import { versionOfTimestamp, versionTimestamp } from './write-timestamps.ts'

const AUTHORS_PER_BLOCK = 16_384
/** Of 8 KB each. */
const GREATEST_PER_BLOCK = 64

export class CassandraAuthorTable implements AuthorTable {
  readonly #session: Session
  readonly #authors: NumberBlocks
  readonly #greatest: NumberBlocks
  readonly #insert: string
  readonly #select: string
  readonly #insertGreatest: string
  readonly #selectGreatest: string

  constructor(session: Session, keyspace: string) {
    const authors = `${keyspace}.authors`
    const greatest = `${keyspace}.greatest`
    this.#session = session
    this.#authors = new NumberBlocks(session, keyspace, {
      kind: 'authors',
      numbersPerBlock: AUTHORS_PER_BLOCK,
    })
    this.#greatest = new NumberBlocks(session, keyspace, {
      kind: 'greatest',
      numbersPerBlock: GREATEST_PER_BLOCK,
    })
    this.#insert = `INSERT INTO ${authors} (block, author, bytes) VALUES (?, ?, ?) USING TIMESTAMP ?`
    this.#select = `SELECT author, bytes, writetime(bytes) AS version FROM ${authors} WHERE block = ?`
    this.#insertGreatest = `INSERT INTO ${greatest} (block, number, bytes) VALUES (?, ?, ?) USING TIMESTAMP ?`
    this.#selectGreatest = `SELECT number, bytes, writetime(bytes) AS version FROM ${greatest} WHERE block = ?`
  }

  async put(rows: readonly AuthorRow[]): Promise<void> {
    await this.#authors.list(rows.map(({ author }) => author))
    const blockOf = (author: number) => this.#authors.blockOf(author)
    await this.#write(
      this.#insert,
      blockOf,
      rows.map(({ author, ...row }) => [author, row]),
    )
  }

  async *all(): AsyncIterable<readonly AuthorRow[]> {
    for await (const rows of this.#authors.rows(this.#select)) {
      yield rows.map((row) => ({
        author: row['author'] as number,
        version: versionOfTimestamp(row['version'] as bigint),
        bytes: row['bytes'] as Buffer,
      }))
    }
  }

  async putGreatest(blocks: readonly GreatestBlock[]): Promise<void> {
    await this.#greatest.list(blocks.map(({ block }) => block))
    const blockOf = (number: number) => this.#greatest.blockOf(number)
    const numbered = blocks.map(({ block, ...row }): Numbered => [block, row])
    await this.#write(this.#insertGreatest, blockOf, numbered)
  }

  async *greatest(): AsyncIterable<readonly GreatestBlock[]> {
    for await (const rows of this.#greatest.rows(this.#selectGreatest)) {
      yield rows.map((row) => ({
        block: row['number'] as number,
        version: versionOfTimestamp(row['version'] as bigint),
        bytes: row['bytes'] as Buffer,
      }))
    }
  }

  async #write(
    query: string,
    blockOf: (number: number) => number,
    rows: readonly Numbered[],
  ): Promise<void> {
    const groups = groupRows(
      rows,
      ([number]) => blockOf(number),
      ([, { bytes }]) => bytes.length,
    )
    await this.#session.forEach(groups, (group) =>
      this.#session.writeTogether(
        group.map(([number, { bytes, version }]) => ({
          query,
          params: [blockOf(number), number, bufferOf(bytes), versionTimestamp(version)],
        })),
      ),
    )
  }
}

type Numbered = readonly [number: number, row: Omit<AuthorRow, 'author'>]
