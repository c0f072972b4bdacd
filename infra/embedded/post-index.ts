// The index of a cell's posts on LMDB, (author, id) -> value, kept as sorted runs so that no write is spread over a large
// tree. In one tree each new post would touch a leaf of its own: at 2 M posts that is a random page written for every post,
// and the disk's random writes (13,000 a second where it was measured) become the limit.
//
//     new ──> the open run: small, so that the posts of one commit share its few leaves
//                │ full: the next one is opened
//                v
//     16 runs of a level ──(merge, a slice in each commit)──> 1 run of the next level, appended; the 16 are removed
//
// An entry stands in one run and is replaced there. Ids grow with time, so runs hardly overlap in ids, and most lookups ask
// one run only: each run knows its least and greatest id.
//
//     open    u32 run | u32 author | u64 ~id  ->  value          level 0; runs before `openFrom` are garbage
//     merged  the same                                           runs that the catalog does not name are garbage
//     catalog `openFrom` and the merged runs, written when a merge ends
//
// While a merge runs its sources stay what counts; an entry that is replaced behind the merge's place is replaced in both. A
// merge that fails leaves garbage, and is begun again.

import type { PostId } from '../../cells/model/post-id.ts'
import type { PostKey } from '../../cells/ports/post-table.ts'
import type { Environment } from './environment.ts'
import { CommitFailed } from './group-commit.ts'
import { u32Key } from './keys.ts'
import { RunMerge } from './run-merge.ts'
import {
  entryKey,
  idOf,
  isWithin,
  keyAfter,
  keyInRun,
  type Run,
  runsIn,
  scanRun,
} from './sorted-run.ts'
import type { Entry, Table } from './table.ts'

export type PostIndexOptions = {
  readonly openRunEntriesMax?: number
  /** Runs of a level that are merged into one. */
  readonly fanIn?: number
}

export type IndexedPost = { readonly postId: PostId; readonly value: Buffer }

const OPEN_RUN_ENTRIES_MAX_DEFAULT = 4_096
const FAN_IN_DEFAULT = 16
/** So many merges behind, and writers wait. */
const MERGES_BEHIND_MAX = 4
const GARBAGE_PER_COMMIT = 2_000
const CATALOG_KEY = Buffer.from('post runs')

type Catalog = { readonly openFrom: number; readonly merged: readonly Run[] }

export class PostIndex {
  readonly #environment: Environment
  readonly #openTable: Table
  readonly #mergedTable: Table
  readonly #openRunEntriesMax: number
  readonly #fanIn: number
  /** Level 0, oldest first; the last takes the new entries. */
  #open: Run[]
  #merged: Run[]
  #nextMerged: number
  #merge: RunMerge | undefined
  /** One merge with its garbage. */
  #step: Promise<void> = Promise.resolve()
  #tending: Promise<void> | undefined
  #isClosing = false

  constructor(environment: Environment, options: PostIndexOptions = {}) {
    this.#environment = environment
    this.#openTable = environment.table('post index open')
    this.#mergedTable = environment.table('post index merged')
    this.#openRunEntriesMax = options.openRunEntriesMax ?? OPEN_RUN_ENTRIES_MAX_DEFAULT
    this.#fanIn = options.fanIn ?? FAN_IN_DEFAULT
    const { openFrom, merged } = this.#readCatalog()
    this.#open = runsIn(this.#openTable)
      .filter((number) => number >= openFrom)
      .map((number) => scanRun(this.#openTable, number))
    if (this.#open.length === 0) this.#open.push(emptyRun(this.#openTable, openFrom, 0))
    this.#merged = [...merged]
    this.#nextMerged = (runsIn(this.#mergedTable).at(-1) ?? 0) + 1
    this.#tend()
  }

  /** The committed value. */
  get({ author, postId }: PostKey): Buffer | undefined {
    for (const run of this.#runs()) {
      if (!isWithin(run, postId)) continue
      const value = run.table.get(entryKey(run.number, author, postId))
      if (value !== undefined) return value
    }
    return undefined
  }

  /** In a commit: the value as it will be. */
  latest(key: PostKey): Buffer | undefined {
    const run = this.#runOf(key)
    return run?.table.latest(entryKey(run.number, key.author, key.postId))
  }

  /** In a commit: adds or replaces. */
  put(key: PostKey, value: Buffer): void {
    const run = this.#runOf(key)
    if (run === undefined) {
      this.#add(key, value)
    } else {
      run.table.put(entryKey(run.number, key.author, key.postId), value)
      this.#merge?.replace(run, key, value)
    }
  }

  /** The author's committed entries with ids below `below`, newest first, those that count and at most `limit`. */
  below(
    author: number,
    below: PostId | undefined,
    limit: number,
    counts: (value: Buffer) => boolean,
  ): IndexedPost[] {
    let found: IndexedPost[] = []
    if (limit <= 0) return found
    for (const run of [...this.#runs()].sort(byGreatestId)) {
      const least = found[limit - 1]?.postId
      if (least !== undefined && run.maxId < least) break
      if (run.entries === 0 || (below !== undefined && run.minId >= below)) continue
      const inRun = entriesBelow(run, author, below, limit, counts)
      if (inRun.length === 0) continue
      found = [...found, ...inRun].sort(newestFirst).slice(0, limit)
    }
    return found
  }

  /** The next committed entries in order of author, an author's newest first; none only at the end. */
  after(place: PostKey | undefined, limit: number): (IndexedPost & PostKey)[] {
    const runs = this.#runs().filter((run) => run.entries > 0)
    const perRun = Math.ceil(limit / Math.max(1, runs.length)) + 1
    const found: Entry[] = []
    let end: Buffer | undefined
    for (const run of runs) {
      const start = place === undefined ? u32Key(run.number) : keyAfter(run.number, place)
      const range = { start, end: u32Key(run.number + 1), limit: perRun }
      const entries = Array.from(run.table.range(range), ({ key, value }) => {
        return { key: keyInRun(0, key), value }
      })
      found.push(...entries)
      // Beyond its last entry a run may hold more.
      const last = entries.length < perRun ? undefined : entries.at(-1)?.key
      if (last !== undefined && (end === undefined || last.compare(end) < 0)) end = last
    }
    return found
      .filter(({ key }) => end === undefined || key.compare(end) <= 0)
      .sort((a, b) => a.key.compare(b.key))
      .map(({ key, value }) => ({ author: key.readUInt32BE(4), postId: idOf(key), value }))
  }

  /** No fewer than there are. */
  get entriesMax(): number {
    return this.#runs().reduce((sum, { entries }) => sum + entries, 0)
  }

  /** Writers wait here while merging is far behind. */
  async room(): Promise<void> {
    const isBehind = () => this.#open.length > this.#fanIn * MERGES_BEHIND_MAX
    while (isBehind() && this.#tending !== undefined) await Promise.allSettled([this.#step])
  }

  /** Ends merging at the next slice; what is unfinished is begun again when the store is opened. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.#tending
  }

  #runs(): Run[] {
    return [...this.#open.toReversed(), ...this.#merged]
  }

  /** In a commit: the run that holds the entry. */
  #runOf({ author, postId }: PostKey): Run | undefined {
    const holds = (run: Run) =>
      isWithin(run, postId) && run.table.has(entryKey(run.number, author, postId))
    return this.#open.findLast(holds) ?? this.#merged.find(holds)
  }

  #add({ author, postId }: PostKey, value: Buffer): void {
    let run = this.#open.at(-1)
    if (run === undefined || run.entries >= this.#openRunEntriesMax) {
      run = emptyRun(this.#openTable, (run?.number ?? 0) + 1, 0)
      this.#open.push(run)
      this.#tend()
    }
    run.table.put(entryKey(run.number, author, postId), value)
    run.entries++
    if (postId < run.minId) run.minId = postId
    if (postId > run.maxId) run.maxId = postId
  }

  /** Starts merging and removing garbage, if there is any and it does not run yet. */
  #tend(): void {
    this.#tending ??= this.#tendAll().finally(() => {
      this.#tending = undefined
    })
  }

  /** A commit that fails ends it; the next run that fills starts it again. */
  async #tendAll(): Promise<void> {
    try {
      let due: Run[] | undefined = []
      while (due !== undefined) {
        this.#step = this.#tendStep(due)
        await this.#step
        due = this.#dueForMerge()
      }
    } catch (error) {
      this.#merge = undefined
      if (!(error instanceof CommitFailed)) throw error
    }
  }

  async #tendStep(due: readonly Run[]): Promise<void> {
    if (due.length > 0) await this.#mergeRuns(due)
    await this.#removeGarbage()
  }

  /** The oldest runs of the lowest level that has enough; never the open one. */
  #dueForMerge(): Run[] | undefined {
    if (this.#isClosing) return undefined
    const full = [...this.#open.slice(0, -1), ...this.#merged]
    const levels = [...new Set(full.map((run) => run.level))].sort((a, b) => a - b)
    const ofLevel = levels.map((level) => full.filter((run) => run.level === level))
    return ofLevel.find((runs) => runs.length >= this.#fanIn)?.slice(0, this.#fanIn)
  }

  async #mergeRuns(sources: readonly Run[]): Promise<void> {
    // The sources take no entries any more; after this commit all they took are there to be read.
    await this.#environment.commit(0, () => {})
    const level = (sources[0]?.level ?? 0) + 1
    const target = emptyRun(this.#mergedTable, this.#nextMerged++, level)
    const merge = new RunMerge(sources, target)
    this.#merge = merge
    while (!merge.isDone) {
      if (this.#isClosing) return
      await this.#environment.commit(0, () => merge.copySlice())
    }
    const isLeft = (run: Run) => !sources.includes(run)
    const merged = [...this.#merged.filter(isLeft), target]
    const openFrom = this.#open.find(isLeft)?.number ?? 0
    await this.#environment.commit(0, () => this.#writeCatalog({ openFrom, merged }))
    this.#open = this.#open.filter(isLeft)
    this.#merged = merged
    this.#merge = undefined
  }

  async #removeGarbage(): Promise<void> {
    const openFrom = this.#open[0]?.number ?? 0
    for (const run of runsIn(this.#openTable)) {
      if (run < openFrom) await this.#removeRun(this.#openTable, run)
    }
    for (const run of runsIn(this.#mergedTable)) {
      const isNamed = this.#merged.some(({ number }) => number === run)
      if (!isNamed) await this.#removeRun(this.#mergedTable, run)
    }
  }

  async #removeRun(table: Table, run: number): Promise<void> {
    const range = { start: u32Key(run), end: u32Key(run + 1), limit: GARBAGE_PER_COMMIT }
    for (let rows = keysIn(table, range); rows.length > 0; rows = keysIn(table, range)) {
      if (this.#isClosing) return
      const removed = rows
      await this.#environment.commit(0, () => {
        for (const key of removed) table.remove(key)
      })
    }
  }

  #readCatalog(): Catalog {
    const stored = this.#environment.meta.get(CATALOG_KEY)
    if (stored === undefined) return { openFrom: 1, merged: [] }
    const { openFrom, merged } = JSON.parse(stored.toString()) as StoredCatalog
    return {
      openFrom,
      merged: merged.map((run) => ({
        ...run,
        table: this.#mergedTable,
        minId: BigInt(run.minId) as PostId,
        maxId: BigInt(run.maxId) as PostId,
      })),
    }
  }

  #writeCatalog({ openFrom, merged }: Catalog): void {
    const stored: StoredCatalog = {
      openFrom,
      merged: merged.map(({ number, level, entries, minId, maxId }) => ({
        number,
        level,
        entries,
        minId: `${minId}`,
        maxId: `${maxId}`,
      })),
    }
    this.#environment.meta.put(CATALOG_KEY, Buffer.from(JSON.stringify(stored)))
  }
}

type StoredCatalog = {
  readonly openFrom: number
  readonly merged: readonly {
    readonly number: number
    readonly level: number
    readonly entries: number
    readonly minId: string
    readonly maxId: string
  }[]
}

function emptyRun(table: Table, number: number, level: number): Run {
  return { table, number, level, entries: 0, minId: ID_MAX, maxId: 0n as PostId }
}

const ID_MAX = ((1n << 64n) - 1n) as PostId

function keysIn(table: Table, range: Parameters<Table['range']>[0]): Buffer[] {
  return Array.from(table.range(range), ({ key }: Entry) => key)
}

function entriesBelow(
  run: Run,
  author: number,
  below: PostId | undefined,
  limit: number,
  counts: (value: Buffer) => boolean,
): IndexedPost[] {
  const end = u32Key(run.number, author + 1)
  const first = below === undefined ? undefined : ((below - 1n) as PostId)
  const start =
    first === undefined ? u32Key(run.number, author) : entryKey(run.number, author, first)
  const found: IndexedPost[] = []
  for (const { key, value } of run.table.range({ start, end })) {
    if (!counts(value)) continue
    found.push({ postId: idOf(key), value })
    if (found.length === limit) break
  }
  return found
}

function newestFirst(a: IndexedPost, b: IndexedPost): number {
  return a.postId > b.postId ? -1 : 1
}

function byGreatestId(a: Run, b: Run): number {
  if (a.maxId === b.maxId) return 0
  return a.maxId > b.maxId ? -1 : 1
}
