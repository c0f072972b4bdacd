// Chunks and generations on Cassandra.
//
//     inbox        ((slot, term, month), reader, generation desc, part)  ->  bytes             timestamp: the generation
//     inbox_sizes  ((one), slot, term, month)                            ->  chunks and bytes  timestamp: chunks (inbox-sizes.ts)
//     generations  ((one), generation)                                   ->  month and ids     timestamp: 1
//
// Conflicts: none. A chunk and a generation are written once, or again with the same bytes and the same timestamp. A stay is
// dropped partition by partition at a timestamp above all others, so a chunk that lands after that is never seen; and nobody
// asks for it, because a stay that ended never comes back.

import type { SlotTerm } from '../../cells/model/placement.ts'
import type { Chunk, GenerationRow, InboxTable } from '../../cells/ports/cell-store.ts'
import { bufferOf } from './buffer-of.ts'
import { InboxSizes } from './inbox-sizes.ts'
import { postIdBytes, postIdOfBytes } from './post-row.ts'
import { groupRows } from './row-groups.ts'
import type { Row, Session } from './session.ts'
import { FINAL_TIMESTAMP, numberTimestamp, ONCE_TIMESTAMP } from './write-timestamps.ts'

const CHUNK_KEY_BYTES = 20
const CHUNKS_AT_ONCE = 500

export class CassandraInboxTable implements InboxTable {
  readonly #session: Session
  readonly #sizes: InboxSizes
  readonly #insert: string
  readonly #select: string
  readonly #selectParts: string
  readonly #selectMonth: string
  readonly #drop: string
  readonly #insertGeneration: string
  readonly #selectGenerations: string

  static async open(session: Session, keyspace: string): Promise<CassandraInboxTable> {
    return new CassandraInboxTable(session, keyspace, await InboxSizes.open(session, keyspace))
  }

  private constructor(session: Session, keyspace: string, sizes: InboxSizes) {
    const inbox = `${keyspace}.inbox`
    const generations = `${keyspace}.generations`
    const ofReader = 'slot = ? AND term = ? AND month = ? AND reader = ?'
    this.#session = session
    this.#sizes = sizes
    this.#insert = `INSERT INTO ${inbox} (slot, term, month, reader, generation, part, bytes) VALUES (?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`
    this.#select = `SELECT generation, part, bytes FROM ${inbox} WHERE ${ofReader} AND generation < ? LIMIT ?`
    this.#selectParts = `SELECT generation, part, bytes FROM ${inbox} WHERE ${ofReader} AND generation = ? AND part > ?`
    this.#selectMonth = `SELECT reader, generation, part, bytes FROM ${inbox} WHERE slot = ? AND term = ? AND month = ?`
    this.#drop = `DELETE FROM ${inbox} USING TIMESTAMP ? WHERE slot = ? AND term = ? AND month = ?`
    this.#insertGeneration = `INSERT INTO ${generations} (one, generation, month, min_id, max_id) VALUES (1, ?, ?, ?, ?) USING TIMESTAMP ?`
    this.#selectGenerations = `SELECT generation, month, min_id, max_id FROM ${generations} WHERE one = 1`
  }

  putGeneration({ generation, month, minId, maxId }: GenerationRow): Promise<void> {
    return this.#session.write(this.#insertGeneration, [
      BigInt(generation),
      month,
      postIdBytes(minId),
      postIdBytes(maxId),
      ONCE_TIMESTAMP,
    ])
  }

  async generations(): Promise<GenerationRow[]> {
    const rows = await this.#session.read(this.#selectGenerations, [])
    return rows.map((row) => ({
      generation: Number(row['generation']),
      month: row['month'] as number,
      minId: postIdOfBytes(row['min_id'] as Buffer),
      maxId: postIdOfBytes(row['max_id'] as Buffer),
    }))
  }

  async putChunks(at: SlotTerm, month: number, chunks: readonly Chunk[]): Promise<void> {
    await this.#sizes.begin(at, month)
    const groups = groupRows(
      chunks,
      () => 0,
      ({ bytes }) => CHUNK_KEY_BYTES + bytes.length,
    )
    await this.#session.forEach(groups, (group) =>
      this.#session.writeTogether(group.map((chunk) => this.#writeOf(at, month, chunk))),
    )
    this.#sizes.add(at, month, chunks)
  }

  async chunksBelow(
    { slot, term }: SlotTerm,
    month: number,
    reader: number,
    below: number,
    limit: number,
  ): Promise<Chunk[]> {
    if (limit <= 0) return []
    const ofReader = [slot, term, month, reader]
    // One more than asked for tells whether the last generation is whole.
    const rows = await this.#session.read(this.#select, [...ofReader, BigInt(below), limit + 1])
    const chunks = rows.map((row) => chunkOf(reader, row))
    if (chunks.length <= limit) return chunks
    const next = chunks.pop()
    const last = chunks.at(-1)
    if (last === undefined || next === undefined || next.generation !== last.generation)
      return chunks
    const parts = await this.#session.read(this.#selectParts, [
      ...ofReader,
      BigInt(last.generation),
      last.part,
    ])
    return [...chunks, ...parts.map((row) => chunkOf(reader, row))]
  }

  async *chunksOf({ slot, term }: SlotTerm, month: number): AsyncIterable<readonly Chunk[]> {
    const ofMonth = [slot, term, month]
    for await (const rows of this.#session.pages(this.#selectMonth, ofMonth, CHUNKS_AT_ONCE)) {
      yield rows.map((row) => chunkOf(row['reader'] as number, row))
    }
  }

  async size(): Promise<{ chunks: number; bytes: number }> {
    return this.#sizes.total()
  }

  /** Makes the figures of a stay durable. */
  saveSizes(at: SlotTerm): Promise<void> {
    return this.#sizes.save(at)
  }

  /** Months are forgotten last: a drop that was interrupted finds them again. */
  async drop(at: SlotTerm): Promise<void> {
    const months = this.#sizes.monthsOf(at)
    await this.#session.forEach(months, (month) =>
      this.#session.write(this.#drop, [FINAL_TIMESTAMP, at.slot, at.term, month]),
    )
    await this.#sizes.drop(at)
  }

  #writeOf({ slot, term }: SlotTerm, month: number, { reader, generation, part, bytes }: Chunk) {
    const timestamp = numberTimestamp(generation)
    const key = [slot, term, month, reader, timestamp, part]
    return { query: this.#insert, params: [...key, bufferOf(bytes), timestamp] }
  }
}

function chunkOf(reader: number, row: Row): Chunk {
  return {
    reader,
    generation: Number(row['generation']),
    part: row['part'] as number,
    bytes: row['bytes'] as Buffer,
  }
}
