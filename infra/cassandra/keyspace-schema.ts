// One keyspace: the CQL that makes it, and what differs between what is there and what this version needs.

import type { Row, Session } from './session.ts'
import { SCHEMA_VERSION, type TableSpec } from './tables.ts'

/** Replicas by data center. */
export type Replication = Readonly<Record<string, number>>
export type KeyspaceSpec = { readonly keyspace: string; readonly tables: readonly TableSpec[] }
export type SchemaDifference = {
  /** One line that says what is there and what is wanted. */
  readonly text: string
  /** Whether a process cannot run with it. Settings may differ: somebody may have tuned them. */
  readonly isFatal: boolean
  /** What would end it; undefined where that is for an administrator to decide. */
  readonly cql: string | undefined
}

const DROPS_KEPT_SECONDS = 86_400

/** Statements that may be run again. Without `replication` the keyspace itself is left out. */
export function statementsOf(
  { keyspace, tables }: KeyspaceSpec,
  replication: Replication | undefined,
): string[] {
  const statements = tables.map((table) => createTable(keyspace, table))
  if (replication !== undefined) statements.unshift(createKeyspace(keyspace, replication))
  return [...statements, insertVersion(keyspace)]
}

export async function differencesOf(
  session: Session,
  spec: KeyspaceSpec,
  replication: Replication | undefined,
): Promise<SchemaDifference[]> {
  const { keyspace } = spec
  const [found] = await session.read(
    'SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?',
    [keyspace],
  )
  if (found === undefined) {
    const cql = replication === undefined ? undefined : createKeyspace(keyspace, replication)
    return [{ text: `keyspace ${keyspace} is missing`, isFatal: true, cql }]
  }
  const there = await tablesThere(session, keyspace)
  const differences = spec.tables.flatMap((table) => tableDifferences(keyspace, table, there))
  const ofReplication =
    replication === undefined
      ? []
      : mapDifferences(`keyspace ${keyspace}`, 'replication', found, replicationMap(replication))
  const hasVersion = there.has('schema_version')
  const ofVersion = hasVersion ? await versionDifferences(session, keyspace) : []
  return [...ofReplication, ...differences, ...ofVersion]
}

type TableThere = { readonly settings: Row; readonly columns: ReadonlyMap<string, string> }

async function tablesThere(session: Session, keyspace: string): Promise<Map<string, TableThere>> {
  const [tables, columns] = await Promise.all([
    session.read(
      'SELECT table_name, compaction, compression, gc_grace_seconds FROM system_schema.tables WHERE keyspace_name = ?',
      [keyspace],
    ),
    session.read(
      'SELECT table_name, column_name, type, kind, position, clustering_order FROM system_schema.columns WHERE keyspace_name = ?',
      [keyspace],
    ),
  ])
  return new Map(
    tables.map((settings) => {
      const own = columns.filter((column) => column['table_name'] === settings['table_name'])
      const described = own.map(
        (column) => [text(column['column_name']), describe(column)] as const,
      )
      return [text(settings['table_name']), { settings, columns: new Map(described) }]
    }),
  )
}

/** A column as it is there: its type, and its place in the key. */
function describe(column: Row): string {
  const kind = text(column['kind'])
  const place = kind === 'regular' ? '' : ` ${kind} ${text(column['position'])}`
  const order = text(column['clustering_order'])
  return `${text(column['type'])}${place}${order === 'none' ? '' : ` ${order}`}`
}

/** The same as it should be. */
function describeWanted(table: TableSpec, column: string): string {
  const type = table.columns[column] ?? ''
  const inPartition = table.partitionKey.indexOf(column)
  if (inPartition >= 0) return `${type} partition_key ${inPartition}`
  const inClustering = table.clustering.findIndex(([name]) => name === column)
  if (inClustering < 0) return type
  return `${type} clustering ${inClustering} ${table.clustering[inClustering]?.[1]}`
}

function tableDifferences(
  keyspace: string,
  table: TableSpec,
  there: ReadonlyMap<string, TableThere>,
): SchemaDifference[] {
  const name = `${keyspace}.${table.name}`
  const found = there.get(table.name)
  if (found === undefined) {
    const cql = createTable(keyspace, table)
    return [{ text: `table ${name} is missing`, isFatal: true, cql }]
  }
  const differences: SchemaDifference[] = []
  for (const column of Object.keys(table.columns)) {
    const wanted = describeWanted(table, column)
    const is = found.columns.get(column) ?? 'missing'
    if (is === wanted) continue
    const line = `column ${name}.${column} is ${is}; wanted: ${wanted}`
    differences.push({ text: line, isFatal: true, cql: undefined })
  }
  for (const column of found.columns.keys()) {
    if (table.columns[column] !== undefined) continue
    const line = `column ${name}.${column} is unknown to this version`
    differences.push({ text: line, isFatal: false, cql: undefined })
  }
  const seconds = table.hasDrops ? DROPS_KEPT_SECONDS : undefined
  if (seconds !== undefined && found.settings['gc_grace_seconds'] !== seconds) {
    const is = text(found.settings['gc_grace_seconds'])
    differences.push({
      text: `table ${name}: gc_grace_seconds is ${is}; wanted: ${seconds}`,
      isFatal: false,
      cql: `ALTER TABLE ${name} WITH gc_grace_seconds = ${seconds}`,
    })
  }
  return [
    ...differences,
    ...mapDifferences(`table ${name}`, 'compaction', found.settings, compactionMap(table)),
    ...mapDifferences(`table ${name}`, 'compression', found.settings, compressionMap(table)),
  ]
}

type Settings = Readonly<Record<string, string>>

/** Compares what is wanted only; a class is named with or without its package. */
function mapDifferences(
  what: string,
  setting: string,
  row: Row,
  wanted: Settings,
): SchemaDifference[] {
  const is = (row[setting] ?? {}) as Settings
  const isSame = Object.entries(wanted).every(([key, value]) => shortName(is[key]) === value)
  const isComplete =
    setting !== 'replication' || Object.keys(is).length === Object.keys(wanted).length
  if (isSame && isComplete) return []
  return [
    {
      text: `${what}: ${setting} is ${mapText(shortNames(is))}; wanted: ${mapText(wanted)}`,
      isFatal: false,
      cql: `ALTER ${what.replace('keyspace', 'KEYSPACE').replace('table', 'TABLE')} WITH ${setting} = ${mapText(wanted)}`,
    },
  ]
}

async function versionDifferences(session: Session, keyspace: string): Promise<SchemaDifference[]> {
  const [row] = await session.read(
    `SELECT version FROM ${keyspace}.schema_version WHERE one = 1`,
    [],
  )
  const version = row?.['version']
  if (version === SCHEMA_VERSION) return []
  if (version === undefined) {
    const line = `keyspace ${keyspace} does not say its schema version`
    return [{ text: line, isFatal: true, cql: insertVersion(keyspace) }]
  }
  const line = `keyspace ${keyspace} has schema version ${text(version)}; this version reads ${SCHEMA_VERSION}`
  return [{ text: line, isFatal: true, cql: undefined }]
}

function createKeyspace(keyspace: string, replication: Replication): string {
  return `CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = ${mapText(replicationMap(replication))}`
}

function createTable(keyspace: string, table: TableSpec): string {
  const columns = Object.entries(table.columns).map(([name, type]) => `${name} ${type}`)
  const clustering = table.clustering.map(([column]) => column)
  const key = [`(${table.partitionKey.join(', ')})`, ...clustering].join(', ')
  const order = table.clustering.map(([column, way]) => `${column} ${way.toUpperCase()}`).join(', ')
  const settings = [
    ...(clustering.length === 0 ? [] : [`CLUSTERING ORDER BY (${order})`]),
    `compaction = ${mapText(compactionMap(table))}`,
    `compression = ${mapText(compressionMap(table))}`,
    ...(table.hasDrops ? [`gc_grace_seconds = ${DROPS_KEPT_SECONDS}`] : []),
  ]
  return (
    `CREATE TABLE IF NOT EXISTS ${keyspace}.${table.name} (\n` +
    `  ${columns.join(', ')},\n  PRIMARY KEY (${key})\n) WITH ${settings.join('\n  AND ')}`
  )
}

/** The greatest version that was written stays. */
function insertVersion(keyspace: string): string {
  return `INSERT INTO ${keyspace}.schema_version (one, version) VALUES (1, ${SCHEMA_VERSION}) USING TIMESTAMP ${SCHEMA_VERSION}`
}

function replicationMap(replication: Replication): Settings {
  const replicas = Object.entries(replication).map(([name, count]) => [name, String(count)])
  return { class: 'NetworkTopologyStrategy', ...Object.fromEntries(replicas) }
}

function compactionMap({ rows }: TableSpec): Settings {
  const scaling = rows === 'overwritten' ? 'L4' : 'T4'
  return { class: 'UnifiedCompactionStrategy', scaling_parameters: scaling }
}

function compressionMap({ isPacked }: TableSpec): Settings {
  return isPacked
    ? { class: 'NoopCompressor', chunk_length_in_kb: '4' }
    : { class: 'LZ4Compressor', chunk_length_in_kb: '16' }
}

function mapText(map: Settings): string {
  const entries = Object.entries(map).map(([key, value]) => `'${key}': '${value}'`)
  return `{${entries.join(', ')}}`
}

function shortNames(map: Settings): Settings {
  return Object.fromEntries(
    Object.entries(map).map(([key, value]) => [key, shortName(value) ?? '']),
  )
}

function shortName(name: string | undefined): string | undefined {
  return name?.slice(name.lastIndexOf('.') + 1)
}

function text(value: unknown): string {
  return String(value)
}
