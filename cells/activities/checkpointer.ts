// Takes checkpoints. The position is noted first, together with everything that must be exactly as of it; then what it stands for
// becomes durable, in any order but names before numbers; the checkpoint's own row comes last. A crash anywhere leaves the
// checkpoint before, and rows newer than it, which replay does not touch again.

import type { EventMemory } from '../model/event-memory.ts'
import type { PostId } from '../model/post-id.ts'
import { largerOf } from '../model/position.ts'
import { forgettableSecond, type Reader } from '../model/reader.ts'
import {
  type CheckpointPicture,
  encodeCheckpoint,
  encodeReader,
  encodeWindowRun,
  keptSlots,
} from '../model/rows.ts'
import type { CellStore, ReaderRow, WindowBlockName } from '../ports/cell-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { Applier } from './applier.ts'
import type { CellState } from './cell-state.ts'
import type { Claim } from './claim.ts'
import type { FollowerIndex } from './follower-index.ts'
import type { NameBook } from './name-book.ts'
import { type Persistence, Stopped } from './persist.ts'
import type { PostBook } from './post-book.ts'

/** An index block of the window: entries of [from, to). */
type KnownBlock = WindowBlockName & { readonly from: number; readonly to: number }

const BLOCK_ENTRIES_MIN = 4_096
const BLOCK_ENTRIES_MAX = 32_768
const READER_BATCH = 256
/** Between so many others have their turn. */
const READERS_AT_ONCE = 32
/** A store far away takes several at once in the time of one. */
const BATCHES_IN_FLIGHT = 8
const ERASE_BATCH = 512

export class Checkpointer {
  readonly #state: CellState
  readonly #store: CellStore
  readonly #memory: EventMemory
  readonly #names: NameBook
  readonly #book: PostBook
  readonly #followers: FollowerIndex
  readonly #applier: Applier
  readonly #persistence: Persistence
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #claim: Claim
  readonly #logId: string
  #count = 0
  #blocks: KnownBlock[] = []
  #running: Promise<void> = Promise.resolve()
  lastMs = 0
  eventsAtLast = 0

  constructor(options: {
    state: CellState
    store: CellStore
    memory: EventMemory
    names: NameBook
    book: PostBook
    followers: FollowerIndex
    applier: Applier
    persistence: Persistence
    clock: Clock
    signal: AbortSignal
    claim: Claim
    logId: string
  }) {
    this.#state = options.state
    this.#store = options.store
    this.#memory = options.memory
    this.#names = options.names
    this.#book = options.book
    this.#followers = options.followers
    this.#applier = options.applier
    this.#persistence = options.persistence
    this.#clock = options.clock
    this.#signal = options.signal
    this.#claim = options.claim
    this.#logId = options.logId
  }

  /** The blocks that recovery loaded the window from. */
  startWith(blocks: readonly KnownBlock[]): void {
    this.#blocks = [...blocks]
  }

  /** Since the newest checkpoint of this start; undefined before it. */
  get ageMs(): number | undefined {
    return this.lastMs === 0 ? undefined : this.#clock.nowMs() - this.lastMs
  }

  /** One after the other: a call while one runs takes another after it. */
  take(): Promise<void> {
    const turn = this.#running.then(() => this.#take())
    this.#running = turn.catch(() => undefined)
    return turn
  }

  async #take(): Promise<void> {
    const state = this.#state
    while (!this.#applier.isAtRest) {
      await this.#applier.rested(this.#signal)
      if (this.#signal.aborted) throw new Stopped('the cell is stopping')
    }
    // As of the position, all at once: nothing has awaited since the applier was seen at rest.
    const named = state.complete.filter(({ isNamed }) => isNamed)
    const position = [...state.position]
    const head = state.window.head
    const tail = state.window.tail
    const picture = {
      logId: this.#logId,
      position,
      lastEventIds: state.lastEventIds.map(String),
      memory: this.#memory.snapshot(),
      runningMaxMs: [...state.runningMaxMs],
      ...(state.rebuilt === undefined ? {} : { rebuilt: state.rebuilt }),
      kept: keptSlots(named),
      names: this.#names.kept,
    }
    state.marks.note(head, position)
    const greatest = state.authors.takeDirtyBlocks()
    const readers = state.dirtyReaders
    state.dirtyReaders = new Set()
    const { eventsSeen } = state
    const erasures = [...this.#applier.toErase]
    const posts = this.#book.settle()
    // Awaited below; what is written before may be the first to fail.
    posts.catch(() => undefined)

    await this.#names.flush()
    const blocks = await this.#writeWindow(tail, head, position)
    await this.#writeReaders(readers)
    await this.#writeGreatest(greatest)
    await posts
    for (const [user, key] of erasures) {
      await this.#erase(user)
      await this.#names.forget(user, key)
      this.#applier.toErase.delete(user)
    }
    const windowBlocks = blocks.map(({ boot, count }) => ({ boot, count }))
    // As of now: what was dropped before it was encoded is in no block.
    const { droppedHi, droppedLo } = state.window
    const { entriesDelivered } = state
    await this.#commit({ ...picture, windowBlocks, droppedHi, droppedLo, entriesDelivered })
    // A successor may have read the checkpoint before, and needs its blocks.
    await this.#claim.confirm()
    for (const slot of named) slot.isDurable = true
    const kept = new Set(blocks)
    const gone = this.#blocks.filter((block) => !kept.has(block))
    this.#blocks = blocks
    this.lastMs = this.#clock.nowMs()
    this.eventsAtLast = eventsSeen
    if (gone.length > 0) await this.#persistence.tryFor(1, () => this.#store.window.drop(gone))
  }

  /** Takes a deleted user's posts out of caches and store; their rows became durable before. */
  async #erase(user: number): Promise<void> {
    const { posts } = this.#store
    let below: PostId | undefined
    do {
      const { postIds } = await this.#persistence.untilDurable(() =>
        posts.idsBelow(user, below, ERASE_BATCH),
      )
      await this.#book.uncache(postIds.map((postId) => ({ author: user, postId })))
      below = postIds.length < ERASE_BATCH ? undefined : postIds.at(-1)
    } while (below !== undefined)
    await this.#persistence.untilDurable(() => posts.eraseAuthor(user))
  }

  #commit(picture: CheckpointPicture): Promise<void> {
    const version = this.#nextVersion()
    const bytes = encodeCheckpoint(picture)
    return this.#persistence.untilDurable(() => this.#store.checkpoints.put({ version, bytes }))
  }

  /** Index blocks for [tail, head): those there are, and new ones for what came since. A short last one is written anew. */
  async #writeWindow(tail: number, head: number, end: readonly number[]): Promise<KnownBlock[]> {
    const kept = this.#blocks.filter((block) => block.to > tail)
    const last = kept.at(-1)
    if (last !== undefined && last.to < head && last.to - last.from < BLOCK_ENTRIES_MIN) kept.pop()
    const fresh: KnownBlock[] = []
    let from = Math.max(tail, kept.at(-1)?.to ?? tail)
    while (from < head) {
      const to = Math.min(head, from + BLOCK_ENTRIES_MAX)
      const block = { boot: this.#claim.boot, count: ++this.#count, from, to }
      const bytes = this.#encodeBlock(block, end)
      await this.#persistence.untilDurable(() => this.#store.window.put([{ name: block, bytes }]))
      fresh.push(block)
      from = to
    }
    return [...kept, ...fresh]
  }

  #encodeBlock(block: KnownBlock, end: readonly number[]): Uint8Array {
    const { window } = this.#state
    const length = block.to - block.from
    const hi = new Uint32Array(length)
    const lo = new Uint32Array(length)
    const authorReblog = new Uint32Array(length)
    let used = 0
    for (let seq = Math.max(block.from, window.tail); seq < block.to; seq++) {
      const author = window.authorAt(seq >>> 0)
      if (author === 0) continue
      hi[used] = window.hiAt(seq >>> 0)
      lo[used] = window.loAt(seq >>> 0)
      authorReblog[used++] = author * 2 + (window.isReblogAt(seq >>> 0) ? 1 : 0)
    }
    return encodeWindowRun({
      end,
      hi: hi.subarray(0, used),
      lo: lo.subarray(0, used),
      authorReblog: authorReblog.subarray(0, used),
    })
  }

  /**
   * Each row reflects the position at which it is encoded, which it names. Whom it follows has to be in the lists of followers by
   * then: a replay passes over events that a row reflects, and records that are lost are not replayed at all.
   */
  async #writeReaders(readers: ReadonlySet<Reader>): Promise<void> {
    const forgetBefore = this.#forgettable()
    let batch: ReaderRow[] = []
    const inFlight: Promise<void>[] = []
    for (const reader of readers) {
      const slot = this.#state.slots.get(reader.slot)
      // On its way here: once it is complete all its readers are written.
      if (slot?.isComplete !== true || slot.readers.get(reader.number) !== reader) continue
      reader.forgetChanges(forgetBefore.edges, forgetBefore.hidden)
      const bytes = encodeReader(reader, largerOf(this.#state.position, slot.attachedFrom ?? []))
      const { number } = reader
      const version = this.#nextVersion()
      batch.push({ slot: slot.slot, term: slot.term, reader: number, version, bytes })
      if (batch.length % READERS_AT_ONCE === 0) await this.#clock.yield()
      if (batch.length < READER_BATCH) continue
      await this.#followers.flush()
      if (inFlight.length >= BATCHES_IN_FLIGHT) await inFlight.shift()
      const put = this.#putReaders(batch)
      // Awaited later; another one may fail first.
      put.catch(() => undefined)
      inFlight.push(put)
      batch = []
    }
    await this.#followers.flush()
    if (batch.length > 0) inFlight.push(this.#putReaders(batch))
    await Promise.all(inFlight)
  }

  /** Edges are decided by partitions of the public topic, hidden users by those of the private one. */
  #forgettable(): { readonly edges: number; readonly hidden: number } {
    const { runningMaxMs, limits } = this.#state
    const topic = runningMaxMs.length / 2
    const second = (times: readonly number[]): number =>
      forgettableSecond(Math.min(...times), limits.relationMemoryMs)
    return {
      edges: second(runningMaxMs.slice(0, topic)),
      hidden: second(runningMaxMs.slice(topic)),
    }
  }

  async #putReaders(rows: readonly ReaderRow[]): Promise<void> {
    await this.#names.flush()
    await this.#persistence.untilDurable(() => this.#store.readers.put(rows))
  }

  async #writeGreatest(dirty: readonly { block: number; bytes: Uint8Array }[]): Promise<void> {
    const blocks = dirty.map((block) => ({ ...block, version: this.#nextVersion() }))
    if (blocks.length > 0) {
      await this.#persistence.untilDurable(() => this.#store.authors.putGreatest(blocks))
    }
  }

  #nextVersion(): { boot: number; count: number } {
    return { boot: this.#claim.boot, count: ++this.#count }
  }
}
