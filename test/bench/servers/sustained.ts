// A cell on the real engines under a steady load: posts of 1 KB from Kafka, applied, written to Cassandra, checkpointed, and
// written into the inboxes of 100,000 readers who follow 200 authors each, so that every post is delivered 200 times. The load
// stays a little ahead of the cell, so the rate is what the cell, Kafka, Cassandra and the load reach together on this machine.
// Counted from one checkpoint to another: everything between is durable.
//
//     node --max-old-space-size=8192 --import tsx test/bench/servers/sustained.ts --seconds 300

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { Cell } from '../../../cells/activities/cell.ts'
import { CELL_LIMITS } from '../../../cells/model/cell-limits.ts'
import { firstPlacement, SLOTS_DEFAULT } from '../../../cells/model/placement.ts'
import { topicNames } from '../../../infra/kafka/kafka-options.ts'
import type { KafkaLogIdentity } from '../../../infra/kafka/log-identity.ts'
import { BENCH_CELL } from '../bench-cell.ts'
import type { BenchRow } from '../bench-row.ts'
import { isStarted, printTable } from '../print.ts'
import { dropNames, makeNames, openParts, seedCell } from './cell-parts.ts'
import { CountedFirehose } from './counted-firehose.ts'
import { CpuMeter, pidListeningOn } from '../cpu-meter.ts'
import { answerElsewhere, partAsked, runElsewhere } from './elsewhere.ts'
import { type BenchFlags, benchFlags, flagsOf } from './engines.ts'
import { FOLLOWS, READERS } from './follow-graph.ts'
import { portOf } from './peer-run.ts'
import { PostLoad } from './post-load.ts'

const SECONDS = 300
const WARM_UP_SECONDS = 20
const AHEAD_MAX = 50_000
const TELL_MS = 20

type Part = { readonly identity: KafkaLogIdentity; readonly what: 'seed' | 'run' }
type Sustained = {
  readonly postsPerSecond: number
  readonly entriesPerSecond: number
  readonly generations: number
  readonly delayMs: { readonly p50: number; readonly p99: number; readonly max: number }
  readonly checkpointAgeMsMax: number
  readonly cpu: string
}

export async function bench(): Promise<BenchRow[]> {
  const flags = benchFlags({ seconds: SECONDS })
  const identity = await makeNames(flags)
  try {
    const part = <T>(what: Part['what']) =>
      runElsewhere<T>(import.meta.url, { identity, what } satisfies Part, flagsOf(flags))
    await part('seed')
    const { postsPerSecond, entriesPerSecond, ...rest } = await part<Sustained>('run')
    const { delayMs, generations, checkpointAgeMsMax, cpu } = rest
    const deliveries = ((postsPerSecond * FOLLOWS) / 1e6).toFixed(2)
    const entries = (entriesPerSecond / 1e6).toFixed(2)
    return [
      {
        what: `Kafka -> applied -> checkpointed, posts in Cassandra, ${flags.seconds} s`,
        figure: `${Math.round(postsPerSecond).toLocaleString('en')} posts/s (${deliveries} M deliveries/s)`,
        goal: '>= 10,000',
        peer: cpu,
      },
      {
        what: `  inboxes of 100,000 readers: ${generations} generations`,
        figure: `${entries} M entries/s written`,
        goal: '',
        peer: `oldest checkpoint ${(checkpointAgeMsMax / 1_000).toFixed(0)} s`,
      },
      {
        what: '  event loop delay of the cell',
        figure: `p50 ${delayMs.p50.toFixed(1)} ms, p99 ${delayMs.p99.toFixed(1)}, max ${delayMs.max.toFixed(0)}`,
        goal: 'p99 < 25 ms',
        peer: '',
      },
    ]
  } finally {
    await dropNames(flags)
  }
}

async function seed(flags: BenchFlags, identity: KafkaLogIdentity): Promise<object> {
  const parts = await openParts(flags, identity)
  await seedCell(parts, { users: READERS, readers: READERS, windowPosts: 0, spanMs: 0 })
  await parts.close()
  return {}
}

async function run(flags: BenchFlags, identity: KafkaLogIdentity): Promise<Sustained> {
  const { engines, prefix, seconds } = flags
  const parts = await openParts(flags, identity)
  const firehose = new CountedFirehose(parts.ports.firehose)
  const placement = firstPlacement([BENCH_CELL], SLOTS_DEFAULT)
  const cell = new Cell(
    { ...parts.ports, firehose },
    { name: BENCH_CELL, boot: 2, placement, limits: CELL_LIMITS },
  )
  await cell.start()
  const topic = topicNames(prefix).public
  const load = new PostLoad({ kafka: engines.kafka, topic, users: READERS, aheadMax: AHEAD_MAX })
  const telling = setInterval(() => load.applied(firehose.applied), TELL_MS)
  const meter = new CpuMeter({
    cell: process.pid,
    load: load.pid,
    kafka: pidListeningOn(portOf(engines.kafka)),
    cassandra: pidListeningOn(portOf(engines.cassandra)),
    redis: pidListeningOn(engines.redis.port),
  })
  const delay = monitorEventLoopDelay({ resolution: 1 })
  let checkpointAgeMsMax = 0
  try {
    await running(cell, WARM_UP_SECONDS)
    const from = await checkpointed(cell)
    delay.enable()
    meter.start()
    const cpuFromMs = performance.now()
    while (performance.now() - cpuFromMs < seconds * 1_000) {
      await running(cell, Math.min(5, seconds))
      const { checkpointAgeMs = 0, eventsApplied, pendingPosts, generations } = await cell.status()
      checkpointAgeMsMax = Math.max(checkpointAgeMsMax, checkpointAgeMs)
      const took = (performance.now() - cpuFromMs) / 1_000
      const rate = Math.round((eventsApplied - from.events) / took)
      const state = `${pendingPosts} pending, ${generations} generations, ${meter.toString()}`
      console.error(`${took.toFixed(0)} s: ${rate} posts/s, ${state}`)
    }
    delay.disable()
    const { eventsApplied } = await cell.status()
    const cpu = `${meter.toString()}; a post: ${meter.each(eventsApplied - from.events)}`
    const to = await checkpointed(cell)
    const took = (to.atMs - from.atMs) / 1_000
    return {
      postsPerSecond: (to.events - from.events) / took,
      entriesPerSecond: (to.entries - from.entries) / took,
      generations: to.generations - from.generations,
      delayMs: {
        p50: delay.percentile(50) / 1e6,
        p99: delay.percentile(99) / 1e6,
        max: delay.max / 1e6,
      },
      checkpointAgeMsMax,
      cpu,
    }
  } finally {
    clearInterval(telling)
    await load.end()
    await cell.stop()
    await parts.close()
  }
}

/** A cell that fails ends the bench. */
async function running(cell: Cell, seconds: number): Promise<void> {
  const failure = await Promise.race([cell.failure, sleep(seconds * 1_000)])
  if (failure instanceof Error) throw failure
}

/** What has been applied when a checkpoint begins is durable when it ends. */
async function checkpointed(cell: Cell) {
  const { eventsApplied: events, entriesDelivered: entries, generations } = await cell.status()
  await cell.checkpoint()
  return { events, entries, generations, atMs: performance.now() }
}

if (isStarted(import.meta.url)) {
  const part = partAsked() as Part | undefined
  if (part === undefined) printTable(await bench())
  else {
    const flags = benchFlags({ seconds: SECONDS })
    await answerElsewhere(await (part.what === 'seed' ? seed : run)(flags, part.identity))
  }
}
