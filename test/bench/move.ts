// How fast slots move to another cell on the embedded stores: 33,333 readers of 200 follows with 500 inbox entries each, from the moment
// that the target sees the move until it holds them durably; and one slot of some 100 readers. The verification is not in it, nor
// posts: both are as dear as the reads they make. Beside it: reading the same rows of the source without making anything of them.
//
//     node --max-old-space-size=8192 --import tsx test/bench/move.ts

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Cell } from '../../cells/activities/cell.ts'
import { CELL_LIMITS } from '../../cells/model/cell-limits.ts'
import { advance, planMove } from '../../cells/model/move.ts'
import {
  type Placement,
  SLOTS_DEFAULT,
  slotsIn,
  type SlotRun,
} from '../../cells/model/placement.ts'
import type { CellStore } from '../../cells/ports/cell-store.ts'
import type { SlotSource } from '../../cells/ports/slot-source.ts'
import { EmbeddedCellStore } from '../../infra/embedded/cell-store.ts'
import { MemoryBodyCache } from '../../infra/memory/body-cache.ts'
import { MemoryFirehose } from '../../infra/memory/firehose.ts'
import { MemoryPlacements } from '../../infra/memory/placements.ts'
import { monotonicMs, systemClock } from '../../infra/system/clock.ts'
import { addReader, BENCH_CELL, benchCell, fillWindow } from './bench-cell.ts'
import type { BenchRow } from './bench-row.ts'
import { threadCpuMs } from './cpu-time.ts'
import { different, drawFrom, uniform } from './draw.ts'
import { isStarted, printTable } from './print.ts'

const USERS = 100_000
const READERS = 33_333
const FOLLOWS = 200
const POSTS = 250_000
const SPAN_MS = 24 * 3_600_000
const TARGET = 'target'
/** Of 4,096 slots some 8 readers each: twelve of them hold about 100. */
const SMALL: readonly SlotRun[] = [{ first: 0, last: 11 }]
const LARGE: readonly SlotRun[] = [{ first: 12, last: SLOTS_DEFAULT - 1 }]

type Moved = { readonly wallMs: number; readonly cpuMs: number; readonly longestMs: number }

export async function bench(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'cellfeed-move-'))
  const firehose = new MemoryFirehose({ clock: systemClock, logId: 'bench' })
  const open = (name: string) =>
    EmbeddedCellStore.open({ path: join(folder, name), fsync: 'always' })
  const [source, store] = await Promise.all([open('source'), open(TARGET)])
  try {
    const from = await fillSource(source, firehose)
    const first: Placement = { ...from, cells: [BENCH_CELL, TARGET] }
    const moving = new MemoryPlacements(first)
    const read = { bytes: 0 }
    moving.addSource(BENCH_CELL, counted(source, read))
    const cache = new MemoryBodyCache({ bytesMax: 2 ** 20 })
    const ports = { firehose, store, cache, clock: systemClock, monotonicMs, moving }
    const options = { name: TARGET, boot: 2, placement: first, limits: CELL_LIMITS }
    const cell = new Cell(ports, options)
    await cell.start()
    const small = await move({ cell, moving, slots: SMALL })
    read.bytes = 0
    const large = await move({ cell, moving, slots: LARGE })
    const moved = read.bytes
    const alone = await readAlone(counted(source, read), read)
    const { readers, chunkBytes } = await cell.status()
    await cell.stop()
    const usersPerSecond = Math.round((readers * 1_000) / large.wallMs)
    return [
      {
        what: 'move: one slot’s worth of 100 readers, seen to durable',
        figure: `${small.wallMs.toFixed(0)} ms`,
        goal: '< 1 s with verification and cutover',
        peer: '',
      },
      {
        what: `move: ${readers} readers x ${FOLLOWS}, ${(chunkBytes / readers / 1_000).toFixed(1)} KB of inbox each`,
        figure: `${(large.wallMs / 1_000).toFixed(1)} s, ${usersPerSecond} readers/s (${(large.cpuMs / 1_000).toFixed(1)} s on a core)`,
        goal: '>= 5,000 readers/s',
        peer: `reading the rows alone: ${(alone.ms / 1_000).toFixed(1)} s`,
      },
      {
        what: 'move: bytes read of the source, per reader',
        figure: `${(moved / readers / 1_000).toFixed(1)} KB, ${(moved / alone.bytes).toFixed(2)}x`,
        goal: '<= 1.5x what its store holds',
        peer: `its rows and chunks, each once: ${(alone.bytes / readers / 1_000).toFixed(1)} KB`,
      },
      {
        what: 'move: longest time that the event loop was held',
        figure: `${large.longestMs.toFixed(0)} ms`,
        goal: '< 50 ms',
        peer: '',
      },
    ]
  } finally {
    await Promise.all([source.close(), store.close()])
    await rm(folder, { recursive: true })
  }
}

/** A source with readers and inboxes; answers its placement. */
async function fillSource(store: CellStore, firehose: MemoryFirehose): Promise<Placement> {
  const draw = drawFrom(7)
  const cell = await benchCell({ users: USERS, store, firehose })
  fillWindow(cell, POSTS, () => uniform(draw, USERS), SPAN_MS)
  cell.parts.book.startAt(cell.state.window.head)
  for (let number = 1; number <= READERS; number++) {
    cell.state.dirtyReaders.add(addReader(cell, number, different(draw, FOLLOWS, USERS, number)))
  }
  await cell.parts.delivery.write()
  await cell.parts.checkpointer.take()
  return cell.state.placement
}

/** From a placement that says `copying` until the target holds the slots durably. */
async function move(of: {
  readonly cell: Cell
  readonly moving: MemoryPlacements
  readonly slots: readonly SlotRun[]
}): Promise<Moved> {
  const { cell, moving, slots } = of
  const { placement, revision } = await moving.read()
  const planned = planMove(placement, { slots, to: TARGET }, Date.now())
  if ('refused' in planned) throw new Error(planned.refused)
  const id = planned.moves[0]?.id ?? 0
  const copying = advance(planned, id, { kind: 'prepared' }, Date.now())
  if ('refused' in copying) throw new Error(copying.refused)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const fromMs = performance.now()
  const cpuFromMs = threadCpuMs()
  await moving.replace(revision, copying)
  let term: number | undefined
  while (term === undefined) {
    await systemClock.sleep(1)
    const { arrived, failures } = await cell.slots()
    if (failures.length > 0) throw new Error(failures[0]?.detail)
    term = arrived.find((each) => each.move === id)?.term
  }
  const wallMs = performance.now() - fromMs
  const cpuMs = threadCpuMs() - cpuFromMs
  delay.disable()
  const over = { ...copying, moves: [] }
  const ranges = slots.map((run) => ({ ...run, cell: TARGET, term: term ?? 0 }))
  const rest = copying.ranges.filter(({ cell: owner }) => owner !== BENCH_CELL)
  const kept = slots === SMALL ? LARGE.map((run) => ({ ...run, cell: BENCH_CELL, term: 1 })) : []
  const next = [...rest, ...ranges, ...kept].sort((a, b) => a.first - b.first)
  const now = await moving.read()
  await moving.replace(now.revision, { ...over, epoch: copying.epoch + 1, ranges: next })
  return { wallMs, cpuMs, longestMs: delay.max / 1e6 }
}

/** Counts what is read of readers and chunks. */
function counted(source: CellStore, read: { bytes: number }): SlotSource {
  const add = (rows: readonly { readonly bytes: Uint8Array }[]) => {
    for (const { bytes } of rows) read.bytes += bytes.length
  }
  const { checkpoints, names, authors, readers, inbox } = source
  return {
    checkpoints,
    names,
    authors,
    readers: {
      reach: () => readers.reach(),
      async *ofSlot(at) {
        for await (const rows of readers.ofSlot(at)) {
          add(rows)
          yield rows
        }
      },
    },
    inbox: {
      generations: () => inbox.generations(),
      async *chunksOf(at, month) {
        for await (const chunks of inbox.chunksOf(at, month)) {
          add(chunks)
          yield chunks
        }
      },
    },
  }
}

/** All that the source holds of the readers that moved, each row and each chunk once. */
async function readAlone(
  source: SlotSource,
  read: { bytes: number },
): Promise<{ readonly ms: number; readonly bytes: number }> {
  read.bytes = 0
  const fromMs = performance.now()
  const months = new Set((await source.inbox.generations()).map(({ month }) => month))
  let rows = 0
  for (const slot of slotsIn(LARGE)) {
    for await (const found of source.readers.ofSlot({ slot, term: 1 })) rows += found.length
    for (const month of months) {
      for await (const found of source.inbox.chunksOf({ slot, term: 1 }, month))
        rows += found.length
    }
  }
  if (rows < READERS) throw new Error(`the source holds ${rows} rows`)
  return { ms: performance.now() - fromMs, bytes: read.bytes }
}

if (isStarted(import.meta.url)) printTable(await bench())
