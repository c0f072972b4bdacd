// What a cell keeps of a slot's stay, on LMDB: chunks, readers, reach. All keys begin with (slot, term), so a stay is one run
// of each table: read in order, dropped from its front.
//
//     chunks   u32 slot | u32 term | u32 month | u32 reader | u64 ~generation | u32 part  ->  bytes
//     readers  u32 slot | u32 term | u32 reader                                           ->  versioned row
//     reach    u32 slot | u32 term                                                        ->  versioned row
//
// A generation is written slot by slot, reader by reader: one sweep through the table, each page touched once.

import type { SlotTerm } from '../../cells/model/placement.ts'
import type { PostId } from '../../cells/model/post-id.ts'
import type {
  Chunk,
  GenerationRow,
  InboxTable,
  ReachRow,
  ReaderRow,
  ReaderTable,
} from '../../cells/ports/cell-store.ts'
import type { Environment } from './environment.ts'
import { bufferOf, downwards, u32Key } from './keys.ts'
import type { Entry, Table } from './table.ts'
import { bytesIn, putGreater, rowOf } from './versioned-row.ts'

const READERS_PER_BATCH = 256
const CHUNKS_PER_BATCH = 256
const ROWS_PER_DROP = 1_000
const CHUNK_KEY_BYTES = 28
const SIZE_KEY = Buffer.from('inbox size')

export class EmbeddedInboxTable implements InboxTable {
  readonly #environment: Environment
  readonly #chunks: Table
  readonly #generations: Table

  constructor(environment: Environment) {
    this.#environment = environment
    this.#chunks = environment.table('chunks')
    this.#generations = environment.table('generations')
  }

  async putGeneration(row: GenerationRow): Promise<void> {
    const { generation, month, minId, maxId } = row
    const value = Buffer.allocUnsafe(20)
    value.writeUInt32BE(month, 0)
    value.writeBigUInt64BE(minId, 4)
    value.writeBigUInt64BE(maxId, 12)
    await this.#environment.commit(value.length, () =>
      this.#generations.put(u32Key(...halvesOf(generation)), value),
    )
  }

  async generations(): Promise<GenerationRow[]> {
    const rows = this.#generations.range({
      start: u32Key(0),
      end: u32Key(0xffff_ffff, 0xffff_ffff),
    })
    return Array.from(rows, ({ key, value }) => ({
      generation: key.readUInt32BE(0) * 2 ** 32 + key.readUInt32BE(4),
      month: value.readUInt32BE(0),
      minId: value.readBigUInt64BE(4) as PostId,
      maxId: value.readBigUInt64BE(12) as PostId,
    }))
  }

  async putChunks({ slot, term }: SlotTerm, month: number, chunks: readonly Chunk[]) {
    const bytes = chunks.reduce((sum, chunk) => sum + CHUNK_KEY_BYTES + chunk.bytes.length, 0)
    await this.#environment.commit(bytes, () => {
      const added = { chunks: 0, bytes: 0 }
      for (const { reader, generation, part, bytes: packed } of chunks) {
        const key = u32Key(slot, term, month, reader, ...downwardsHalvesOf(generation), part)
        if (this.#chunks.has(key)) continue
        this.#chunks.put(key, bufferOf(packed))
        added.chunks++
        added.bytes += packed.length
      }
      this.#resize(added)
    })
  }

  async chunksBelow(
    { slot, term }: SlotTerm,
    month: number,
    reader: number,
    below: number,
    limit: number,
  ): Promise<Chunk[]> {
    if (below <= 0 || limit <= 0) return []
    const start = u32Key(slot, term, month, reader, ...downwardsHalvesOf(below - 1))
    const end = u32Key(slot, term, month, reader + 1)
    const chunks: Chunk[] = []
    for (const entry of this.#chunks.range({ start, end })) {
      const chunk = chunkOf(entry)
      // All parts of a generation come together.
      if (chunks.length >= limit && chunks.at(-1)?.generation !== chunk.generation) break
      chunks.push(chunk)
    }
    return chunks
  }

  async *chunksOf({ slot, term }: SlotTerm, month: number): AsyncIterable<readonly Chunk[]> {
    const end = u32Key(slot, term, month + 1)
    let start = u32Key(slot, term, month)
    for (;;) {
      const entries = [...this.#chunks.range({ start, end, limit: CHUNKS_PER_BATCH })]
      const last = entries.at(-1)
      if (last === undefined) return
      yield entries.map(chunkOf)
      if (entries.length < CHUNKS_PER_BATCH) return
      start = Buffer.concat([last.key, Buffer.of(0)])
    }
  }

  async size(): Promise<{ chunks: number; bytes: number }> {
    return sizeOf(this.#environment.meta.get(SIZE_KEY))
  }

  /** Drops a stay's chunks, some in each commit. */
  async drop(at: SlotTerm): Promise<void> {
    for (let rows = firstOf(this.#chunks, at); rows.length > 0; rows = firstOf(this.#chunks, at)) {
      const found = rows
      await this.#environment.commit(0, () => {
        const dropped = found.filter(({ key }) => this.#chunks.has(key))
        for (const { key } of dropped) this.#chunks.remove(key)
        const bytes = dropped.reduce((sum, { value }) => sum + value.length, 0)
        this.#resize({ chunks: -dropped.length, bytes: -bytes })
      })
    }
  }

  /** In a commit. */
  #resize(by: { readonly chunks: number; readonly bytes: number }): void {
    const size = sizeOf(this.#environment.meta.latest(SIZE_KEY))
    const value = Buffer.allocUnsafe(16)
    value.writeDoubleBE(size.chunks + by.chunks, 0)
    value.writeDoubleBE(size.bytes + by.bytes, 8)
    this.#environment.meta.put(SIZE_KEY, value)
  }
}

export class EmbeddedReaderTable implements ReaderTable {
  readonly #environment: Environment
  readonly #inbox: EmbeddedInboxTable
  readonly #readers: Table
  readonly #reach: Table

  constructor(environment: Environment, inbox: EmbeddedInboxTable) {
    this.#environment = environment
    this.#inbox = inbox
    this.#readers = environment.table('readers')
    this.#reach = environment.table('reach')
  }

  async put(rows: readonly ReaderRow[]): Promise<void> {
    await this.#environment.commit(bytesIn(rows), () => {
      for (const row of rows) {
        putGreater(this.#readers, u32Key(row.slot, row.term, row.reader), row)
      }
    })
  }

  async get({ slot, term }: SlotTerm, reader: number): Promise<ReaderRow | undefined> {
    const value = this.#readers.get(u32Key(slot, term, reader))
    return value === undefined ? undefined : { slot, term, reader, ...rowOf(value) }
  }

  async *ofSlot(at: SlotTerm): AsyncIterable<readonly ReaderRow[]> {
    const end = u32Key(at.slot, at.term + 1)
    let start = u32Key(at.slot, at.term)
    for (;;) {
      const entries = this.#readers.range({ start, end, limit: READERS_PER_BATCH })
      const rows = Array.from(entries, ({ key, value }) => ({
        slot: at.slot,
        term: at.term,
        reader: key.readUInt32BE(8),
        ...rowOf(value),
      }))
      if (rows.length > 0) yield rows
      if (rows.length < READERS_PER_BATCH) return
      start = u32Key(at.slot, at.term, (rows.at(-1)?.reader ?? 0) + 1)
    }
  }

  async putReach(rows: readonly ReachRow[]): Promise<void> {
    await this.#environment.commit(bytesIn(rows), () => {
      for (const row of rows) putGreater(this.#reach, u32Key(row.slot, row.term), row)
    })
  }

  async reach(): Promise<ReachRow[]> {
    const rows = this.#reach.range({ start: u32Key(0), end: u32Key(0xffff_ffff) })
    return Array.from(rows, ({ key, value }) => ({
      slot: key.readUInt32BE(0),
      term: key.readUInt32BE(4),
      ...rowOf(value),
    }))
  }

  async dropTerm(at: SlotTerm): Promise<void> {
    await this.#inbox.drop(at)
    const table = this.#readers
    for (let rows = firstOf(table, at); rows.length > 0; rows = firstOf(table, at)) {
      const dropped = rows
      await this.#environment.commit(0, () => {
        for (const { key } of dropped) table.remove(key)
      })
    }
    await this.#environment.commit(0, () => this.#reach.remove(u32Key(at.slot, at.term)))
  }
}

function chunkOf({ key, value }: Entry): Chunk {
  const generation = downwards(key.readUInt32BE(16)) * 2 ** 32 + downwards(key.readUInt32BE(20))
  const reader = key.readUInt32BE(12)
  return { reader, generation, part: key.readUInt32BE(24), bytes: value }
}

/** Some rows of a stay, from its front. */
function firstOf(table: Table, { slot, term }: SlotTerm): Entry[] {
  const range = { start: u32Key(slot, term), end: u32Key(slot, term + 1), limit: ROWS_PER_DROP }
  return [...table.range(range)]
}

function sizeOf(value: Buffer | undefined): { chunks: number; bytes: number } {
  if (value === undefined) return { chunks: 0, bytes: 0 }
  return { chunks: value.readDoubleBE(0), bytes: value.readDoubleBE(8) }
}

/** A number up to 2^53 - 1 as two of 32 bits. */
function halvesOf(number: number): readonly [number, number] {
  return [Math.floor(number / 2 ** 32), number >>> 0]
}

function downwardsHalvesOf(number: number): readonly [number, number] {
  const [hi, lo] = halvesOf(number)
  return [downwards(hi), downwards(lo)]
}
