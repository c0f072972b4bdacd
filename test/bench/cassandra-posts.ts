// Posts on Cassandra: a row a post (what cellfeed does), against rows that share partitions by the hour, and against blocks of 64
// posts with an index row for each post. Batches of 1,000 posts of 1 KB, one after the other as the post book writes them, the
// three in turns; then reads. CPU is of this process and of the server, which says more than the rate on a machine that others
// use too.
//
//     node --import tsx test/bench/cassandra-posts.ts --at 127.0.0.1:9042 [--server-pid PID] [--seconds 20] [--rounds 3]
//         [--authors 100000] [--only rows]

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { IdAllocator } from '../../cells/model/id-allocator.ts'
import type { CellName } from '../../cells/model/placement.ts'
import type { PostId } from '../../cells/model/post-id.ts'
import type { PostKey, PostRow } from '../../cells/ports/post-table.ts'
import { cellKeyspace } from '../../infra/cassandra/cassandra-options.ts'
import { CassandraCellStore } from '../../infra/cassandra/cell-store.ts'
import { statementsOf } from '../../infra/cassandra/keyspace-schema.ts'
import { encodeBody, flagsOf, postIdBytes } from '../../infra/cassandra/post-row.ts'
import { groupRows } from '../../infra/cassandra/row-groups.ts'
import { Session } from '../../infra/cassandra/session.ts'
import { cellTables } from '../../infra/cassandra/tables.ts'
import { numberTimestamp } from '../../infra/cassandra/write-timestamps.ts'
import { machine } from './print.ts'

const { values: flags } = parseArgs({
  options: {
    at: { type: 'string', default: '127.0.0.1:9042' },
    'data-center': { type: 'string', default: 'datacenter1' },
    'server-pid': { type: 'string' },
    seconds: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
    authors: { type: 'string', default: '100000' },
    only: { type: 'string' },
  },
})
const AUTHORS = Number(flags.authors)
const ROWS_PER_PUT = 1_000
const HEAD_BYTES = 64
const CONTENT_BYTES = 960
const BUCKETS = 64
const BLOCK_POSTS = 64
const PAGES = 2_000
const PAGES_AT_ONCE = 8

const cell = 'cell-1' as CellName
const options = {
  contactPoints: [flags.at],
  localDataCenter: flags['data-center'],
  prefix: `bench_${process.pid}`,
  credentials: undefined,
  tls: undefined,
}
const keyspace = cellKeyspace(options.prefix, cell)
const ids = new IdAllocator(1)
const prose = readFileSync(new URL('../../docs/architecture.md', import.meta.url))
const kept: PostKey[] = []
let version = 0

function somePosts(): PostRow[] {
  return Array.from({ length: ROWS_PER_PUT }, () => {
    const author = 1 + Math.floor(Math.random() * AUTHORS)
    const postId = ids.allocate(Date.now()) as PostId
    const from = (version * 37) % (prose.length - HEAD_BYTES - CONTENT_BYTES)
    const head = prose.subarray(from, from + HEAD_BYTES)
    const content = prose.subarray(from + HEAD_BYTES, from + HEAD_BYTES + CONTENT_BYTES)
    const body = { head, content, followersOnly: false, reblogOf: undefined }
    return { author, postId, version: version++, createdOffset: version, body }
  })
}

type Way = { readonly name: string; readonly put: (rows: readonly PostRow[]) => Promise<unknown> }

/** A row a post, in the partition of its author and month. */
function inRows(store: CassandraCellStore): Way {
  const put = async (rows: readonly PostRow[]) => {
    await store.posts.put(rows)
    kept.push(...rows.slice(0, 20).map(({ author, postId }) => ({ author, postId })))
  }
  return { name: 'rows', put }
}

/** Rows of many authors share a partition, so that each batch of a put is one mutation of some 16 posts. */
function inSharedPartitions(session: Session): Way {
  const query = `INSERT INTO ${keyspace}.shared (bucket, hour, author, post_id, flags, body) VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`
  const put = (rows: readonly PostRow[]) => {
    const groups = groupRows(
      rows,
      ({ author }) => author % BUCKETS,
      () => HEAD_BYTES + CONTENT_BYTES,
    )
    return session.forEach(groups, (group) =>
      session.writeTogether(
        group.map((row) => {
          const hour = Math.floor(row.version / 4_000_000)
          const key = [row.author % BUCKETS, hour, row.author, postIdBytes(row.postId)]
          const params = [...key, flagsOf(row), encodeBody(row), numberTimestamp(row.version)]
          return { query, params }
        }),
      ),
    )
  }
  return { name: 'shared partitions', put }
}

/** Bodies by the block, and a small row that says where each post is. */
function inBlocks(session: Session): Way {
  const block = `INSERT INTO ${keyspace}.post_blocks (block, bodies) VALUES (?, ?) USING TIMESTAMP ?`
  const index = `INSERT INTO ${keyspace}.post_places (author, month, post_id, flags, block) VALUES (?, 1, ?, ?, ?) USING TIMESTAMP ?`
  const put = async (rows: readonly PostRow[]) => {
    const blocks = Array.from({ length: Math.ceil(rows.length / BLOCK_POSTS) }, (_, i) =>
      rows.slice(i * BLOCK_POSTS, (i + 1) * BLOCK_POSTS),
    )
    const numbered = rows.map((row, i) => ({
      row,
      first: blocks[Math.floor(i / BLOCK_POSTS)]?.[0],
    }))
    await Promise.all([
      session.forEach(blocks, (posts) => {
        const name = numberTimestamp(posts[0]?.version ?? 0)
        return session.write(block, [name, Buffer.concat(posts.map(encodeBody)), name])
      }),
      session.forEach(numbered, ({ row, first }) =>
        session.write(index, [
          row.author,
          postIdBytes(row.postId),
          flagsOf(row),
          numberTimestamp(first?.version ?? 0),
          numberTimestamp(row.version),
        ]),
      ),
    ])
  }
  return { name: 'blocks', put }
}

/** CPU of a process in milliseconds, by its kernel's account; 0 where that is not to be had. */
function serverCpuMs(): number {
  const pid = flags['server-pid']
  if (pid === undefined) return 0
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function measured(work: () => Promise<number>): Promise<string> {
  const [clientBefore, serverBefore, started] = [
    process.cpuUsage(),
    serverCpuMs(),
    performance.now(),
  ]
  const done = await work()
  const ms = performance.now() - started
  const { user, system } = process.cpuUsage(clientBefore)
  const server = ((serverCpuMs() - serverBefore) * 1_000) / done
  const client = (user + system) / done
  return `${Math.round((done * 1_000) / ms)}/s, CPU ${client.toFixed(1)} us here, ${server.toFixed(1)} us server`
}

async function putFor(seconds: number, way: Way): Promise<number> {
  const started = performance.now()
  let posts = 0
  while (performance.now() - started < seconds * 1_000) {
    await way.put(somePosts())
    posts += ROWS_PER_PUT
  }
  return posts
}

async function pages(read: (page: number) => Promise<unknown>): Promise<number> {
  let next = 0
  const loop = async () => {
    while (next < PAGES) await read(next++)
  }
  await Promise.all(Array.from({ length: PAGES_AT_ONCE }, loop))
  return PAGES
}

function report(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(28)} ${figure}\n`)
}

const definer = await Session.openForSchema(options)
const spec = { keyspace, tables: cellTables }
for (const cql of statementsOf(spec, { [options.localDataCenter]: 1 })) await definer.define(cql)
const settings = "compaction = {'class': 'UnifiedCompactionStrategy'}"
await definer.define(
  `CREATE TABLE ${keyspace}.shared (bucket int, hour int, author int, post_id blob, flags tinyint, body blob, PRIMARY KEY ((bucket, hour), author, post_id)) WITH ${settings}`,
)
await definer.define(
  `CREATE TABLE ${keyspace}.post_blocks (block bigint PRIMARY KEY, bodies blob) WITH ${settings}`,
)
await definer.define(
  `CREATE TABLE ${keyspace}.post_places (author int, month int, post_id blob, flags tinyint, block bigint, PRIMARY KEY ((author, month), post_id)) WITH ${settings}`,
)
const session = await Session.open(options)
const store = await CassandraCellStore.open({ ...options, cell })
try {
  const all = [inRows(store), inSharedPartitions(session), inBlocks(session)]
  const ways = all.filter(({ name }) => flags.only === undefined || name === flags.only)
  for (let round = 1; round <= Number(flags.rounds); round++) {
    for (const way of ways) {
      report(
        `${way.name}, round ${round}`,
        await measured(() => putFor(Number(flags.seconds), way)),
      )
    }
  }
  const someOf = (count: number) =>
    Array.from({ length: count }, () => kept[Math.floor(Math.random() * kept.length)]).flatMap(
      (key) => key ?? [],
    )
  if (kept.length > 0) {
    const bodies = () => pages(() => store.posts.get(someOf(20)))
    report('20 posts of 20 authors', await measured(bodies))
    const newest = () => pages(() => store.posts.idsBelow(someOf(1)[0]?.author ?? 1, undefined, 32))
    report('newest 32 ids of an author', await measured(newest))
  }
  report('on', machine())
} finally {
  await store.close()
  await session.close()
  await definer.define(`DROP KEYSPACE ${keyspace}`)
  await definer.close()
}
