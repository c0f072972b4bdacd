// A cell's store on LMDB: one environment, so that one commit carries the writes of all tables that wait at the moment.
//
// A write resolves when its group is committed: see environment.ts for what that means. A cell could do with less (what its
// store loses in a power loss above the last checkpoint, the firehose brings back), but lmdb has no mode that is faster and
// sound, and a group's fsync is shared by all that is written behind meanwhile.

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
import { Environment, type FsyncMode } from './environment.ts'
import { bufferOf, u48Key } from './keys.ts'
import type { PostIndexOptions } from './post-index.ts'
import { EmbeddedPostTable } from './post-table.ts'
import { EmbeddedInboxTable, EmbeddedReaderTable } from './slot-tables.ts'
import type { Table } from './table.ts'
import { EmbeddedAuthorTable, EmbeddedFollowerTable, EmbeddedNameTable } from './user-tables.ts'
import { bytesIn, putGreater, rowOf } from './versioned-row.ts'

export type EmbeddedCellStoreOptions = {
  readonly path: string
  readonly fsync?: FsyncMode
  readonly postIndex?: PostIndexOptions
}

export const CELL_STORE_FORMAT = 1

export class EmbeddedCellStore implements CellStore {
  readonly posts: PostTable
  readonly inbox: InboxTable
  readonly readers: ReaderTable
  readonly followers: FollowerTable
  readonly authors: AuthorTable
  readonly names: NameTable
  readonly window: WindowTable
  readonly checkpoints: CheckpointTable
  readonly #environment: Environment
  readonly #posts: EmbeddedPostTable

  static async open({ path, fsync = 'always', postIndex = {} }: EmbeddedCellStoreOptions) {
    const format = CELL_STORE_FORMAT
    const environment = await Environment.open({ path, fsync, holds: 'cell store', format })
    return new EmbeddedCellStore(environment, postIndex)
  }

  private constructor(environment: Environment, postIndex: PostIndexOptions) {
    const inbox = new EmbeddedInboxTable(environment)
    this.#posts = new EmbeddedPostTable(environment, postIndex)
    this.posts = this.#posts
    this.inbox = inbox
    this.readers = new EmbeddedReaderTable(environment, inbox)
    this.followers = new EmbeddedFollowerTable(environment)
    this.authors = new EmbeddedAuthorTable(environment)
    this.names = new EmbeddedNameTable(environment)
    this.window = new EmbeddedWindowTable(environment)
    this.checkpoints = new EmbeddedCheckpointTable(environment)
    this.#environment = environment
  }

  /** What was accepted is committed first. */
  async close(): Promise<void> {
    await this.#posts.close()
    await this.#environment.close()
  }
}

class EmbeddedWindowTable implements WindowTable {
  readonly #environment: Environment
  readonly #blocks: Table

  constructor(environment: Environment) {
    this.#environment = environment
    this.#blocks = environment.table('window')
  }

  async put(blocks: readonly WindowBlock[]): Promise<void> {
    await this.#environment.commit(bytesIn(blocks), () => {
      for (const { name, bytes } of blocks) this.#blocks.put(blockKey(name), bufferOf(bytes))
    })
  }

  async get(names: readonly WindowBlockName[]): Promise<(WindowBlock | undefined)[]> {
    return names.map((name) => {
      const bytes = this.#blocks.get(blockKey(name))
      return bytes === undefined ? undefined : { name, bytes }
    })
  }

  async drop(names: readonly WindowBlockName[]): Promise<void> {
    await this.#environment.commit(0, () => {
      for (const name of names) this.#blocks.remove(blockKey(name))
    })
  }
}

type Checkpoint = { readonly version: Version; readonly bytes: Uint8Array }

const CHECKPOINT_KEY = Buffer.from('checkpoint')
const CLAIM_KEY = Buffer.from('claim')

class EmbeddedCheckpointTable implements CheckpointTable {
  readonly #environment: Environment
  readonly #rows: Table

  constructor(environment: Environment) {
    this.#environment = environment
    this.#rows = environment.table('checkpoints')
  }

  async put(row: Checkpoint): Promise<void> {
    await this.#environment.commit(bytesIn([row]), () =>
      putGreater(this.#rows, CHECKPOINT_KEY, row),
    )
  }

  async get(): Promise<Checkpoint | undefined> {
    const value = this.#rows.get(CHECKPOINT_KEY)
    return value === undefined ? undefined : rowOf(value)
  }

  async claim(boot: number): Promise<void> {
    const row = { version: { boot, count: 0 }, bytes: new Uint8Array(0) }
    await this.#environment.commit(bytesIn([row]), () => putGreater(this.#rows, CLAIM_KEY, row))
  }

  async claimedBy(): Promise<number> {
    const value = this.#rows.get(CLAIM_KEY)
    return value === undefined ? 0 : rowOf(value).version.boot
  }
}

function blockKey({ boot, count }: WindowBlockName): Buffer {
  return u48Key(boot, count)
}
