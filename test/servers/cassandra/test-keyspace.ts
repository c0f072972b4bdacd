// A keyspace of a test file's own on the real server, made once: making tables takes a second each on a busy machine. Each test
// gets it empty, by truncating the tables it may touch. Dropped in the end.

import { afterAll, beforeAll, inject } from 'vitest'
import type { CellName } from '../../../cells/model/placement.ts'
import {
  type CassandraOptions,
  cellKeyspace,
  controlKeyspace,
} from '../../../infra/cassandra/cassandra-options.ts'
import { CassandraCellStore } from '../../../infra/cassandra/cell-store.ts'
import { statementsOf } from '../../../infra/cassandra/keyspace-schema.ts'
import { Session } from '../../../infra/cassandra/session.ts'
import { cellTables, controlTables } from '../../../infra/cassandra/tables.ts'

export const testCell = 'cell-1' as CellName

export function cassandraAt(prefix: string): CassandraOptions {
  const { contactPoints, localDataCenter } = inject('engines').cassandra
  return { contactPoints, localDataCenter, prefix, credentials: undefined, tls: undefined }
}

/** No other run or file has it. */
export function testPrefix(): string {
  return `test_${process.pid}_${Date.now().toString(36)}`
}

export type TestKeyspace = {
  readonly options: CassandraOptions
  readonly keyspace: string
  /** For what no port can do: statements by hand. */
  readonly session: () => Session
  readonly truncate: (...tables: readonly string[]) => Promise<void>
}

/** To be called at the top of a test file. */
export function testKeyspace(kind: 'cell' | 'control'): TestKeyspace {
  const options = cassandraAt(testPrefix())
  const isCell = kind === 'cell'
  const keyspace = isCell ? cellKeyspace(options.prefix, testCell) : controlKeyspace(options.prefix)
  let session: Session | undefined
  const opened = () => {
    if (session === undefined) throw new Error('the keyspace is there within tests only')
    return session
  }
  beforeAll(async () => {
    session = await Session.openForSchema(options)
    const spec = { keyspace, tables: isCell ? cellTables : controlTables }
    const replication = { [options.localDataCenter]: 1 }
    for (const statement of statementsOf(spec, replication)) await session.define(statement)
  })
  afterAll(async () => {
    await session?.define(`DROP KEYSPACE IF EXISTS ${keyspace}`)
    await session?.close()
  })
  const truncate = async (...tables: readonly string[]) => {
    await Promise.all(tables.map((table) => opened().define(`TRUNCATE ${keyspace}.${table}`)))
  }
  return { options, keyspace, session: opened, truncate }
}

export function openTestStore({ options }: TestKeyspace): Promise<CassandraCellStore> {
  return CassandraCellStore.open({ ...options, cell: testCell })
}
