// One LMDB environment: a folder of its own, its tables, and the group commit through which all of them are written.
//
// What is durable when, by fsync mode:
//   always  a commit is fsynced (data, then the page that names it) before its callers are told. What was acknowledged
//           survives kill -9, a crash of the system, and power loss.
//   never   the operating system writes when it likes. What was acknowledged survives kill -9. After a crash of the system
//           or power loss the file may be damaged, and the data folder refuses to open (data-folder.ts).
// There is no mode between: lmdb's "overlapping sync", which can fall back to the last synced commit after power loss, syncs
// after every commit as well, and was slower here than `always` (docs/performance.md). What makes fsync cheap is that a
// group shares it.
//
// lmdb settings: no batching of its own (its promise of a failed batch would be nobody's), no object cache, no codec (rows are packed here), zeroed pages (no stray memory in the file).

import { type Database, open, type RootDatabase, type RootDatabaseOptionsWithPath } from 'lmdb'
import { DataFolderError } from './data-folder-error.ts'
import { GroupCommit } from './group-commit.ts'
import { Table } from './table.ts'

export type FsyncMode = 'always' | 'never'

export type EnvironmentOptions = {
  readonly path: string
  /** What the folder holds, for messages: 'firehose', 'cell store', ... */
  readonly holds: string
  /** Format that this version writes; a folder of a greater one is refused. */
  readonly format: number
  readonly fsync?: FsyncMode
  /** Called when a commit ended, before its callers are told. */
  readonly commitEnded?: (isCommitted: boolean) => void
}

/** What lmdb's types leave out. */
type BatchOptions = { readonly batchStartThreshold: number }

/** Put at once, so it holds up everybody else: some 10 ms. */
const GROUP_BYTES_MAX = 2 * 1024 * 1024
const TABLES_MAX = 256
/** The writing thread begins with a group when it is whole. One that goes beside is woken up for each row, and holds up who puts. */
const BATCH_START_THRESHOLD = 2 ** 30
const FORMAT_KEY = Buffer.from('format')

export class Environment {
  readonly meta: Table
  readonly #root: RootDatabase<Buffer, Buffer>
  readonly #commit: GroupCommit
  readonly #tables: Table[] = []

  /** Makes the folder if there is none. Throws DataFolderError when its format is newer. */
  static async open(options: EnvironmentOptions): Promise<Environment> {
    const environment = new Environment(options)
    try {
      await environment.#settleFormat(options)
    } catch (error) {
      await environment.close()
      throw error
    }
    return environment
  }

  private constructor({ path, fsync = 'always', commitEnded }: EnvironmentOptions) {
    const options: RootDatabaseOptionsWithPath & BatchOptions = {
      path,
      noSubdir: false,
      maxDbs: TABLES_MAX,
      overlappingSync: false,
      noSync: fsync === 'never',
      eventTurnBatching: false,
      batchStartThreshold: BATCH_START_THRESHOLD,
      ...binary,
    }
    this.#root = open(options)
    const ended = (isCommitted: boolean) => {
      for (const table of this.#tables) table.forgetPending()
      commitEnded?.(isCommitted)
    }
    const transact = (writes: () => void) => this.#root.batch(writes)
    this.#commit = new GroupCommit({ groupBytesMax: GROUP_BYTES_MAX, transact, ended })
    this.meta = this.table('meta')
  }

  /** Opens a table, makes it if there is none. To be called before the first commit. */
  table(name: string): Table {
    const database: Database<Buffer, Buffer> = this.#root.openDB(name, binary)
    const table = new Table(database, this.#commit)
    this.#tables.push(table)
    return table
  }

  /** Runs `write` in a coming commit; resolves with its result once that is durable. */
  commit<T>(bytes: number, write: () => T): Promise<T> {
    return this.#commit.submit(bytes, write)
  }

  async close(): Promise<void> {
    await this.#commit.idle()
    await this.#root.close()
  }

  async #settleFormat({ path, holds, format }: EnvironmentOptions): Promise<void> {
    const found = this.meta.get(FORMAT_KEY)?.readUInt32BE(0)
    if (found === undefined) {
      const value = Buffer.alloc(4)
      value.writeUInt32BE(format)
      await this.commit(value.length, () => this.meta.put(FORMAT_KEY, value))
    } else if (found > format) {
      throw new DataFolderError(
        'NEWER_FORMAT',
        `${path} holds a ${holds} of format ${found}, this version reads up to ${format}: use a newer cellfeed`,
      )
    }
  }
}

const binary = { encoding: 'binary', keyEncoding: 'binary', cache: false } as const
