// What a cell keeps of a slot's stay, in memory: chunks, readers, reach. One map per stay, so that a stay is dropped whole.

import type { SlotTerm } from '../../cells/model/placement.ts'
import type {
  Chunk,
  GenerationRow,
  InboxTable,
  ReachRow,
  ReaderRow,
  ReaderTable,
} from '../../cells/ports/cell-store.ts'
import { isGreater } from '../in-process/version-order.ts'

type Stay = {
  readonly readers: Map<number, ReaderRow>
  /** `month/reader` -> `generation/part` -> chunk. */
  readonly chunks: Map<string, Map<string, Chunk>>
  reach: ReachRow | undefined
}

const READERS_PER_BATCH = 256

export class MemorySlotTables {
  readonly inbox: InboxTable
  readonly readers: ReaderTable

  constructor() {
    const stays = new Stays()
    this.inbox = new MemoryInboxTable(stays)
    this.readers = new MemoryReaderTable(stays)
  }
}

class Stays {
  readonly #stays = new Map<string, Stay>()

  at({ slot, term }: SlotTerm): Stay {
    const name = `${slot}/${term}`
    let stay = this.#stays.get(name)
    if (stay === undefined) {
      stay = { readers: new Map(), chunks: new Map(), reach: undefined }
      this.#stays.set(name, stay)
    }
    return stay
  }

  all(): Stay[] {
    return [...this.#stays.values()]
  }

  drop({ slot, term }: SlotTerm): void {
    this.#stays.delete(`${slot}/${term}`)
  }
}

class MemoryInboxTable implements InboxTable {
  readonly #stays: Stays
  readonly #generations = new Map<number, GenerationRow>()

  constructor(stays: Stays) {
    this.#stays = stays
  }

  async putGeneration(row: GenerationRow): Promise<void> {
    const { generation, month, minId, maxId } = row
    this.#generations.set(generation, { generation, month, minId, maxId })
  }

  async generations(): Promise<GenerationRow[]> {
    return [...this.#generations.values()].sort((a, b) => a.generation - b.generation)
  }

  async putChunks(at: SlotTerm, month: number, chunks: readonly Chunk[]): Promise<void> {
    const stay = this.#stays.at(at)
    for (const { reader, generation, part, bytes } of chunks) {
      const name = `${month}/${reader}`
      const ofReader = stay.chunks.get(name) ?? new Map<string, Chunk>()
      stay.chunks.set(name, ofReader)
      const chunk = { reader, generation, part, bytes: bytes.slice() }
      ofReader.set(`${generation}/${part}`, chunk)
    }
  }

  async chunksBelow(
    at: SlotTerm,
    month: number,
    reader: number,
    below: number,
    limit: number,
  ): Promise<Chunk[]> {
    const ofReader = this.#stays.at(at).chunks.get(`${month}/${reader}`)
    const chunks = [...(ofReader?.values() ?? [])]
      .filter((chunk) => chunk.generation < below)
      .sort((a, b) => b.generation - a.generation || a.part - b.part)
    const last = chunks[limit - 1]?.generation ?? 0
    return chunks.filter((chunk) => chunk.generation >= last)
  }

  async *chunksOf(at: SlotTerm, month: number): AsyncIterable<readonly Chunk[]> {
    for (const [name, ofReader] of this.#stays.at(at).chunks) {
      if (name.startsWith(`${month}/`)) yield [...ofReader.values()]
    }
  }

  async size(): Promise<{ chunks: number; bytes: number }> {
    const ofReaders = this.#stays.all().flatMap((stay) => [...stay.chunks.values()])
    const chunks = ofReaders.flatMap((ofReader) => [...ofReader.values()])
    return {
      chunks: chunks.length,
      bytes: chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0),
    }
  }
}

class MemoryReaderTable implements ReaderTable {
  readonly #stays: Stays

  constructor(stays: Stays) {
    this.#stays = stays
  }

  async put(rows: readonly ReaderRow[]): Promise<void> {
    for (const row of rows) {
      const { readers } = this.#stays.at(row)
      const standing = readers.get(row.reader)
      if (standing !== undefined && !isGreater(row.version, standing.version)) continue
      const { slot, term, reader, version, bytes } = row
      readers.set(row.reader, { slot, term, reader, version, bytes: bytes.slice() })
    }
  }

  async get(at: SlotTerm, reader: number): Promise<ReaderRow | undefined> {
    return this.#stays.at(at).readers.get(reader)
  }

  async *ofSlot(at: SlotTerm): AsyncIterable<readonly ReaderRow[]> {
    const rows = [...this.#stays.at(at).readers.values()].sort((a, b) => a.reader - b.reader)
    for (let i = 0; i < rows.length; i += READERS_PER_BATCH) {
      yield rows.slice(i, i + READERS_PER_BATCH)
    }
  }

  async putReach(rows: readonly ReachRow[]): Promise<void> {
    for (const row of rows) {
      const stay = this.#stays.at(row)
      if (stay.reach !== undefined && !isGreater(row.version, stay.reach.version)) continue
      const { slot, term, version, bytes } = row
      stay.reach = { slot, term, version, bytes: bytes.slice() }
    }
  }

  async reach(): Promise<ReachRow[]> {
    return this.#stays
      .all()
      .flatMap((stay) => stay.reach ?? [])
      .sort((a, b) => a.slot - b.slot || a.term - b.term)
  }

  async dropTerm(at: SlotTerm): Promise<void> {
    this.#stays.drop(at)
  }
}
