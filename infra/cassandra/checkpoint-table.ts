// A cell's checkpoint, on Cassandra.
//
//     checkpoints  ((name))  ->  bytes    timestamp: the row's version
//
// Conflicts: one column, whose timestamp is the version: the greater stays, whole. A claim is a fact (fact-table.ts).

import type { CheckpointTable, Version } from '../../cells/ports/cell-store.ts'
import { bufferOf } from './buffer-of.ts'
import { FactTable } from './fact-table.ts'
import type { Session } from './session.ts'
import { versionOfTimestamp, versionTimestamp } from './write-timestamps.ts'

type Checkpoint = { readonly version: Version; readonly bytes: Uint8Array }

const NAME = 'checkpoint'
const CLAIMED_BY = 'claimed by'

export class CassandraCheckpointTable implements CheckpointTable {
  readonly #session: Session
  readonly #facts: FactTable
  readonly #insert: string
  readonly #select: string

  constructor(session: Session, keyspace: string) {
    const checkpoints = `${keyspace}.checkpoints`
    this.#session = session
    this.#facts = new FactTable(session, keyspace)
    this.#insert = `INSERT INTO ${checkpoints} (name, bytes) VALUES (?, ?) USING TIMESTAMP ?`
    this.#select = `SELECT bytes, writetime(bytes) AS version FROM ${checkpoints} WHERE name = ?`
  }

  put({ version, bytes }: Checkpoint): Promise<void> {
    return this.#session.write(this.#insert, [NAME, bufferOf(bytes), versionTimestamp(version)])
  }

  async get(): Promise<Checkpoint | undefined> {
    const [row] = await this.#session.read(this.#select, [NAME])
    if (row === undefined) return undefined
    const version = versionOfTimestamp(row['version'] as bigint)
    return { version, bytes: row['bytes'] as Buffer }
  }

  claim(boot: number): Promise<void> {
    return this.#facts.raise(CLAIMED_BY, boot)
  }

  claimedBy(): Promise<number> {
    return this.#facts.get(CLAIMED_BY)
  }
}
