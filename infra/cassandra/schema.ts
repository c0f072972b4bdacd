// The schema of a cluster: a control keyspace and one for each cell. `cellfeed init` makes it, or prints it for an administrator
// who does; every process compares it when it starts. Versioned, and safe to make again: what is there is never changed, only
// what is missing is made, and what differs is said.

import type { CellName } from '../../cells/model/placement.ts'
import { type CassandraOptions, cellKeyspace, controlKeyspace } from './cassandra-options.ts'
import {
  differencesOf,
  type KeyspaceSpec,
  type Replication,
  type SchemaDifference,
  statementsOf,
} from './keyspace-schema.ts'
import { Session } from './session.ts'
import { cellTables, controlTables } from './tables.ts'

export type ClusterSchema = {
  readonly prefix: string
  readonly cells: readonly CellName[]
  readonly replication: Replication
}

/** A keyspace is missing or unfit for this version. */
export class SchemaMismatch extends Error {
  readonly code = 'SCHEMA_MISMATCH'
  override readonly name = 'SchemaMismatch'
}

/** The statements that make everything, in order, each without its semicolon. */
export function planSchema(schema: ClusterSchema): string[] {
  return keyspacesOf(schema).flatMap((keyspace) => statementsOf(keyspace, schema.replication))
}

/** What differs between what is there and what is wanted; empty when nothing does. */
export function compareSchema(options: CassandraOptions & ClusterSchema) {
  return withSession(options, (session) => differences(session, options))
}

/** Makes what is missing. Answers what still differs and may stay so; throws SchemaMismatch for what may not. */
export function createSchema(options: CassandraOptions & ClusterSchema) {
  return withSession(options, async (session) => {
    for (const keyspace of keyspacesOf(options)) {
      const found = await differencesOf(session, keyspace, options.replication)
      if (!found.some(({ isFatal }) => isFatal)) continue
      for (const statement of statementsOf(keyspace, options.replication)) {
        await session.define(statement)
      }
    }
    const left = await differences(session, options)
    refuseFatal(left)
    return left
  })
}

/** For a process that starts: throws SchemaMismatch unless it can work with the keyspace. */
export async function checkSchema(session: Session, keyspace: KeyspaceSpec): Promise<void> {
  refuseFatal(await differencesOf(session, keyspace, undefined))
}

function keyspacesOf({ prefix, cells }: ClusterSchema): KeyspaceSpec[] {
  return [
    { keyspace: controlKeyspace(prefix), tables: controlTables },
    ...cells.map((cell) => ({ keyspace: cellKeyspace(prefix, cell), tables: cellTables })),
  ]
}

async function differences(session: Session, schema: ClusterSchema): Promise<SchemaDifference[]> {
  const found: SchemaDifference[] = []
  for (const keyspace of keyspacesOf(schema)) {
    found.push(...(await differencesOf(session, keyspace, schema.replication)))
  }
  return found
}

function refuseFatal(found: readonly SchemaDifference[]): void {
  const fatal = found.filter(({ isFatal }) => isFatal)
  if (fatal.length === 0) return
  const lines = fatal.map(({ text }) => text).join('; ')
  throw new SchemaMismatch(
    `Cassandra: ${lines}. Run cellfeed init, or what cellfeed init --print shows`,
  )
}

async function withSession<T>(
  options: CassandraOptions,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const session = await Session.openForSchema(options)
  try {
    return await work(session)
  } finally {
    await session.close()
  }
}
