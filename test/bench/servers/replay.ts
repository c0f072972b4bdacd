// A new cell replays a topic of 1 KB posts, stores their bodies, and takes its checkpoint. Beside it, in the same run, what it
// cannot be faster than: reading and decoding the topic alone, and putting the same rows into Cassandra alone.
//
//     node --max-old-space-size=8192 --import tsx test/bench/servers/replay.ts

import { Cell } from '../../../cells/activities/cell.ts'
import { CELL_LIMITS } from '../../../cells/model/cell-limits.ts'
import { firstPlacement, SLOTS_DEFAULT } from '../../../cells/model/placement.ts'
import type { Firehose, LogBatch } from '../../../cells/ports/firehose.ts'
import type { PostRow, PostTable } from '../../../cells/ports/post-table.ts'
import { topicNames } from '../../../infra/kafka/kafka-options.ts'
import type { KafkaLogIdentity } from '../../../infra/kafka/log-identity.ts'
import { BENCH_CELL } from '../bench-cell.ts'
import type { BenchRow } from '../bench-row.ts'
import { threadCpuMs } from '../cpu-time.ts'
import { isStarted, printTable } from '../print.ts'
import { dropNames, makeNames, openParts } from './cell-parts.ts'
import { CpuMeter, pidListeningOn } from '../cpu-meter.ts'
import { answerElsewhere, partAsked, runElsewhere } from './elsewhere.ts'
import { type BenchFlags, benchFlags, flagsOf } from './engines.ts'
import { portOf } from './peer-run.ts'
import { PostLoad } from './post-load.ts'

const POSTS = 1_000_000
const AUTHORS = 100_000
/** Of the rows put alone; some of them are enough. */
const ROWS_ALONE = 200_000
const SECONDS = 0

type Part = { readonly identity: KafkaLogIdentity; readonly what: 'read' | 'replay' | 'put' }
type Took = { readonly seconds: number; readonly coreSeconds: number; readonly cpu: string }

export async function bench(): Promise<BenchRow[]> {
  const flags = benchFlags({ seconds: SECONDS })
  const identity = await makeNames(flags)
  try {
    const topic = topicNames(flags.prefix).public
    const { kafka } = flags.engines
    await new PostLoad({ kafka, topic, users: AUTHORS, aheadMax: POSTS, postsMax: POSTS }).ended
    const part = (what: Part['what']) =>
      runElsewhere<Took>(import.meta.url, { identity, what } satisfies Part, flagsOf(flags))
    const read = await part('read')
    const replay = await part('replay')
    const put = await part('put')
    const perSecond = (posts: number, { seconds }: Took) =>
      `${Math.round(posts / seconds).toLocaleString('en')}/s`
    const { seconds, coreSeconds, cpu } = replay
    return [
      {
        what: `replay of ${POSTS / 1e6} M posts of 1 KB into an empty cell, bodies stored`,
        figure: `${perSecond(POSTS, replay)} (${seconds.toFixed(1)} s, ${coreSeconds.toFixed(1)} on the cell's core)`,
        goal: '>= 25,000/s',
        peer: cpu,
      },
      {
        what: '  reading and decoding the topic alone',
        figure: perSecond(POSTS, read),
        goal: '',
        peer: read.cpu,
      },
      {
        what: '  putting the rows alone',
        figure: perSecond(ROWS_ALONE, put),
        goal: '',
        peer: put.cpu,
      },
    ]
  } finally {
    await dropNames(flags)
  }
}

async function run(flags: BenchFlags, { identity, what }: Part): Promise<Took> {
  const parts = await openParts(flags, identity)
  const { engines } = flags
  const meter = new CpuMeter({
    cell: process.pid,
    kafka: pidListeningOn(portOf(engines.kafka)),
    cassandra: pidListeningOn(portOf(engines.cassandra)),
  })
  const { firehose, store } = parts.ports
  if (what === 'put') {
    const rows = await someRows(firehose)
    return timed(ROWS_ALONE, meter, () => putAll(store.posts, rows))
  }
  if (what === 'read') return timed(POSTS, meter, () => readAll(firehose))
  return timed(POSTS, meter, async () => {
    const placement = firstPlacement([BENCH_CELL], SLOTS_DEFAULT)
    const options = { name: BENCH_CELL, boot: 1, placement, limits: CELL_LIMITS }
    const cell = new Cell(parts.ports, options)
    await cell.start()
    await cell.checkpoint()
    const { eventsApplied } = await cell.status()
    if (eventsApplied !== POSTS) throw new Error(`${eventsApplied} events`)
  })
}

async function timed(posts: number, meter: CpuMeter, work: () => Promise<unknown>): Promise<Took> {
  meter.start()
  const fromMs = performance.now()
  const cpuFromMs = threadCpuMs()
  await work()
  const seconds = (performance.now() - fromMs) / 1_000
  const cpu = `${meter.toString()}; a post: ${meter.each(posts)}`
  return { seconds, coreSeconds: (threadCpuMs() - cpuFromMs) / 1_000, cpu }
}

async function readAll(firehose: Firehose): Promise<void> {
  let records = 0
  for await (const batch of fromTheStart(firehose)) {
    records += batch.records.length
    if (records >= POSTS) return
  }
}

async function* fromTheStart(firehose: Firehose): AsyncGenerator<LogBatch> {
  const { start } = await firehose.bounds()
  const ending = new AbortController()
  try {
    yield* firehose.follow(start, {
      signal: ending.signal,
      recordsMax: CELL_LIMITS.fetchRecords,
    })
  } finally {
    ending.abort()
  }
}

/** Under author numbers that the cell never gave out. */
async function someRows(firehose: Firehose): Promise<PostRow[]> {
  const rows: PostRow[] = []
  for await (const { records } of fromTheStart(firehose)) {
    for (const { offset, event } of records) {
      if (event.fact.kind !== 'post-created') continue
      const { postId, head, content, author } = event.fact
      const number = 10_000_000 + Number(author.id.slice('user-'.length))
      const body = { head, content, followersOnly: false, reblogOf: undefined }
      rows.push({ author: number, postId, version: offset, createdOffset: offset, body })
      if (rows.length === ROWS_ALONE) return rows
    }
  }
  return rows
}

async function putAll(table: PostTable, rows: readonly PostRow[]): Promise<void> {
  const { postBatchRows } = CELL_LIMITS
  for (let at = 0; at < rows.length; at += postBatchRows) {
    await table.put(rows.slice(at, at + postBatchRows))
  }
}

if (isStarted(import.meta.url)) {
  const part = partAsked() as Part | undefined
  if (part === undefined) printTable(await bench())
  else await answerElsewhere(await run(benchFlags({ seconds: SECONDS }), part))
}
