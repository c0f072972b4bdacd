// The obvious design on Cassandra, as well as one can write it: a row for every follower of every post, in unlogged batches of
// 100 prepared inserts of one kind, so many at once that the server is never idle; the post itself once, by a single insert.
//
//     node --import tsx test/bench/servers/rows-per-delivery.ts

import { Client, type types } from 'cassandra-driver'
import type { BenchRow } from '../bench-row.ts'
import { isStarted, printTable } from '../print.ts'
import { type BenchFlags, benchFlags } from './engines.ts'
import { followGraph, READERS } from './follow-graph.ts'
import { type Peer, type PeerFigures, peerText, runPeer } from './peer-run.ts'

const ROWS_A_BATCH = 100
const SECONDS = 30

export async function rowsPerDelivery(flags: BenchFlags): Promise<PeerFigures> {
  const { engines, prefix } = flags
  const client = new Client({
    contactPoints: [engines.cassandra],
    localDataCenter: engines.dataCenter,
    encoding: { useBigIntAsLong: true },
    // Dropping the keyspace takes its time.
    socketOptions: { readTimeout: 120_000 },
  })
  await client.connect()
  const keyspace = `${prefix}_rows`
  const replication = `{'class': 'SimpleStrategy', 'replication_factor': 1}`
  await client.execute(`CREATE KEYSPACE ${keyspace} WITH replication = ${replication}`)
  try {
    await client.execute(
      `CREATE TABLE ${keyspace}.inbox (user int, post bigint, author int, PRIMARY KEY (user, post)) ` +
        `WITH CLUSTERING ORDER BY (post DESC) AND compression = {'class': 'LZ4Compressor'}`,
    )
    await client.execute(`CREATE TABLE ${keyspace}.posts (post bigint PRIMARY KEY, body blob)`)
    const graph = { ...followGraph(READERS), users: READERS }
    return await runPeer(flags, graph, peerOn(client, keyspace))
  } finally {
    await client.execute(`DROP KEYSPACE ${keyspace}`)
    await client.shutdown()
  }
}

function peerOn(client: Client, keyspace: string): Peer {
  const row = `INSERT INTO ${keyspace}.inbox (user, post, author) VALUES (?, ?, ?)`
  const body = `INSERT INTO ${keyspace}.posts (post, body) VALUES (?, ?)`
  const options = { prepare: true, logged: false, isIdempotent: true }
  return async (posts) => {
    const writes: Promise<types.ResultSet>[] = []
    let batch: { query: string; params: unknown[] }[] = []
    for (const post of posts) {
      const id = BigInt.asIntN(64, post.postId)
      writes.push(client.execute(body, [id, post.body], options))
      for (const user of post.followers) {
        batch.push({ query: row, params: [user, id, post.author] })
        if (batch.length < ROWS_A_BATCH) continue
        writes.push(client.batch(batch, options))
        batch = []
      }
    }
    if (batch.length > 0) writes.push(client.batch(batch, options))
    await Promise.all(writes)
  }
}

export async function bench(): Promise<BenchRow[]> {
  const figures = await rowsPerDelivery(benchFlags({ seconds: SECONDS }))
  const what = `a row per delivery in Cassandra, batches of ${ROWS_A_BATCH}`
  return [{ what, figure: peerText(figures), goal: '', peer: '' }]
}

if (isStarted(import.meta.url)) printTable(await bench())
