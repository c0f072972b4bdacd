// Readers and reach on Cassandra: a partition holds the readers of a slot's stay, so loading them is one partition read.
//
//     readers       ((slot, term), reader)                  ->  row          timestamp: the row's version
//     reader_pages  ((slot, term), reader, version, page)   ->  bytes        (reader-pages.ts)
//     reach         ((one), slot, term)                     ->  bytes        timestamp: the row's version
//
//     row           u8 0 | bytes                                 a reader's row as it is
//                   u8 1 | u32 pages                             one that lies in pages of its version
//
// Conflicts: one column, whose timestamp is the version: the greater stays, whole. A stay is dropped at a timestamp above all
// versions, so what lands after it is never seen; a stay that ended never comes back.

import type { SlotTerm } from '../../cells/model/placement.ts'
import type { ReachRow, ReaderRow, ReaderTable } from '../../cells/ports/cell-store.ts'
import { isGreater } from '../in-process/version-order.ts'
import { bufferOf } from './buffer-of.ts'
import type { CassandraInboxTable } from './inbox-table.ts'
import { ReaderPages } from './reader-pages.ts'
import { groupRows } from './row-groups.ts'
import type { Row, Session, Write } from './session.ts'
import { FINAL_TIMESTAMP, versionOfTimestamp, versionTimestamp } from './write-timestamps.ts'

/** A larger row is kept in pages: 8 bytes a follow, so from 8,000 follows on. */
const INLINE_BYTES_MAX = 64 * 1024
const READERS_AT_ONCE = 256
const INLINE = 0
const PAGED = 1

export class CassandraReaderTable implements ReaderTable {
  readonly #session: Session
  readonly #inbox: CassandraInboxTable
  readonly #pages: ReaderPages
  /** Readers that had pages when this process last read or wrote them. */
  readonly #paged = new Set<string>()
  readonly #insert: string
  readonly #select: string
  readonly #selectOne: string
  readonly #drop: string
  readonly #insertReach: string
  readonly #selectReach: string
  readonly #dropReach: string

  constructor(session: Session, keyspace: string, inbox: CassandraInboxTable) {
    const readers = `${keyspace}.readers`
    const reach = `${keyspace}.reach`
    this.#session = session
    this.#inbox = inbox
    this.#pages = new ReaderPages(session, keyspace)
    this.#insert = `INSERT INTO ${readers} (slot, term, reader, row) VALUES (?, ?, ?, ?) USING TIMESTAMP ?`
    this.#select = `SELECT reader, row, writetime(row) AS version FROM ${readers} WHERE slot = ? AND term = ?`
    this.#selectOne = `${this.#select} AND reader = ?`
    this.#drop = `DELETE FROM ${readers} USING TIMESTAMP ? WHERE slot = ? AND term = ?`
    this.#insertReach = `INSERT INTO ${reach} (one, slot, term, bytes) VALUES (1, ?, ?, ?) USING TIMESTAMP ?`
    this.#selectReach = `SELECT slot, term, bytes, writetime(bytes) AS version FROM ${reach} WHERE one = 1`
    this.#dropReach = `DELETE FROM ${reach} USING TIMESTAMP ? WHERE one = 1 AND slot = ? AND term = ?`
  }

  async put(rows: readonly ReaderRow[]): Promise<void> {
    const small = rows.filter(({ bytes }) => bytes.length <= INLINE_BYTES_MAX)
    const large = rows.filter(({ bytes }) => bytes.length > INLINE_BYTES_MAX)
    const groups = groupRows(
      small,
      ({ slot, term }) => `${slot}/${term}`,
      ({ bytes }) => bytes.length,
    )
    await this.#session.forEach(groups, (group) =>
      this.#session.writeTogether(group.map((row) => this.#writeOf(row, inlineOf(row)))),
    )
    await this.#dropPagesOf(small)
    for (const row of large) await this.#putLarge(row)
  }

  async get(at: SlotTerm, reader: number): Promise<ReaderRow | undefined> {
    const [row] = await this.#session.read(this.#selectOne, [at.slot, at.term, reader])
    return row === undefined ? undefined : this.#whole(storedOf(at, row))
  }

  async *ofSlot(at: SlotTerm): AsyncIterable<readonly ReaderRow[]> {
    const { slot, term } = at
    for await (const rows of this.#session.pages(this.#select, [slot, term], READERS_AT_ONCE)) {
      const readers: ReaderRow[] = []
      for (const row of rows) readers.push(await this.#whole(storedOf(at, row)))
      yield readers
    }
  }

  /** With a stay's reach its inbox is complete up to there: its figures are stored too. */
  async putReach(rows: readonly ReachRow[]): Promise<void> {
    await this.#session.forEach(rows, async (row) => {
      const { slot, term, bytes, version } = row
      const params = [slot, term, bufferOf(bytes), versionTimestamp(version)]
      await this.#session.write(this.#insertReach, params)
      await this.#inbox.saveSizes(row)
    })
  }

  async reach(): Promise<ReachRow[]> {
    const rows = await this.#session.read(this.#selectReach, [])
    return rows.map((row) => ({
      slot: row['slot'] as number,
      term: row['term'] as number,
      version: versionOfTimestamp(row['version'] as bigint),
      bytes: row['bytes'] as Buffer,
    }))
  }

  async dropTerm(at: SlotTerm): Promise<void> {
    const params = [FINAL_TIMESTAMP, at.slot, at.term]
    await this.#session.write(this.#drop, params)
    await this.#pages.drop(at)
    await this.#inbox.drop(at)
    await this.#session.write(this.#dropReach, params)
  }

  #writeOf({ slot, term, reader, version }: ReaderRow, stored: Buffer): Write {
    const params = [slot, term, reader, stored, versionTimestamp(version)]
    return { query: this.#insert, params }
  }

  /** The pages first, all durable; then the row that names them; then the pages of older versions go. */
  async #putLarge(row: ReaderRow): Promise<void> {
    const pages = await this.#pages.put(row)
    const stored = Buffer.allocUnsafe(5)
    stored.writeUInt8(PAGED, 0)
    stored.writeUInt32BE(pages, 1)
    const { query, params } = this.#writeOf(row, stored)
    await this.#session.write(query, params)
    this.#paged.add(nameOf(row))
    await this.#pages.dropOlder(row)
  }

  /** A row that is in pages no more leaves those of older versions behind. */
  async #dropPagesOf(rows: readonly ReaderRow[]): Promise<void> {
    for (const row of rows) {
      if (this.#paged.has(nameOf(row))) await this.#pages.dropOlder(row)
    }
  }

  /** The row with its pages. When those are gone, a newer version was written since the row was read: that one then. */
  async #whole(found: ReaderRow): Promise<ReaderRow> {
    let row = found
    for (;;) {
      if (row.bytes[0] === INLINE) return { ...row, bytes: row.bytes.subarray(1) }
      this.#paged.add(nameOf(row))
      const bytes = await this.#pages.get(row, bufferOf(row.bytes).readUInt32BE(1))
      if (bytes !== undefined) return { ...row, bytes }
      const params = [row.slot, row.term, row.reader]
      const [newer] = await this.#session.read(this.#selectOne, params)
      if (newer === undefined) throw new Error(`reader ${row.reader} was dropped while it was read`)
      const next = storedOf(row, newer)
      if (!isGreater(next.version, row.version)) {
        throw new Error(`reader ${row.reader} of slot ${row.slot}: pages are missing`)
      }
      row = next
    }
  }
}

/** As it is stored: the first byte tells what follows. */
function storedOf({ slot, term }: SlotTerm, row: Row): ReaderRow {
  const reader = row['reader'] as number
  const version = versionOfTimestamp(row['version'] as bigint)
  return { slot, term, reader, version, bytes: row['row'] as Buffer }
}

function inlineOf({ bytes }: ReaderRow): Buffer {
  return Buffer.concat([Buffer.of(INLINE), bytes])
}

function nameOf({ slot, term, reader }: ReaderRow): string {
  return `${slot}/${term}/${reader}`
}
