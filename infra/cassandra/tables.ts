// The tables of a cell's keyspace and of the control keyspace. What lies in them and how conflicts end is said in the file of
// each table; here is what Cassandra is told, with the reasons:
//
//   Compaction   unified, tiered (T4) where rows are written once: each is rewritten a few times in its life. Levelled (L4) where
//                rows are overwritten at every checkpoint and read whole at a restart: few old versions lie about. Not by time
//                windows, which go by write timestamps: those are no times here.
//   Compression  chunks and window blocks are packed already: not compressed, but with checksums, in small pieces, as a page reads
//                single chunks. All else by LZ4, the default.
//   Deletions    only drops, of what is never written again under its name. So they may be forgotten after a day (hints live
//                three hours), where the default is ten. Tables without deletions keep the default, which then costs nothing.
//   Caching      the default: rows are cached by cells, not by servers.

export type CqlType = 'int' | 'bigint' | 'tinyint' | 'boolean' | 'text' | 'blob'
export type TableSpec = {
  readonly name: string
  /** In the order in which they are printed; keys first. */
  readonly columns: Readonly<Record<string, CqlType>>
  readonly partitionKey: readonly string[]
  readonly clustering: readonly (readonly [column: string, order: 'asc' | 'desc'])[]
  readonly rows: 'written once' | 'overwritten'
  readonly isPacked?: true
  readonly hasDrops?: true
}

export const SCHEMA_VERSION = 1

/** Which version of the schema a keyspace has. */
const schemaVersion: TableSpec = {
  name: 'schema_version',
  columns: { one: 'int', version: 'int' },
  partitionKey: ['one'],
  clustering: [],
  rows: 'written once',
}

export const controlTables: readonly TableSpec[] = [
  {
    name: 'documents',
    columns: { key: 'text', revision: 'bigint', value: 'blob' },
    partitionKey: ['key'],
    clustering: [],
    rows: 'overwritten',
  },
  schemaVersion,
]

export const cellTables: readonly TableSpec[] = [
  {
    name: 'posts',
    columns: { author: 'int', month: 'int', post_id: 'blob', flags: 'tinyint', body: 'blob' },
    partitionKey: ['author', 'month'],
    clustering: [['post_id', 'desc']],
    rows: 'written once',
  },
  {
    name: 'months',
    columns: { author: 'int', month: 'int' },
    partitionKey: ['author'],
    clustering: [['month', 'desc']],
    rows: 'written once',
  },
  {
    name: 'inbox',
    columns: {
      slot: 'int',
      term: 'int',
      month: 'int',
      reader: 'int',
      generation: 'bigint',
      part: 'int',
      bytes: 'blob',
    },
    partitionKey: ['slot', 'term', 'month'],
    clustering: [
      ['reader', 'asc'],
      ['generation', 'desc'],
      ['part', 'asc'],
    ],
    rows: 'written once',
    isPacked: true,
    hasDrops: true,
  },
  {
    name: 'inbox_sizes',
    columns: { one: 'int', slot: 'int', term: 'int', month: 'int', size: 'blob' },
    partitionKey: ['one'],
    clustering: [
      ['slot', 'asc'],
      ['term', 'asc'],
      ['month', 'asc'],
    ],
    rows: 'overwritten',
    hasDrops: true,
  },
  {
    name: 'generations',
    columns: { one: 'int', generation: 'bigint', month: 'int', min_id: 'blob', max_id: 'blob' },
    partitionKey: ['one'],
    clustering: [['generation', 'asc']],
    rows: 'written once',
  },
  {
    name: 'readers',
    columns: { slot: 'int', term: 'int', reader: 'int', row: 'blob' },
    partitionKey: ['slot', 'term'],
    clustering: [['reader', 'asc']],
    rows: 'overwritten',
    hasDrops: true,
  },
  {
    name: 'reader_pages',
    columns: {
      slot: 'int',
      term: 'int',
      reader: 'int',
      version: 'bigint',
      page: 'int',
      bytes: 'blob',
    },
    partitionKey: ['slot', 'term'],
    clustering: [
      ['reader', 'asc'],
      ['version', 'desc'],
      ['page', 'asc'],
    ],
    rows: 'overwritten',
    hasDrops: true,
  },
  {
    name: 'reach',
    columns: { one: 'int', slot: 'int', term: 'int', bytes: 'blob' },
    partitionKey: ['one'],
    clustering: [
      ['slot', 'asc'],
      ['term', 'asc'],
    ],
    rows: 'overwritten',
    hasDrops: true,
  },
  {
    name: 'followers',
    columns: { author: 'int', user: 'blob', follows: 'boolean' },
    partitionKey: ['author'],
    clustering: [['user', 'asc']],
    rows: 'written once',
  },
  {
    name: 'authors',
    columns: { block: 'int', author: 'int', bytes: 'blob' },
    partitionKey: ['block'],
    clustering: [['author', 'asc']],
    rows: 'overwritten',
  },
  {
    name: 'greatest',
    columns: { block: 'int', number: 'int', bytes: 'blob' },
    partitionKey: ['block'],
    clustering: [['number', 'asc']],
    rows: 'overwritten',
  },
  {
    name: 'names',
    columns: { block: 'int', number: 'int', key: 'blob', id: 'text' },
    partitionKey: ['block'],
    clustering: [['number', 'asc']],
    rows: 'written once',
  },
  {
    name: 'blocks',
    columns: { kind: 'text', block: 'int' },
    partitionKey: ['kind'],
    clustering: [['block', 'asc']],
    rows: 'written once',
  },
  {
    name: 'facts',
    columns: { name: 'text', number: 'bigint' },
    partitionKey: ['name'],
    clustering: [],
    rows: 'overwritten',
  },
  {
    name: 'window',
    columns: { boot: 'bigint', count: 'bigint', bytes: 'blob' },
    partitionKey: ['boot', 'count'],
    clustering: [],
    rows: 'written once',
    isPacked: true,
    hasDrops: true,
  },
  {
    name: 'checkpoints',
    columns: { name: 'text', bytes: 'blob' },
    partitionKey: ['name'],
    clustering: [],
    rows: 'overwritten',
  },
  schemaVersion,
]
