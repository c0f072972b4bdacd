// Applying posts in memory, through Applier.apply in batches of log records, for authors with few and with very many followers:
// publishing costs the same for all of them. Beside it the obvious design, a list per author and a push to every follower.
//
//     node --import tsx test/bench/apply.ts

import { composeId, type EventId, type PostId } from '../../cells/model/post-id.ts'
import type { LogBatch, LogRecord } from '../../cells/ports/firehose.ts'
import type { UserKey } from '../../cells/model/user-key.ts'
import { addReader, type BenchCell, benchCell, NEWEST_MS } from './bench-cell.ts'
import type { BenchRow } from './bench-row.ts'
import { threadCpuMs } from './cpu-time.ts'
import { type Draw, different, drawFrom, uniform, zipf } from './draw.ts'
import { isStarted, printTable, thousands } from './print.ts'

const AUTHORS = 1_000_000
const POSTS = 300_000
const BATCH = 1_000
const MADE_AT_ONCE = 50_000
const HEAD_BYTES = 60
const CONTENT_BYTES = 140
const POSTS_PER_MS = 5
const ROUNDS = 3

const READERS = 50_000
const FOLLOWS = 200
const FOLLOWED = 10_000
const FOLLOWERS = (READERS * FOLLOWS) / FOLLOWED
const PEER_POSTS = 10_000
const PEER_KEPT = 1_000

export async function bench(): Promise<BenchRow[]> {
  const goal = '>= 300,000/s'
  const anyone = await authorsOfAllKinds()
  const followed = await authorsWithFollowers()
  return [
    { what: 'apply posts, 1 M authors, uniform', figure: anyone.uniform, goal, peer: '' },
    { what: 'apply posts, 1 M authors, Zipf', figure: anyone.zipf, goal, peer: '' },
    {
      what: `apply posts, authors of ${FOLLOWERS} followers`,
      figure: followed.applied,
      goal,
      peer: `push to each follower: ${followed.peer}`,
    },
  ]
}

async function authorsOfAllKinds(): Promise<{ uniform: string; zipf: string }> {
  const cell = await benchCell({ users: AUTHORS })
  const log = new Log(cell)
  const draw = drawFrom(1)
  // Whoever posts for the first time becomes a reader of their own posts: not what is measured.
  for (let author = 1; author <= AUTHORS; author++) addReader(cell, author, new Uint32Array(0))
  return {
    uniform: await fastest(cell, log, () => uniform(draw, AUTHORS)),
    zipf: await fastest(cell, log, () => zipf(draw, AUTHORS)),
  }
}

async function authorsWithFollowers(): Promise<{ applied: string; peer: string }> {
  const cell = await benchCell({ users: READERS + FOLLOWED })
  const draw = drawFrom(2)
  const followers = Array.from({ length: FOLLOWED + 1 }, (): number[] => [])
  for (let author = 1; author <= FOLLOWED; author++) addReader(cell, author, new Uint32Array(0))
  for (let reader = 0; reader < READERS; reader++) {
    const authors = different(draw, FOLLOWS, FOLLOWED)
    for (const author of authors) followers[author]?.push(reader)
    addReader(cell, FOLLOWED + 1 + reader, authors)
  }
  const log = new Log(cell)
  const applied = await fastest(cell, log, () => uniform(draw, FOLLOWED))
  return { applied, peer: pushToFollowers(followers, draw) }
}

/** Posts a second, the best of the rounds. */
async function fastest(cell: BenchCell, log: Log, drawAuthor: Draw): Promise<string> {
  let bestMs = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    const applied = cell.state.eventsApplied
    let tookMs = 0
    for (let made = 0; made < POSTS; made += MADE_AT_ONCE) {
      const batches = log.batches(MADE_AT_ONCE, drawAuthor)
      const startMs = threadCpuMs()
      for (const batch of batches) await cell.parts.applier.apply(batch)
      tookMs += threadCpuMs() - startMs
    }
    bestMs = Math.min(bestMs, tookMs)
    if (cell.state.eventsApplied - applied !== POSTS) throw new Error('posts were not applied')
    await cell.parts.book.settle()
  }
  return thousands(POSTS, bestMs)
}

/** The peer: every author's posts in a list, and every follower's, of which the newest are kept. */
function pushToFollowers(followers: readonly (readonly number[])[], draw: Draw): string {
  const byAuthor = new Map<number, number[]>()
  const byReader = Array.from({ length: READERS }, (): number[] => [])
  const startMs = threadCpuMs()
  for (let post = 0; post < PEER_POSTS; post++) {
    const author = uniform(draw, FOLLOWED)
    const posts = byAuthor.get(author)
    if (posts === undefined) byAuthor.set(author, [post])
    else posts.push(post)
    for (const reader of followers[author] ?? []) {
      const list = byReader[reader]
      list?.push(post)
      if (list !== undefined && list.length > 2 * PEER_KEPT) list.splice(0, PEER_KEPT)
    }
  }
  return thousands(PEER_POSTS, threadCpuMs() - startMs)
}

/** Makes the records of one partition, as a firehose would hand them over: bodies are views of a batch's bytes. */
export class Log {
  readonly #cell: BenchCell
  #offset = 0

  constructor(cell: BenchCell) {
    this.#cell = cell
    // Written behind as in a cell; the store keeps nothing.
    void cell.parts.book.run()
  }

  batches(posts: number, drawAuthor: Draw): LogBatch[] {
    const batches: LogBatch[] = []
    for (let made = 0; made < posts; made += BATCH) {
      const bytes = new Uint8Array(Math.min(BATCH, posts - made) * (HEAD_BYTES + CONTENT_BYTES))
      const records = Array.from({ length: Math.min(BATCH, posts - made) }, (_, i) =>
        this.#record(drawAuthor(), bytes, i * (HEAD_BYTES + CONTENT_BYTES)),
      )
      batches.push({ partition: 0, records, nextOffset: this.#offset })
    }
    return batches
  }

  #record(number: number, bytes: Uint8Array, from: number): LogRecord {
    const user = this.#cell.users[number]
    if (user === undefined) throw new RangeError(`there is no user ${number}`)
    // A key of its own, as each decoded record has.
    const author = {
      id: user.id,
      key: Buffer.from(user.key, 'latin1').toString('latin1') as UserKey,
    }
    const offset = this.#offset++
    const ms = NEWEST_MS + Math.floor(offset / POSTS_PER_MS)
    const id = composeId({ ms, worker: 1, sequence: offset % POSTS_PER_MS })
    return {
      offset,
      appendedAtMs: ms,
      event: {
        id: id as EventId,
        fact: {
          kind: 'post-created',
          author,
          postId: id as PostId,
          head: bytes.subarray(from, from + HEAD_BYTES),
          content: bytes.subarray(from + HEAD_BYTES, from + HEAD_BYTES + CONTENT_BYTES),
          reblogOf: undefined,
          audience: 'public',
        },
      },
    }
  }
}

if (isStarted(import.meta.url)) printTable(await bench())
