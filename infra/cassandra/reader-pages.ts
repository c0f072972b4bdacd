// The pages of readers' rows that are too large for one: a reader who follows a million has 8 MB, and requests are limited.
//
//     reader_pages  ((slot, term), reader, version, page)  ->  bytes    timestamp: the version
//
// Pages belong to one version and are written before the row that names the version, so a version that was written by half is
// named by no row. Conflicts: none, as pages of different versions are different rows. Those of older versions are dropped as a
// range below the version, at a timestamp above all: one that lands later is dropped too.

import type { SlotTerm } from '../../cells/model/placement.ts'
import type { ReaderRow } from '../../cells/ports/cell-store.ts'
import { bufferOf } from './buffer-of.ts'
import type { Session } from './session.ts'
import { FINAL_TIMESTAMP, versionTimestamp } from './write-timestamps.ts'

const PAGE_BYTES = 256 * 1024
const PAGES_AT_ONCE = 4

export class ReaderPages {
  readonly #session: Session
  readonly #insert: string
  readonly #select: string
  readonly #dropOlder: string
  readonly #drop: string

  constructor(session: Session, keyspace: string) {
    const pages = `${keyspace}.reader_pages`
    this.#session = session
    this.#insert = `INSERT INTO ${pages} (slot, term, reader, version, page, bytes) VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`
    this.#select = `SELECT page, bytes FROM ${pages} WHERE slot = ? AND term = ? AND reader = ? AND version = ?`
    this.#dropOlder = `DELETE FROM ${pages} USING TIMESTAMP ? WHERE slot = ? AND term = ? AND reader = ? AND version < ?`
    this.#drop = `DELETE FROM ${pages} USING TIMESTAMP ? WHERE slot = ? AND term = ?`
  }

  /** Answers how many there are, when all are durable. */
  async put({ slot, term, reader, version, bytes }: ReaderRow): Promise<number> {
    const timestamp = versionTimestamp(version)
    const count = Math.ceil(bytes.length / PAGE_BYTES)
    for (let page = 0; page < count; page++) {
      const part = bufferOf(bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES))
      const params = [slot, term, reader, timestamp, page, part, timestamp]
      await this.#session.write(this.#insert, params)
    }
    return count
  }

  /** Undefined when they are not all there. */
  async get(
    { slot, term, reader, version }: Omit<ReaderRow, 'bytes'>,
    count: number,
  ): Promise<Buffer | undefined> {
    const params = [slot, term, reader, versionTimestamp(version)]
    const parts: Buffer[] = []
    for await (const rows of this.#session.pages(this.#select, params, PAGES_AT_ONCE)) {
      for (const row of rows) parts.push(row['bytes'] as Buffer)
    }
    return parts.length === count ? Buffer.concat(parts) : undefined
  }

  dropOlder({ slot, term, reader, version }: ReaderRow): Promise<void> {
    const params = [FINAL_TIMESTAMP, slot, term, reader, versionTimestamp(version)]
    return this.#session.write(this.#dropOlder, params)
  }

  drop({ slot, term }: SlotTerm): Promise<void> {
    return this.#session.write(this.#drop, [FINAL_TIMESTAMP, slot, term])
  }
}
