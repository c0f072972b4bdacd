// A cell's store on Cassandra: a keyspace of its own, whose tables are in tables.ts. What a write's durability means is the
// keyspace's replication and the servers' commit log: with a quorum of replicas no single server loses anything.
//
// Nothing is held here but what says which rows are known to be written. A Cassandra that is slow makes writes wait at the
// session's gate, and with them the cell that applies no further; one that is gone fails them at their deadline.

import type { CellName } from '../../cells/model/placement.ts'
import type { CellStore } from '../../cells/ports/cell-store.ts'
import { CassandraAuthorTable } from './author-table.ts'
import { type CassandraOptions, cellKeyspace } from './cassandra-options.ts'
import { CassandraCheckpointTable } from './checkpoint-table.ts'
import { CassandraFollowerTable } from './follower-table.ts'
import { CassandraInboxTable } from './inbox-table.ts'
import { CassandraNameTable } from './name-table.ts'
import { CassandraPostTable } from './post-table.ts'
import { CassandraReaderTable } from './reader-table.ts'
import { checkSchema } from './schema.ts'
import { Session, type SessionLimits } from './session.ts'
import { cellTables } from './tables.ts'
import { CassandraWindowTable } from './window-table.ts'

export type CassandraCellStoreOptions = CassandraOptions & {
  readonly cell: CellName
  readonly limits?: Partial<SessionLimits>
}

export class CassandraCellStore implements CellStore {
  readonly posts: CassandraPostTable
  readonly inbox: CassandraInboxTable
  readonly readers: CassandraReaderTable
  readonly followers: CassandraFollowerTable
  readonly authors: CassandraAuthorTable
  readonly names: CassandraNameTable
  readonly window: CassandraWindowTable
  readonly checkpoints: CassandraCheckpointTable
  readonly #session: Session

  /** Throws SchemaMismatch when the keyspace is not there or not as this version needs it. */
  static async open(options: CassandraCellStoreOptions): Promise<CassandraCellStore> {
    const keyspace = cellKeyspace(options.prefix, options.cell)
    const session = await Session.open(options, options.limits)
    try {
      await checkSchema(session, { keyspace, tables: cellTables })
      const inbox = await CassandraInboxTable.open(session, keyspace)
      return new CassandraCellStore(session, keyspace, inbox)
    } catch (error) {
      await session.close()
      throw error
    }
  }

  private constructor(session: Session, keyspace: string, inbox: CassandraInboxTable) {
    this.posts = new CassandraPostTable(session, keyspace)
    this.inbox = inbox
    this.readers = new CassandraReaderTable(session, keyspace, inbox)
    this.followers = new CassandraFollowerTable(session, keyspace)
    this.authors = new CassandraAuthorTable(session, keyspace)
    this.names = new CassandraNameTable(session, keyspace)
    this.window = new CassandraWindowTable(session, keyspace)
    this.checkpoints = new CassandraCheckpointTable(session, keyspace)
    this.#session = session
  }

  close(): Promise<void> {
    return this.#session.close()
  }
}
