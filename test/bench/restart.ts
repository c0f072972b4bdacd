// How long a cell on the embedded stores takes to serve after it was ended: 100,000 readers of 200 follows, a window of 2 M posts of
// 1 M authors, 100,000 events after its checkpoint. The folder is made by one process (its checkpoint is a real one) and opened
// by another; the files are still in the system's cache, as after a crash of the process. Beside it: reading the same rows.
//
//     node --max-old-space-size=8192 --import tsx test/bench/restart.ts

import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Cell } from '../../cells/activities/cell.ts'
import { CELL_LIMITS } from '../../cells/model/cell-limits.ts'
import { IdAllocator } from '../../cells/model/id-allocator.ts'
import { firstPlacement, SLOTS_DEFAULT } from '../../cells/model/placement.ts'
import type { EventId, PostId } from '../../cells/model/post-id.ts'
import { encodeReach } from '../../cells/model/rows.ts'
import { userRef } from '../../cells/model/user-key.ts'
import type { ProducedEvent } from '../../cells/ports/firehose.ts'
import { EmbeddedCellStore } from '../../infra/embedded/cell-store.ts'
import { EmbeddedFirehose } from '../../infra/embedded/firehose.ts'
import { MemoryBodyCache } from '../../infra/memory/body-cache.ts'
import { MemoryPlacements } from '../../infra/memory/placements.ts'
import { monotonicMs, systemClock } from '../../infra/system/clock.ts'
import { addReader, BENCH_CELL, benchCell, fillWindow } from './bench-cell.ts'
import type { BenchRow } from './bench-row.ts'
import { threadCpuMs } from './cpu-time.ts'
import { type Draw, different, drawFrom, uniform } from './draw.ts'
import { isStarted, printTable } from './print.ts'

const USERS = 1_000_000
const READERS = 100_000
const FOLLOWS = 200
const POSTS = 2_000_000
const EVENTS = 100_000
const EVENTS_AT_ONCE = 5_000
const SPAN_MS = 24 * 3_600_000
const STARTS = 3

type Started = {
  /** Until it serves, on the wall: opening the stores, and Cell.start. */
  readonly wallMs: number
  /** Time of the main thread on a core for the same. */
  readonly cpuMs: number
  /** Reading every row that a start reads, without making anything of it. */
  readonly rowsMs: number
  readonly replayed: number
}

export async function bench(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cellfeed-restart-'))
  try {
    await prepare(folder)
    let best: Started | undefined
    for (let i = 0; i < STARTS; i++) {
      const started = await startElsewhere(folder)
      if (best === undefined || started.wallMs < best.wallMs) best = started
    }
    if (best === undefined) return []
    const { wallMs, cpuMs, rowsMs, replayed } = best
    return [
      {
        what: `restart: 100,000 readers x 200, 2 M posts, ${replayed} events to replay`,
        figure: `${(wallMs / 1_000).toFixed(1)} s (${(cpuMs / 1_000).toFixed(1)} s on a core)`,
        goal: '< 5 s',
        peer: `reading the stored rows alone: ${(rowsMs / 1_000).toFixed(1)} s`,
      },
    ]
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function prepare(folder: string): Promise<void> {
  const firehose = await openFirehose(folder, 'never')
  const store = await EmbeddedCellStore.open({ path: join(folder, 'cell'), fsync: 'never' })
  const draw = drawFrom(7)
  const limits = { windowPostsMax: 2 * POSTS }
  const cell = await benchCell({ users: USERS, limits, store, firehose })
  fillWindow(cell, POSTS, () => uniform(draw, USERS), SPAN_MS)
  cell.parts.book.startAt(cell.state.window.head)
  for (let number = 1; number <= READERS; number++) {
    cell.state.dirtyReaders.add(addReader(cell, number, different(draw, FOLLOWS, USERS, number)))
  }
  await cell.parts.checkpointer.take()
  const bytes = encodeReach({ floor: 0, position: cell.state.position })
  const version = { boot: 1, count: 1 }
  const slots = [...cell.state.slots.values()]
  await store.readers.putReach(slots.map(({ slot, term }) => ({ slot, term, version, bytes })))
  await appendEvents(firehose, draw)
  await firehose.close()
  await store.close()
}

/** Nine posts to a follow. */
async function appendEvents(firehose: EmbeddedFirehose, draw: Draw): Promise<void> {
  const ids = new IdAllocator(1)
  const someone = (count: number) => userRef(`user-${uniform(draw, count)}`)
  for (let made = 0; made < EVENTS; made += EVENTS_AT_ONCE) {
    const events = Array.from({ length: EVENTS_AT_ONCE }, (_, i): ProducedEvent => {
      const id = ids.allocate(Date.now()) as EventId
      const author = someone(USERS)
      if (i % 10 === 0) {
        const user = someone(READERS)
        const fact = { user, author, hideReblogs: false, asOfMs: undefined }
        return { id, fact: { kind: 'followed', ...fact } }
      }
      const postId = ids.allocate(Date.now()) as PostId
      const body = { head: new Uint8Array(60), content: new Uint8Array(140) }
      const fact = { author, postId, ...body, reblogOf: undefined, audience: 'public' as const }
      return { id, fact: { kind: 'post-created', ...fact } }
    })
    await firehose.append(events)
  }
}

/** In a process of its own, which is ended as a crash would end it: nothing is written at the end. */
async function startElsewhere(folder: string): Promise<Started> {
  const execArgv = ['--import', 'tsx', '--max-old-space-size=8192']
  const child = fork(fileURLToPath(import.meta.url), ['start', folder], { execArgv })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const started = await new Promise<Started>((resolve, reject) => {
    child.once('message', (message) => resolve(message as Started))
    child.once('exit', (code) => reject(new Error(`the cell ended with code ${code}`)))
  })
  child.kill('SIGKILL')
  await ended
  return started
}

async function start(folder: string): Promise<Started> {
  const rowsMs = await readRows(folder)
  const fromMs = performance.now()
  const cpuFromMs = threadCpuMs()
  const firehose = await openFirehose(folder, 'always')
  const store = await EmbeddedCellStore.open({ path: join(folder, 'cell') })
  const cache = new MemoryBodyCache({ bytesMax: 2 ** 24 })
  const placement = firstPlacement([BENCH_CELL], SLOTS_DEFAULT)
  const moving = new MemoryPlacements(placement)
  const ports = { firehose, store, cache, clock: systemClock, monotonicMs, moving }
  // It must not begin to write a checkpoint of its own, or the next start would find less to do.
  const limits = { ...CELL_LIMITS, checkpointMs: 3_600_000, checkpointEvents: 10 * EVENTS }
  const cell = new Cell(ports, { name: BENCH_CELL, boot: 2, placement, limits })
  await cell.start()
  const wallMs = performance.now() - fromMs
  const cpuMs = threadCpuMs() - cpuFromMs
  const { readers, windowPosts, eventsApplied } = await cell.status()
  if (readers < READERS || windowPosts < POSTS || eventsApplied !== EVENTS) {
    throw new Error(`serves ${readers} readers, ${windowPosts} posts, ${eventsApplied} events`)
  }
  return { wallMs, cpuMs, rowsMs, replayed: eventsApplied }
}

/** What bounds a start from below. */
async function readRows(folder: string): Promise<number> {
  const fromMs = performance.now()
  const store = await EmbeddedCellStore.open({ path: join(folder, 'cell') })
  let rows = 0
  for await (const batch of store.names.all()) rows += batch.length
  for (let slot = 0; slot < SLOTS_DEFAULT; slot++) {
    for await (const batch of store.readers.ofSlot({ slot, term: 1 })) rows += batch.length
  }
  if (rows !== USERS + READERS) throw new Error(`${rows} rows`)
  await store.close()
  return performance.now() - fromMs
}

function openFirehose(folder: string, fsync: 'always' | 'never'): Promise<EmbeddedFirehose> {
  return EmbeddedFirehose.open({ path: join(folder, 'firehose'), clock: systemClock, fsync })
}

if (isStarted(import.meta.url)) {
  const [, , command, folder] = process.argv
  if (command === 'start' && folder !== undefined) process.send?.(await start(folder))
  else printTable(await bench())
}
