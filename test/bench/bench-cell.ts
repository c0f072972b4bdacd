// A cell in memory for benches: the real state and activities on ports that do nothing slow. Its parts can be reached one by one,
// so that a bench measures an activity and not the loops around it.

import type { CellOptions, CellPorts } from '../../cells/activities/cell.ts'
import { type CellParts, partsOf } from '../../cells/activities/cell-parts.ts'
import { CellState } from '../../cells/activities/cell-state.ts'
import { Claim } from '../../cells/activities/claim.ts'
import { NameBook } from '../../cells/activities/name-book.ts'
import { Persistence } from '../../cells/activities/persist.ts'
import { CELL_LIMITS, type CellLimits } from '../../cells/model/cell-limits.ts'
import { EventMemory } from '../../cells/model/event-memory.ts'
import { NumberMap } from '../../cells/model/number-map.ts'
import { firstPlacement, SLOTS_DEFAULT, slotOf, slotsOf } from '../../cells/model/placement.ts'
import { ID_EPOCH_MS, postIdOf } from '../../cells/model/post-id.ts'
import { Reader } from '../../cells/model/reader.ts'
import { type UserRef, userRef } from '../../cells/model/user-key.ts'
import type { CellStore, NameTable } from '../../cells/ports/cell-store.ts'
import type { Firehose } from '../../cells/ports/firehose.ts'
import type { PostBody, PostTable } from '../../cells/ports/post-table.ts'
import { MemoryBodyCache } from '../../infra/memory/body-cache.ts'
import { MemoryCellStore } from '../../infra/memory/cell-store.ts'
import { MemoryFirehose } from '../../infra/memory/firehose.ts'
import { MemoryPlacements } from '../../infra/memory/placements.ts'
import { monotonicMs, systemClock } from '../../infra/system/clock.ts'

export const BENCH_CELL = 'bench'
/** When the newest posts of all benches were made. */
export const NEWEST_MS = Date.UTC(2026, 10, 21)
export const NEVER = new AbortController().signal

export type BenchCell = {
  readonly state: CellState
  readonly names: NameBook
  readonly parts: CellParts
  /** Users by number: user n has number n. */
  readonly users: readonly UserRef[]
}

/** Takes posts and has none: what is written behind costs nothing here. */
const forgetfulPosts: PostTable = {
  put: async () => {},
  get: async (keys) => keys.map(() => undefined),
  idsBelow: async () => ({ postIds: [], reblogs: [] }),
  allPosts: () => none(),
  eraseAuthor: async () => {},
}

const forgetfulNames: NameTable = {
  reserve: async () => {},
  reservedEnd: async () => 1,
  put: async () => {},
  all: () => none(),
  get: async (numbers) => numbers.map(() => undefined),
}

async function* none(): AsyncGenerator<never> {}

/** A store that keeps nothing of what a bench writes in bulk. */
export function forgetfulStore(): CellStore {
  const { inbox, readers, followers, authors, window, checkpoints } = new MemoryCellStore()
  const posts = forgetfulPosts
  const names = forgetfulNames
  return { posts, inbox, readers, followers, authors, names, window, checkpoints }
}

/** A cell that owns all slots and knows users 1 .. `users`. */
export async function benchCell(options: {
  readonly users: number
  readonly limits?: Partial<CellLimits>
  readonly store?: CellStore
  readonly firehose?: Firehose
}): Promise<BenchCell> {
  const limits = { ...CELL_LIMITS, ...options.limits }
  const cell = BENCH_CELL
  const placement = firstPlacement([cell], SLOTS_DEFAULT)
  const ports: CellPorts = {
    firehose: options.firehose ?? new MemoryFirehose({ clock: systemClock, logId: 'bench' }),
    store: options.store ?? forgetfulStore(),
    cache: new MemoryBodyCache({ bytesMax: 2 ** 20 }),
    clock: systemClock,
    monotonicMs,
    moving: new MemoryPlacements(placement),
  }
  const cellOptions: CellOptions = { name: cell, boot: 1, placement, limits }
  const partitions = ports.firehose.identity.partitionsPerTopic * 2
  const state = new CellState({ cell, placement, limits, partitions, nowMs: NEWEST_MS })
  for (const slot of slotsOf(placement, cell)) state.keep(slot)
  const signal = NEVER
  const persistence = new Persistence({ clock: systemClock, limits, signal })
  const claim = new Claim({ boot: cellOptions.boot, table: ports.store.checkpoints, persistence })
  const names = new NameBook({
    table: ports.store.names,
    persistence,
    claim,
    makeRoom: (end) => state.authors.reserve(end),
  })
  await names.reserve(options.users + 1)
  const users = Array.from({ length: options.users + 1 }, (_, number) => userRef(`user-${number}`))
  for (const user of users.slice(1)) names.numberOf(user)
  await names.flush()
  const memory = new EventMemory({ partitions, repeatWindowMs: limits.repeatWindowMs })
  const parts = partsOf({
    state,
    ports,
    options: cellOptions,
    names,
    persistence,
    claim,
    signal,
    recovered: { memory, blocks: [] },
    lagEvents: () => Promise.resolve(0),
  })
  return { state, names, parts, users }
}

/** Makes the user a reader who follows the authors (ascending), and themselves, covered from a second on. */
export function addReader(
  { state, users }: Pick<BenchCell, 'state' | 'users'>,
  number: number,
  authors: Uint32Array,
  coverage = 0,
): Reader {
  const user = users[number]
  if (user === undefined) throw new RangeError(`there is no user ${number}`)
  const words = new Uint32Array(authors.length).fill(coverage)
  const reader = new Reader({
    number,
    slot: slotOf(user.key, SLOTS_DEFAULT),
    edges: new NumberMap(authors, words),
  })
  reader.linkSelf(coverage)
  reader.edges.compact()
  state.addReader(reader)
  return reader
}

/** Fills the window with posts spread evenly over `spanMs` up to NEWEST_MS, straight: without events or bodies. */
export function fillWindow(
  { state }: Pick<BenchCell, 'state'>,
  posts: number,
  drawAuthor: () => number,
  spanMs: number,
): void {
  const { window, authors } = state
  const firstMs = NEWEST_MS - ID_EPOCH_MS - spanMs
  let lastMs = 0
  let sequence = 0
  for (let i = 0; i < posts; i++) {
    const ms = firstMs + Math.floor((i / posts) * spanMs)
    // From 0 in each millisecond, as the allocator does.
    sequence = ms === lastMs ? sequence + 1 : 0
    lastMs = ms
    const hi = Math.floor(ms / 1024)
    const lo = (((ms % 1024) << 22) | ((i % 8) << 12) | sequence) >>> 0
    const author = drawAuthor()
    authors.noteId(author, hi, lo)
    window.insert(author, hi, lo, false)
  }
}

/** One body for all posts, so that ten million fit. */
export const SHARED_BODY: PostBody = {
  head: new Uint8Array(60),
  content: new Uint8Array(140),
  followersOnly: false,
  reblogOf: undefined,
}

/** Gives the newest posts of the window their rows. Of older ones the book says that they are durable. */
export function holdBodies({ state, parts }: BenchCell, posts: number): void {
  const { window } = state
  const first = window.head - posts
  parts.book.startAt(first)
  for (let seq = first; seq < window.head; seq++) {
    const entry = seq >>> 0
    const author = window.authorAt(entry)
    const postId = postIdOf(window.hiAt(entry), window.loAt(entry))
    parts.book.append({ author, postId, version: seq, createdOffset: seq, body: SHARED_BODY })
  }
}
