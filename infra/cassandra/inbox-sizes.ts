// How many chunks and bytes each stay keeps in each month: for operators, and to know which months to drop with a stay. No
// counters, which a request that is repeated would move twice.
//
//     inbox_sizes  ((one), slot, term, month)  ->  f64 chunks | f64 bytes    timestamp: the number of chunks
//
// Counted here as chunks are written; stored when a stay's reach is, so after each generation. A process that is killed while it
// writes one loses what it counted of it since, never more. A chunk that is written again is counted once, unless some ten
// thousands of others came between.
//
// Conflicts: chunks are only ever added to a month of a stay, so the greater number is the newer figure; a drop is above all.

import type { SlotTerm } from '../../cells/model/placement.ts'
import type { Chunk } from '../../cells/ports/cell-store.ts'
import { RecentChunks } from './recent-chunks.ts'
import type { Session } from './session.ts'
import { FINAL_TIMESTAMP, numberTimestamp } from './write-timestamps.ts'

type Size = { chunks: number; bytes: number; isSaved: boolean }

const ROWS_AT_ONCE = 5_000

export class InboxSizes {
  readonly #session: Session
  readonly #insert: string
  readonly #drop: string
  readonly #recent = new RecentChunks()
  /** By stay, then by month. */
  readonly #stays = new Map<string, Map<number, Size>>()
  readonly #total = { chunks: 0, bytes: 0 }

  /** Reads what is stored: a row for each month of each stay. */
  static async open(session: Session, keyspace: string): Promise<InboxSizes> {
    const sizes = new InboxSizes(session, keyspace)
    const select = `SELECT slot, term, month, size FROM ${keyspace}.inbox_sizes WHERE one = 1`
    for await (const rows of session.pages(select, [], ROWS_AT_ONCE)) {
      for (const row of rows) {
        const at = { slot: row['slot'] as number, term: row['term'] as number }
        const bytes = row['size'] as Buffer
        const size = { chunks: bytes.readDoubleBE(0), bytes: bytes.readDoubleBE(8), isSaved: true }
        sizes.#set(at, row['month'] as number, size)
      }
    }
    return sizes
  }

  private constructor(session: Session, keyspace: string) {
    const sizes = `${keyspace}.inbox_sizes`
    this.#session = session
    this.#insert = `INSERT INTO ${sizes} (one, slot, term, month, size) VALUES (1, ?, ?, ?, ?) USING TIMESTAMP ?`
    this.#drop = `DELETE FROM ${sizes} USING TIMESTAMP ? WHERE one = 1 AND slot = ? AND term = ?`
  }

  total(): { chunks: number; bytes: number } {
    return { ...this.#total }
  }

  monthsOf(at: SlotTerm): number[] {
    return [...(this.#stays.get(nameOf(at))?.keys() ?? [])]
  }

  /** Before the first chunk of a month: its row is durable, so that a drop finds the month. */
  async begin(at: SlotTerm, month: number): Promise<void> {
    const isKnown = () => this.#stays.get(nameOf(at))?.has(month) === true
    if (isKnown()) return
    const size = { chunks: 0, bytes: 0, isSaved: true }
    await this.#write(at, month, size)
    if (!isKnown()) this.#set(at, month, size)
  }

  /** After `begin`, when the chunks are durable. */
  add(at: SlotTerm, month: number, chunks: readonly Chunk[]): void {
    const size = this.#stays.get(nameOf(at))?.get(month)
    if (size === undefined) return
    for (const chunk of chunks) {
      if (this.#recent.seen(at, chunk)) continue
      size.chunks++
      size.bytes += chunk.bytes.length
      size.isSaved = false
      this.#total.chunks++
      this.#total.bytes += chunk.bytes.length
    }
  }

  /** Stores what was counted of a stay. */
  async save(at: SlotTerm): Promise<void> {
    for (const [month, size] of this.#stays.get(nameOf(at)) ?? []) {
      if (size.isSaved) continue
      size.isSaved = true
      try {
        await this.#write(at, month, size)
      } catch (error) {
        size.isSaved = false
        throw error
      }
    }
  }

  async drop(at: SlotTerm): Promise<void> {
    await this.#session.write(this.#drop, [FINAL_TIMESTAMP, at.slot, at.term])
    for (const size of this.#stays.get(nameOf(at))?.values() ?? []) {
      this.#total.chunks -= size.chunks
      this.#total.bytes -= size.bytes
    }
    this.#stays.delete(nameOf(at))
  }

  #set(at: SlotTerm, month: number, size: Size): void {
    const months = this.#stays.get(nameOf(at)) ?? new Map<number, Size>()
    this.#stays.set(nameOf(at), months.set(month, size))
    this.#total.chunks += size.chunks
    this.#total.bytes += size.bytes
  }

  #write({ slot, term }: SlotTerm, month: number, { chunks, bytes }: Size): Promise<void> {
    const size = Buffer.allocUnsafe(16)
    size.writeDoubleBE(chunks, 0)
    size.writeDoubleBE(bytes, 8)
    return this.#session.write(this.#insert, [slot, term, month, size, numberTimestamp(chunks)])
  }
}

function nameOf({ slot, term }: SlotTerm): string {
  return `${slot}/${term}`
}
