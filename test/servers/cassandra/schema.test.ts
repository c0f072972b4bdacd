// The schema on the real server: made once, safe to make again, and what differs is said. On the control keyspace, which is
// small; cells' keyspaces go the same way.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { controlKeyspace } from '../../../infra/cassandra/cassandra-options.ts'
import { CassandraControlStore } from '../../../infra/cassandra/control-store.ts'
import { compareSchema, createSchema, SchemaMismatch } from '../../../infra/cassandra/schema.ts'
import { Session } from '../../../infra/cassandra/session.ts'
import { cassandraAt, testPrefix } from './test-keyspace.ts'

const dataCenter = cassandraAt('').localDataCenter
let schema: Parameters<typeof createSchema>[0]
let session: Session
let keyspace: string
beforeEach(async () => {
  const prefix = testPrefix()
  schema = { ...cassandraAt(prefix), cells: [], replication: { [dataCenter]: 1 } }
  keyspace = controlKeyspace(prefix)
  session = await Session.openForSchema(schema)
})
afterEach(async () => {
  await session.define(`DROP KEYSPACE IF EXISTS ${keyspace}`)
  await session.close()
})

test('what is missing is said and made, and making it again changes nothing', async () => {
  const missing = await compareSchema(schema)
  expect(missing.map(({ text }) => text)).toEqual([`keyspace ${keyspace} is missing`])
  await expect(CassandraControlStore.open(schema)).rejects.toThrow(/is missing.*cellfeed init/)
  expect(await createSchema(schema)).toEqual([])
  const store = await CassandraControlStore.open(schema)
  await store.compareAndSet('kept', 0, new Uint8Array([7]))
  await session.define(`DROP TABLE ${keyspace}.schema_version`)
  expect((await compareSchema(schema)).map(({ text }) => text)).toEqual([
    `table ${keyspace}.schema_version is missing`,
  ])
  expect(await createSchema(schema)).toEqual([])
  expect(await createSchema(schema)).toEqual([])
  expect((await store.get('kept'))?.revision).toBe(1)
  await store.close()
})

test('settings that differ are said, with what would change them, and left alone', async () => {
  await createSchema(schema)
  const changed = "{'class': 'SizeTieredCompactionStrategy'}"
  await session.define(`ALTER TABLE ${keyspace}.documents WITH compaction = ${changed}`)
  await session.define(`ALTER TABLE ${keyspace}.documents ADD note text`)
  const differences = await createSchema({ ...schema, replication: { [dataCenter]: 3 } })
  expect(differences.every(({ isFatal }) => !isFatal)).toBe(true)
  expect(differences.map(({ text }) => text.replace(/ is .*/, ''))).toEqual([
    `keyspace ${keyspace}: replication`,
    `column ${keyspace}.documents.note`,
    `table ${keyspace}.documents: compaction`,
  ])
  const cure = differences[2]?.cql ?? ''
  await session.define(cure)
  const left = await compareSchema(schema)
  expect(left.map(({ text }) => text)).toEqual([
    `column ${keyspace}.documents.note is unknown to this version`,
  ])
  const store = await CassandraControlStore.open(schema)
  await store.close()
})

test('a table of another shape, and a newer schema, are refused', async () => {
  await createSchema(schema)
  await session.define(`ALTER TABLE ${keyspace}.documents DROP value`)
  await expect(createSchema(schema)).rejects.toThrow(/documents.value is missing; wanted: blob/)
  await session.define(`ALTER TABLE ${keyspace}.documents ADD value blob`)
  await session.define(
    `INSERT INTO ${keyspace}.schema_version (one, version) VALUES (1, 2) USING TIMESTAMP 2`,
  )
  await expect(createSchema(schema)).rejects.toThrow(SchemaMismatch)
  await expect(CassandraControlStore.open(schema)).rejects.toThrow(
    /has schema version 2; this version reads 1/,
  )
})
