// Writes inboxes, late and in bulk: when a generation of the window is full, every reader's posts of it are gathered, sorted and
// packed into one chunk, slot by slot, in slices that leave the event loop to others. Then the window drops what every slot has.
//
//     row of the generation durable -> chunks of a slot durable -> reach of the slot durable -> counted in memory -> dropped
//
// A generation is left out by class only, never by id. A slot that cannot be written while the window is at its cap is uncovered
// first (durably): its readers' pages pull what the window drops.

import { ChunkEncoder } from '../model/chunk-encoder.ts'
import { GatheredPosts, type GenerationIndex } from '../model/generation.ts'
import { GenerationBuilder } from '../model/generation-builder.ts'
import { ID_EPOCH_MS, isAbove, postIdOf } from '../model/post-id.ts'
import { zeroPosition } from '../model/position.ts'
import type { NumberMap } from '../model/number-map.ts'
import { COVERED_FROM, NOT_COVERED, type Reader } from '../model/reader.ts'
import type { CellStore, Chunk, GenerationRow } from '../ports/cell-store.ts'
import type { Clock } from '../ports/clock.ts'
import { secondAbove } from './author-book.ts'
import type { CellState, Slot } from './cell-state.ts'
import type { Filling } from './filling.ts'
import type { NameBook } from './name-book.ts'
import { type Persistence, Stopped } from './persist.ts'
import type { Policy } from './policy.ts'
import type { PostBook } from './post-book.ts'
import { ReachWriter } from './reach-writer.ts'
import { Slices } from './slices.ts'

/** Generations of one boot are numbered above those of all boots before. */
const GENERATIONS_PER_BOOT = 2 ** 20
/** Chunks are placed by the month they were written in: 30 days. */
const MONTH_MS = 30 * 86_400_000
const AUTHORS_AT_ONCE = 2 ** 20
const BUILD_STEP = 20_000
const CHUNK_BATCH = 256
const EDGES_MEASURED = 32
const SLOTS_AT_ONCE = 32
const TRIES_BEFORE_UNCOVER = 5
const FILLS_AT_ONCE = 16

/** Authors, ascending. */
type Followed = Pick<NumberMap, 'keys' | 'size'>

/** What one pass writes: entries [from, end) of the window, and the position at which `end` was its head. */
type Pass = {
  readonly generation: GenerationRow
  readonly index: GenerationIndex
  readonly end: number
  readonly position: readonly number[]
  readonly floor: number
}

export class Delivery {
  readonly #state: CellState
  readonly #store: CellStore
  readonly #names: NameBook
  readonly #book: PostBook
  readonly #policy: Pick<Policy, 'decide'>
  readonly #filling: Pick<Filling, 'isWanted' | 'next'>
  readonly #persistence: Persistence
  readonly #lagEvents: () => Promise<number>
  readonly #clock: Clock
  readonly #monotonicMs: () => number
  readonly #boot: number
  readonly #signal: AbortSignal
  readonly #encoder = new ChunkEncoder()
  readonly #gathered = new GatheredPosts()
  #coveredKeys = new Uint32Array(1024)
  #isWindowFull = false
  /** Batches of chunks under way. */
  #puts = 0
  #generations = 0
  #running: Promise<void> = Promise.resolve()
  readonly #reached: ReachWriter
  /** One for all slots that are written at once, and from one slot to the next. */
  readonly #slices: Slices

  constructor(options: {
    state: CellState
    store: CellStore
    names: NameBook
    book: PostBook
    policy: Pick<Policy, 'decide'>
    filling: Pick<Filling, 'isWanted' | 'next'>
    persistence: Persistence
    lagEvents: () => Promise<number>
    clock: Clock
    monotonicMs: () => number
    boot: number
    signal: AbortSignal
  }) {
    this.#state = options.state
    this.#store = options.store
    this.#names = options.names
    this.#book = options.book
    this.#policy = options.policy
    this.#filling = options.filling
    this.#persistence = options.persistence
    this.#lagEvents = options.lagEvents
    this.#clock = options.clock
    this.#monotonicMs = options.monotonicMs
    this.#boot = options.boot
    this.#signal = options.signal
    const { clock, state, store, persistence, boot } = options
    this.#slices = new Slices(clock, state.limits.sliceMs)
    this.#reached = new ReachWriter({ table: store.readers, persistence, boot })
  }

  /** Writes a generation whenever one is full, by posts or by age, and fills inboxes between them, until the cell stops. */
  async run(): Promise<void> {
    const { generationPosts, generationMs } = this.#state.limits
    let lastMs = this.#clock.nowMs()
    while (!this.#signal.aborted) {
      await this.#clock.sleep(Math.min(1_000, generationMs), this.#signal)
      if (this.#filling.isWanted && !(await this.#comesLater())) await this.fill()
      const unwritten = this.#state.window.head - this.#state.leastReach()
      const isOld = this.#clock.nowMs() - lastMs >= generationMs && unwritten > 0
      if (unwritten < generationPosts && !isOld) continue
      if (await this.#comesLater()) continue
      await this.#policy.decide()
      await this.write()
      lastMs = this.#clock.nowMs()
    }
  }

  /**
   * Applying comes first, and with it watchers and whoever reads the newest: a cell that is behind writes inboxes when it has caught
   * up, or when half of the window's room is used.
   */
  async #comesLater(): Promise<boolean> {
    const { window, limits } = this.#state
    if (window.size >= limits.windowPostsMax / 2) return false
    return (await this.#lagEvents()) > limits.behindEvents
  }

  /** Resolves when the window has room for more posts. */
  async room(): Promise<void> {
    const { windowPostsMax, retryMs } = this.#state.limits
    while (this.#state.window.size >= windowPostsMax) {
      if (this.#signal.aborted) throw new Stopped('the cell is stopping')
      this.#isWindowFull = true
      await this.write()
      // Still full: reads hold on to it, or the posts' own rows are not durable yet.
      if (this.#state.window.size >= windowPostsMax) await this.#clock.sleep(retryMs, this.#signal)
    }
    this.#isWindowFull = false
  }

  /** Writes everything that the window holds and the inboxes lack, of all slots or of some. One pass at a time. */
  write(some?: readonly Slot[]): Promise<void> {
    return this.#inTurn(() => this.#write(some))
  }

  /** Fills the inboxes of some readers whose pages pulled much. Whoever waits to write has a turn between two. */
  async fill(): Promise<void> {
    for (let i = 0; i < FILLS_AT_ONCE && this.#filling.isWanted && !this.#signal.aborted; i++) {
      await this.#inTurn(() => this.#filling.next())
    }
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#running.then(work)
    this.#running = turn.catch(() => undefined)
    return turn
  }

  async #write(some?: readonly Slot[]): Promise<void> {
    const end = this.#state.window.head
    const position = [...this.#state.position]
    // Usually all slots stand at one place; one that could not be written before starts earlier.
    const bySeq = new Map<number, Slot[]>()
    for (const slot of some ?? this.#state.complete) {
      if (slot.isStandby) continue
      const from = Math.max(slot.reachSeq, this.#state.window.tail)
      if (from >= end) continue
      const standing = bySeq.get(from)
      if (standing === undefined) bySeq.set(from, [slot])
      else standing.push(slot)
    }
    for (const [from, slots] of bySeq) await this.#writeFrom(from, end, position, slots)
    await this.#drop()
  }

  async #writeFrom(
    from: number,
    end: number,
    position: readonly number[],
    slots: readonly Slot[],
  ): Promise<void> {
    const pin = this.#state.window.pin()
    try {
      const pass = await this.#begin(from, end, position)
      const left = slots.values()
      const workers = Array.from({ length: SLOTS_AT_ONCE }, () => this.#writeSlots(left, pass))
      await Promise.all(workers)
      await this.#reached.settled()
    } finally {
      this.#state.window.unpin(pin)
    }
  }

  /** Takes slot after slot from `slots`, which others take from too: the store has several to write at a time. */
  async #writeSlots(slots: Iterator<Slot>, pass: Pass): Promise<void> {
    for (let next = slots.next(); next.done !== true; next = slots.next()) {
      const slot = next.value
      // Nobody lives there: nothing to lack, now or after a restart.
      if (slot.readers.size === 0) slot.reachSeq = pass.end
      else if (await this.#writeSlot(slot, pass)) this.#reach(slot, pass, slot.floor)
      else if (this.#isWindowFull) this.#reach(slot, pass, Math.max(slot.floor, pass.floor))
    }
  }

  /** Sorts the posts of the generation and makes its row durable: no chunk before it. */
  async #begin(from: number, end: number, position: readonly number[]): Promise<Pass> {
    const { window, authors } = this.#state
    const length = end - from
    const posts = {
      hi: new Uint32Array(length),
      lo: new Uint32Array(length),
      authorReblog: new Uint32Array(length),
    }
    let count = 0
    let [minHi, minLo, maxHi, maxLo] = [0xffff_ffff, 0xffff_ffff, 0, 0]
    for (let seq = from; seq < end; seq++) {
      const entry = seq >>> 0
      const author = window.authorAt(entry)
      if (author === 0) continue
      const hi = window.hiAt(entry)
      const lo = window.loAt(entry)
      posts.hi[count] = hi
      posts.lo[count] = lo
      posts.authorReblog[count++] = author * 2 + (window.isReblogAt(entry) ? 1 : 0)
      if (isAbove(hi, lo, maxHi, maxLo)) {
        maxHi = hi
        maxLo = lo
      }
      if (isAbove(minHi, minLo, hi, lo)) {
        minHi = hi
        minLo = lo
      }
      if (seq % BUILD_STEP === 0) await this.#clock.yield()
    }
    const tieBreak = (a: number, b: number): number => this.#names.table.compareKeys(a, b)
    const builder = new GenerationBuilder({ posts, count, tieBreak, pulled: authors.leftOut })
    while (!builder.step(BUILD_STEP)) await this.#clock.yield()
    const generation = this.#boot * GENERATIONS_PER_BOOT + ++this.#generations
    const month = Math.max(0, Math.floor((this.#clock.nowMs() - ID_EPOCH_MS) / MONTH_MS))
    const minId = postIdOf(minHi, minLo)
    const row = { generation, month, minId, maxId: postIdOf(maxHi, maxLo) }
    await this.#names.flush()
    await this.#persistence.untilDurable(() => this.#store.inbox.putGeneration(row))
    this.#state.addGeneration(row)
    const index = builder.index
    return { generation: row, index, end, position, floor: secondAbove(maxHi, maxLo) }
  }

  /** False when the store refused chunks; what landed of them is written again, in a later generation. */
  async #writeSlot(slot: Slot, pass: Pass): Promise<boolean> {
    let chunks: Chunk[] = []
    let entries = 0
    for (const reader of slot.readers.values()) {
      while (this.#slices.isOver) await this.#slices.next()
      entries += this.#deliver(reader, pass, chunks)
      if (chunks.length < CHUNK_BATCH) continue
      if (!(await this.#putChunks(slot, pass, chunks))) return false
      chunks = []
    }
    if (chunks.length > 0 && !(await this.#putChunks(slot, pass, chunks))) return false
    this.#state.entriesDelivered += entries
    return true
  }

  /** Tries again with the same bytes: a chunk gathered anew could differ, and one of the two may land late. */
  async #putChunks(slot: Slot, pass: Pass, chunks: readonly Chunk[]): Promise<boolean> {
    // Of readers who came since the generation began.
    await this.#names.flush()
    const begunMs = this.#monotonicMs()
    const together = ++this.#puts
    const isDone = await this.#persistence
      .tryFor(TRIES_BEFORE_UNCOVER, () =>
        this.#store.inbox.putChunks(slot, pass.generation.month, chunks),
      )
      .finally(() => this.#puts--)
    const tookUs = ((this.#monotonicMs() - begunMs) * 1_000) / together
    this.#state.costs.note('chunkUs', chunks.length, tookUs)
    return isDone
  }

  /** Adds the reader's chunks and notes what they cost; answers how many entries they hold. */
  #deliver(reader: Reader, pass: Pass, chunks: Chunk[]): number {
    reader.edges.compact()
    // Who is left out is passed over before what is measured.
    const followed = reader.leavesOut ? this.#covered(reader.edges) : reader.edges
    const asked = followed.size
    const begunMs = this.#monotonicMs()
    const first = chunks.length
    const entries = this.#gather(reader, followed, pass, chunks)
    const tookUs = (this.#monotonicMs() - begunMs) * 1_000
    const { costs } = this.#state
    // Of few edges most is the reader's own.
    if (entries === 0) costs.note('edgeUs', asked >= EDGES_MEASURED ? asked : 0, tookUs)
    else if (tookUs > 0) costs.noteRest('entryUs', entries, tookUs - asked * costs.get('edgeUs'))
    let bytes = 0
    for (let i = first; i < chunks.length; i++) bytes += chunks[i]?.bytes.length ?? 0
    costs.note('entryBytes', entries, bytes)
    return entries
  }

  /** Of those of `followed`; answers how many entries. */
  #gather(reader: Reader, { keys, size }: Followed, pass: Pass, chunks: Chunk[]): number {
    const { index } = pass
    const gathered = this.#gathered
    const { chunkEntriesMax } = this.#state.limits
    let part = 0
    let entries = 0
    for (let first = 0; first < size; first += AUTHORS_AT_ONCE) {
      const authors = first === 0 ? keys : keys.subarray(first)
      const count = index.gather(authors, Math.min(size - first, AUTHORS_AT_ONCE), gathered)
      entries += count
      for (let from = 0; from < count; from += chunkEntriesMax) {
        const to = Math.min(count, from + chunkEntriesMax)
        const isWhole = from === 0 && to === count
        const bytes = isWhole
          ? index.encodeChunk(gathered, this.#encoder)
          : index.encodePart(gathered, { from, to }, this.#encoder)
        const { generation } = pass.generation
        chunks.push({ reader: reader.number, generation, part: part++, bytes })
      }
    }
    return entries
  }

  /** The authors who have coverage: the inbox goes without the others. */
  #covered({ keys, words, size }: NumberMap): Followed {
    if (this.#coveredKeys.length < size) this.#coveredKeys = new Uint32Array(2 * size)
    const covered = this.#coveredKeys
    let count = 0
    for (let i = 0; i < size; i++) {
      if (((words[i] as number) & COVERED_FROM) !== NOT_COVERED)
        covered[count++] = keys[i] as number
    }
    return { keys: covered, size: count }
  }

  /** From here on the slot's inboxes have everything before the end of the pass, or say from `floor` on that they do not. */
  #reach(slot: Slot, { position, end }: Pass, floor: number): void {
    this.#reached.note({ slot, position, floor, seq: end })
  }

  /** Drops what every slot has and what is more than the window keeps; never a post whose own row is not durable. */
  async #drop(): Promise<void> {
    const { window, limits } = this.#state
    const keptFrom =
      window.head -
      (this.#isWindowFull ? Math.floor(limits.windowPostsMax / 2) : limits.windowPostsKept)
    const wanted = Math.min(keptFrom, this.#state.leastReach(), this.#book.durableTo)
    if (wanted <= window.tail) return
    await this.#uncoverStandbys(wanted)
    // One may have come meanwhile.
    const end = Math.min(wanted, this.#state.leastKept())
    if (end <= window.tail) return
    window.drop(end)
    this.#state.marks.dropBefore(window.tail)
  }

  /** Says of slots without inboxes that everything before `end` has to be pulled, durably. What their rows name is nothing. */
  async #uncoverStandbys(end: number): Promise<void> {
    const { complete } = this.#state
    const standbys = complete.filter(({ isStandby, reachSeq }) => isStandby && reachSeq < end)
    const inhabited = standbys.filter(({ readers }) => readers.size > 0)
    if (inhabited.length > 0) await this.#uncover(inhabited, this.#floorBefore(end))
    for (const slot of standbys) slot.reachSeq = Math.max(slot.reachSeq, end)
  }

  /** The least floor that leaves out everything that is not in the window from `end` on. */
  #floorBefore(end: number): number {
    const { window } = this.#state
    let [maxHi, maxLo] = [window.droppedHi, window.droppedLo]
    for (let seq = window.tail; seq < end; seq++) {
      const [hi, lo] = [window.hiAt(seq >>> 0), window.loAt(seq >>> 0)]
      if (isAbove(hi, lo, maxHi, maxLo)) [maxHi, maxLo] = [hi, lo]
    }
    return secondAbove(maxHi, maxLo)
  }

  async #uncover(slots: readonly Slot[], least: number): Promise<void> {
    const position = zeroPosition(this.#state.position.length)
    for (const slot of slots) {
      const floor = Math.max(slot.floor, least)
      slot.floor = floor
      this.#reached.note({ slot, position, floor, seq: slot.reachSeq })
    }
    await this.#reached.settled()
  }
}
