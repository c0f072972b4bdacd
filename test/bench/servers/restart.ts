// How long a cell on the real engines takes to serve after it was ended: 100,000 readers of 200 follows, a window of 2 M posts of
// 1 M authors, 100,000 events after its checkpoint. Every start is a process of its own, ended as a crash would end it.
//
//     node --max-old-space-size=8192 --import tsx test/bench/servers/restart.ts

import { Cell } from '../../../cells/activities/cell.ts'
import { CELL_LIMITS } from '../../../cells/model/cell-limits.ts'
import { firstPlacement, SLOTS_DEFAULT } from '../../../cells/model/placement.ts'
import { topicNames } from '../../../infra/kafka/kafka-options.ts'
import type { KafkaLogIdentity } from '../../../infra/kafka/log-identity.ts'
import { BENCH_CELL } from '../bench-cell.ts'
import type { BenchRow } from '../bench-row.ts'
import { threadCpuMs } from '../cpu-time.ts'
import { isStarted, printTable } from '../print.ts'
import { dropNames, makeNames, openParts, seedCell } from './cell-parts.ts'
import { CpuMeter, pidListeningOn } from '../cpu-meter.ts'
import { answerElsewhere, partAsked, runElsewhere } from './elsewhere.ts'
import { type BenchFlags, benchFlags, flagsOf } from './engines.ts'
import { READERS } from './follow-graph.ts'
import { portOf } from './peer-run.ts'
import { PostLoad } from './post-load.ts'

const USERS = 1_000_000
const POSTS = 2_000_000
const EVENTS = 100_000
const SPAN_MS = 24 * 3_600_000
const STARTS = 3
const SECONDS = 0

type Part = {
  readonly identity: KafkaLogIdentity
  readonly what: 'seed' | 'start' | 'rows'
  readonly boot: number
}
type Took = { readonly wallMs: number; readonly coreMs: number; readonly cpu: string }

export async function bench(): Promise<BenchRow[]> {
  const flags = benchFlags({ seconds: SECONDS })
  const identity = await makeNames(flags)
  const part = (what: Part['what'], boot: number) =>
    runElsewhere<Took>(import.meta.url, { identity, what, boot } satisfies Part, flagsOf(flags))
  try {
    await part('seed', 1)
    await events(flags)
    const starts: Took[] = []
    for (let i = 0; i < STARTS; i++) starts.push(await part('start', 2 + i))
    const rows = await part('rows', 0)
    const inSeconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`
    const best = starts.reduce((a, b) => (b.wallMs < a.wallMs ? b : a))
    const all = starts.map(({ wallMs }) => inSeconds(wallMs)).join(', ')
    return [
      {
        what: `restart: 100,000 readers x 200, 2 M posts, ${EVENTS.toLocaleString('en')} events to replay`,
        figure: `${inSeconds(best.wallMs)} (${inSeconds(best.coreMs)} on a core; all: ${all})`,
        goal: '< 10 s',
        peer: best.cpu,
      },
      {
        what: '  reading names and readers alone',
        figure: inSeconds(rows.wallMs),
        goal: '',
        peer: rows.cpu,
      },
    ]
  } finally {
    await dropNames(flags)
  }
}

async function events({ engines, prefix }: BenchFlags): Promise<void> {
  const topic = topicNames(prefix).public
  const load = { kafka: engines.kafka, topic, users: USERS, aheadMax: EVENTS, postsMax: EVENTS }
  await new PostLoad(load).ended
}

async function run(flags: BenchFlags, { identity, what, boot }: Part): Promise<Took> {
  const { engines } = flags
  const meter = new CpuMeter({
    cell: process.pid,
    kafka: pidListeningOn(portOf(engines.kafka)),
    cassandra: pidListeningOn(portOf(engines.cassandra)),
  })
  const fromMs = performance.now()
  const cpuFromMs = threadCpuMs()
  const parts = await openParts(flags, identity)
  if (what === 'seed') {
    const seed = { users: USERS, readers: READERS, windowPosts: POSTS, spanMs: SPAN_MS }
    await seedCell(parts, seed)
  } else if (what === 'start') {
    await start(parts.ports, boot)
  } else {
    await readRows(parts.ports)
  }
  const wallMs = performance.now() - fromMs
  return { wallMs, coreMs: threadCpuMs() - cpuFromMs, cpu: meter.toString() }
}

type Ports = Awaited<ReturnType<typeof openParts>>['ports']

async function start(ports: Ports, boot: number): Promise<void> {
  const placement = firstPlacement([BENCH_CELL], SLOTS_DEFAULT)
  // It must not begin to write a checkpoint of its own, or the next start would find less to do.
  const limits = { ...CELL_LIMITS, checkpointMs: 3_600_000, checkpointEvents: 10 * EVENTS }
  const cell = new Cell(ports, { name: BENCH_CELL, boot, placement, limits })
  await cell.start()
  const { readers, windowPosts, eventsApplied } = await cell.status()
  if (readers < READERS || windowPosts < POSTS || eventsApplied !== EVENTS) {
    throw new Error(`serves ${readers} readers, ${windowPosts} posts, ${eventsApplied} events`)
  }
}

/** What bounds a start from below. */
async function readRows({ store }: Ports): Promise<void> {
  let rows = 0
  for await (const batch of store.names.all()) rows += batch.length
  for (let slot = 0; slot < SLOTS_DEFAULT; slot++) {
    for await (const batch of store.readers.ofSlot({ slot, term: 1 })) rows += batch.length
  }
  if (rows < USERS + READERS) throw new Error(`${rows} rows`)
}

if (isStarted(import.meta.url)) {
  const part = partAsked() as Part | undefined
  if (part === undefined) printTable(await bench())
  else await answerElsewhere(await run(benchFlags({ seconds: SECONDS }), part))
}
