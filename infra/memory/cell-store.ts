// A cell's store in memory: durable as long as the process. Bytes are copied in, so a caller may go on using its buffers.

import type {
  AuthorTable,
  CellStore,
  CheckpointTable,
  FollowerTable,
  InboxTable,
  NameTable,
  ReaderTable,
  Version,
  WindowBlock,
  WindowBlockName,
  WindowTable,
} from '../../cells/ports/cell-store.ts'
import type { PostTable } from '../../cells/ports/post-table.ts'
import { isGreater } from '../in-process/version-order.ts'
import { MemoryPostTable } from './post-table.ts'
import { MemorySlotTables } from './slot-tables.ts'
import { MemoryAuthorTable, MemoryFollowerTable, MemoryNameTable } from './user-tables.ts'

export class MemoryCellStore implements CellStore {
  readonly posts: PostTable = new MemoryPostTable()
  readonly inbox: InboxTable
  readonly readers: ReaderTable
  readonly followers: FollowerTable = new MemoryFollowerTable()
  readonly authors: AuthorTable = new MemoryAuthorTable()
  readonly names: NameTable = new MemoryNameTable()
  readonly window: WindowTable = new MemoryWindowTable()
  readonly checkpoints: CheckpointTable = new MemoryCheckpointTable()

  constructor() {
    const slots = new MemorySlotTables()
    this.inbox = slots.inbox
    this.readers = slots.readers
  }
}

class MemoryWindowTable implements WindowTable {
  readonly #blocks = new Map<string, WindowBlock>()

  async put(blocks: readonly WindowBlock[]): Promise<void> {
    for (const { name, bytes } of blocks) {
      this.#blocks.set(keyOf(name), { name, bytes: bytes.slice() })
    }
  }

  async get(names: readonly WindowBlockName[]): Promise<(WindowBlock | undefined)[]> {
    return names.map((name) => this.#blocks.get(keyOf(name)))
  }

  async drop(names: readonly WindowBlockName[]): Promise<void> {
    for (const name of names) this.#blocks.delete(keyOf(name))
  }
}

type Checkpoint = { readonly version: Version; readonly bytes: Uint8Array }

class MemoryCheckpointTable implements CheckpointTable {
  #row: Checkpoint | undefined
  #claimedBy = 0

  async put({ version, bytes }: Checkpoint): Promise<void> {
    if (this.#row !== undefined && !isGreater(version, this.#row.version)) return
    this.#row = { version, bytes: bytes.slice() }
  }

  async get(): Promise<Checkpoint | undefined> {
    return this.#row
  }

  async claim(boot: number): Promise<void> {
    this.#claimedBy = Math.max(this.#claimedBy, boot)
  }

  async claimedBy(): Promise<number> {
    return this.#claimedBy
  }
}

function keyOf({ boot, count }: WindowBlockName): string {
  return `${boot}/${count}`
}
