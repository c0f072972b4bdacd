// The obvious design on Redis, as well as one can write it: a sorted set per user, ZADD in pipelines of 1,000, cut back to the
// newest 800 now and then; the post itself once.
//
//     node --import tsx test/bench/servers/sorted-sets.ts

import { Redis } from 'ioredis'
import type { BenchRow } from '../bench-row.ts'
import { isStarted, printTable } from '../print.ts'
import { type BenchFlags, benchFlags } from './engines.ts'
import { followGraph, READERS } from './follow-graph.ts'
import { type Peer, type PeerFigures, peerText, runPeer } from './peer-run.ts'

const COMMANDS_A_PIPELINE = 1_000
const KEPT = 800
/** One addition in so many also cuts. */
const CUT_EVERY = 16
const SECONDS = 30

export async function sortedSets(flags: BenchFlags): Promise<PeerFigures> {
  const { engines, prefix } = flags
  const redis = new Redis({ ...engines.redis, lazyConnect: true })
  await redis.connect()
  try {
    const graph = { ...followGraph(READERS), users: READERS }
    return await runPeer(flags, graph, peerOn(redis, prefix))
  } finally {
    await dropKeys(redis, `${prefix}:*`)
    await redis.quit()
  }
}

function peerOn(redis: Redis, prefix: string): Peer {
  let added = 0
  return async (posts) => {
    const answers: Promise<unknown>[] = []
    let pipeline = redis.pipeline()
    const send = () => {
      answers.push(pipeline.exec().then(assertTaken))
      pipeline = redis.pipeline()
    }
    for (const { author, postId, body, followers } of posts) {
      const member = `${postId.toString(36)}:${author.toString(36)}`
      // By the post's millisecond, which a double holds exactly; members of one millisecond are in the order of their text.
      const score = Number(postId >> 22n)
      pipeline.set(`${prefix}:post:${member}`, body)
      for (const user of followers) {
        const key = `${prefix}:inbox:${user}`
        pipeline.zadd(key, score, member)
        if (++added % CUT_EVERY === 0) pipeline.zremrangebyrank(key, 0, -KEPT - 1)
        if (pipeline.length >= COMMANDS_A_PIPELINE) send()
      }
    }
    if (pipeline.length > 0) send()
    await Promise.all(answers)
  }
}

function assertTaken(results: readonly [error: Error | null, value: unknown][] | null): void {
  const failed = results?.find(([error]) => error !== null)
  if (results === null || failed !== undefined) {
    throw new Error(`Redis refused: ${failed?.[0]?.message ?? 'no answer'}`)
  }
}

async function dropKeys(redis: Redis, match: string): Promise<void> {
  for await (const keys of redis.scanStream({ match, count: 10_000 })) {
    if (Array.isArray(keys) && keys.length > 0) await redis.unlink(...keys)
  }
}

export async function bench(): Promise<BenchRow[]> {
  const figures = await sortedSets(benchFlags({ seconds: SECONDS }))
  const what = `a sorted set per user in Redis, pipelines of ${COMMANDS_A_PIPELINE}`
  return [{ what, figure: peerText(figures), goal: '', peer: '' }]
}

if (isStarted(import.meta.url)) printTable(await bench())
