// Decides, before each generation, whose posts go into whose inboxes: tallies what the readers ask of each author, compares what
// delivering and pulling them costs, and changes the classes of those for whom the other one is cheaper by far; then does the same for
// each reader and author. What shrinks coverage is durable before it counts (author-book.ts, and a checkpoint for what readers' rows
// say), so that a change can come at any moment, also amid reads, moves and imports.

import { AuthorDemand } from '../model/author-demand.ts'
import type { Costs } from '../model/costs.ts'
import {
  type AuthorClass,
  type ClassFigures,
  classOf,
  costOf,
  type PairFigures,
  entryCostUs,
} from '../model/delivery-policy.ts'
import { EdgeClasses, type EdgeDemand, LEFT_OUT, ratePulled, STAYS } from '../model/edge-classes.ts'
import { secondOfHalves } from '../model/post-id.ts'
import { horizonOfEdges, pullShare } from '../model/pull-share.ts'
import { HIDE_REBLOGS, NOT_COVERED, type Reader } from '../model/reader.ts'
import type { PolicyStatus } from '../ports/cell-client.ts'
import type { Clock } from '../ports/clock.ts'
import type { AuthorBook } from './author-book.ts'
import type { CellState, Slot } from './cell-state.ts'
import type { NameBook } from './name-book.ts'
import { Stopped } from './persist.ts'
import type { ReaderClasses } from './reader-classes.ts'

const AUTHORS_PER_STEP = 4_096
const READERS_PER_STEP = 64
const CHANGES_AT_ONCE = 256
/** Where nobody posts: longer than anything is kept. */
const EVER_S = 1e9

type Sums = {
  delivered: number
  pulled: number
  entries: number
  deliverAllUs: number
  pullAllUs: number
  asDecidedUs: number
  edgesLeftOut: number
  heavy: number
}
/** Between two generations; and how far back the window reaches, halfway between them. */
type Spans = Pick<EdgeDemand, 'generationS' | 'windowS'>
type Change = ClassFigures & { readonly author: number }

export class Policy {
  readonly #state: CellState
  readonly #names: NameBook
  readonly #authors: AuthorBook
  readonly #checkpoint: () => Promise<void>
  readonly #clock: Clock
  readonly #classes: ReaderClasses
  readonly #signal: AbortSignal
  readonly #startMs: number
  #demand = new AuthorDemand()
  #spare = new AuthorDemand()
  /** Of those whose class changed not long ago. */
  readonly #changedMs = new Map<number, number>()
  /** By reader: seconds after the start; 0 when nothing was changed since. */
  #changedAtS = new Uint32Array(1024)
  #running: Promise<void> = Promise.resolve()
  #sums: Sums = NO_SUMS
  #readsPerS = 0
  /** As of the last decision. */
  #spans: Spans = { generationS: 0, windowS: 0 }
  #decidedAtMs: number | undefined
  /** The costs that the last decision rests on. */
  #decidedBy: Costs | undefined
  #changes = 0

  constructor(options: {
    state: CellState
    names: NameBook
    authors: AuthorBook
    /** Takes one that begins now. */
    checkpoint: () => Promise<void>
    classes: ReaderClasses
    clock: Clock
    signal: AbortSignal
  }) {
    this.#state = options.state
    this.#names = options.names
    this.#authors = options.authors
    this.#checkpoint = options.checkpoint
    this.#classes = options.classes
    this.#clock = options.clock
    this.#signal = options.signal
    this.#startMs = options.clock.nowMs()
  }

  get status(): PolicyStatus {
    const sums = this.#sums
    const decidedMs = this.#decidedAtMs
    return {
      authorsDelivered: sums.delivered,
      authorsPulled: this.#state.authors.pulledCount,
      classChanges: this.#changes,
      classesDecidedAgeMs: decidedMs === undefined ? undefined : this.#clock.nowMs() - decidedMs,
      entriesPerS: sums.entries,
      readsBelowWindowPerS: this.#readsPerS,
      costDeliverAllUs: sums.deliverAllUs,
      costPullAllUs: sums.pullAllUs,
      costAsDecidedUs: sums.asDecidedUs,
      pairsLeftOut: sums.edgesLeftOut,
      readersHeavy: sums.heavy,
    }
  }

  /** Why an author has its class; undefined before anything was decided. */
  figuresOf(author: number): ClassFigures | undefined {
    if (this.#decidedBy === undefined || author >= this.#demand.end) return undefined
    const demand = {
      postsPerS: this.#demand.postsPerSOf(author),
      followers: this.#demand.followersOf(author),
      pullsPerS: this.#demand.pullsPerSOf(author),
    }
    const leastUs = this.#demand.leastUsOf(author)
    return { ...demand, ...costOf(demand, this.#decidedBy, this.#state.limits.policy, leastUs) }
  }

  /** What one reader's way to an author's posts rests on: reads as of now, all else as of the last decision. */
  pairFiguresOf({ number, edges }: Reader, author: number): PairFigures | undefined {
    const costs = this.#decidedBy
    if (costs === undefined || author >= this.#demand.end) return undefined
    const { policy } = this.#state.limits
    const demand = this.#demand
    const postsPerS = demand.postsPerSOf(author)
    const readsPerS = this.#readsPerSAt(this.#clock.nowMs())(number)
    edges.compact()
    const horizonS = horizonOfEdges(edges, (each) => demand.postsPerSOf(each), this.#spans.windowS)
    const pullsPerS = readsPerS * pullShare(postsPerS, horizonS)
    const pair = { postsPerS, pullsPerS, followers: 1 }
    const { deliveredUs, pulledUs } = costOf(pair, costs, policy)
    return { postsPerS, readsPerS, pullsPerS, deliveredUs, pulledUs }
  }

  #spansAt(postsPerS: number): Spans {
    const { generationMs, generationPosts, windowPostsKept } = this.#state.limits
    const generationS = Math.min(generationMs / 1_000, generationPosts / postsPerS)
    return { generationS, windowS: Math.min(EVER_S, windowPostsKept / postsPerS + generationS / 2) }
  }

  /** Resolves when the classes are what they should be, durably. One at a time. */
  decide(): Promise<void> {
    const turn = this.#running.then(() => this.#decide())
    this.#running = turn.catch(() => undefined)
    return turn
  }

  async #decide(): Promise<void> {
    const nowMs = this.#clock.nowMs()
    const { authors, window } = this.#state
    authors.forgetRaisesBefore(secondOfHalves(window.droppedHi, window.droppedLo))
    this.#classes.decide(nowMs)
    await this.#tally(nowMs)
    const { sums, toPull, toDeliver } = await this.#weigh(nowMs)
    await this.#change(toDeliver, 'delivered', nowMs)
    const { pulledMax } = this.#state.limits.policy
    const room = Math.max(0, pulledMax - authors.pulledCount)
    // Those for whom it saves most.
    toPull.sort((a, b) => b.deliveredUs - b.pulledUs - (a.deliveredUs - a.pulledUs))
    await this.#change(toPull.slice(0, room), 'pulled', nowMs)
    for (const change of [...toDeliver, ...toPull.slice(room)]) addTo(sums, change, 'delivered')
    for (const change of toPull.slice(0, room)) addTo(sums, change, 'pulled')
    await this.#decidePairs(nowMs, sums)
    this.#sums = sums
    this.#decidedAtMs = nowMs
    this.#forgetChanges(nowMs)
  }

  async #tally(nowMs: number): Promise<void> {
    const { rates, limits, costs } = this.#state
    const { policy } = limits
    // What was decided before can be told until this is whole.
    const demand = this.#spare
    demand.clear(this.#names.end)
    const postsPerSOf = rates.postsPerSAt(nowMs)
    let sumPostsPerS = 0
    for (let author = 1; author < demand.end; author++) {
      if (author % AUTHORS_PER_STEP === 0) await this.#rest()
      const postsPerS = postsPerSOf(author)
      demand.setPosts(author, postsPerS)
      sumPostsPerS += postsPerS
    }
    const spans = this.#spansAt(sumPostsPerS)
    const cost = {
      entryUs: entryCostUs(costs.all, policy),
      pullUs: costs.get('pullUs') * policy.latencyWeight,
      windowS: spans.windowS,
    }
    const readsPerSOf = this.#readsPerSAt(nowMs)
    let sumPerS = 0
    await this.#eachReader((reader) => {
      const readsPerS = readsPerSOf(reader.number)
      reader.edges.compact()
      demand.add(reader.edges, readsPerS, cost)
      sumPerS += readsPerS
    })
    this.#spare = this.#demand
    this.#demand = demand
    this.#decidedBy = costs.all
    this.#readsPerS = sumPerS
    this.#spans = spans
  }

  #readsPerSAt(nowMs: number): (reader: number) => number {
    const { rates, limits, readers } = this.#state
    return rates.readsBelowWindowAt(nowMs, readers.size, limits.policy.priorReadMs)
  }

  /** Of all slots that inboxes are written of. */
  async #eachReader(visit: (reader: Reader, slot: Slot) => void): Promise<void> {
    let visited = 0
    for (const slot of this.#state.complete) {
      if (slot.isStandby) continue
      for (const reader of slot.readers.values()) {
        if (++visited % READERS_PER_STEP === 0) await this.#rest()
        visit(reader, slot)
      }
    }
  }

  /** For each reader and author: what is left out has no coverage any more, durably, before an inbox goes without it. */
  async #decidePairs(nowMs: number, sums: Sums): Promise<void> {
    const { costs, limits } = this.#state
    const readsPerSOf = this.#readsPerSAt(nowMs)
    const classes = new EdgeClasses(limits.policy, costs.all)
    const rates = await this.#ratesNow()
    const smaller: Reader[] = []
    await this.#eachReader((reader, slot) => {
      reader.edges.compact()
      const readsPerS = readsPerSOf(reader.number)
      const of = { rates, readsPerS, ...this.#spans }
      const { edges } = reader
      const readerClass = this.#classes.of(reader, slot, nowMs)
      const isDormant = readerClass === 'dormant'
      const changes = isDormant
        ? classes.leaveAll(edges, of)
        : this.#mayChange(reader, nowMs)
          ? classes.decide(edges, of)
          : classes.keep(edges, of)
      sums.entries += classes.entriesPerS
      sums.asDecidedUs += classes.costUs
      sums.deliverAllUs += classes.chunksOfAllUs
      sums.edgesLeftOut += classes.leftOut
      if (readerClass === 'heavy') sums.heavy++
      if (changes !== undefined) {
        this.#noteChanged(reader, nowMs)
        this.#changePairs(reader, changes)
      }
      if (reader.leavesOut || !reader.lacksCoverage) return
      // Also what an earlier process has left out: it may not have been the last to write the row.
      this.#state.noteChange(reader)
      smaller.push(reader)
    })
    if (smaller.length === 0) return
    await this.#checkpoint()
    for (const reader of smaller) reader.leavesOut = true
  }

  /** Of all authors, for the edges of one reader after another. */
  async #ratesNow(): Promise<Float32Array> {
    const { authors } = this.#state
    const demand = this.#demand
    const rates = new Float32Array(demand.end)
    for (let author = 1; author < rates.length; author++) {
      if (author % AUTHORS_PER_STEP === 0) await this.#rest()
      const postsPerS = demand.postsPerSOf(author)
      rates[author] = authors.isPulled(author) ? ratePulled(postsPerS) : postsPerS
    }
    return rates
  }

  /** Not again for a while; an operator's mode counts at once. */
  #mayChange({ number }: Reader, nowMs: number): boolean {
    const { mode, dwellMs } = this.#state.limits.policy
    const changedMs = this.#startMs + (this.#changedAtS[number] ?? 0) * 1_000
    return mode !== 'by-cost' || nowMs - changedMs >= dwellMs
  }

  #noteChanged({ number }: Reader, nowMs: number): void {
    if (number >= this.#changedAtS.length) {
      const grown = new Uint32Array(Math.max(2 * this.#changedAtS.length, number + 1))
      grown.set(this.#changedAtS)
      this.#changedAtS = grown
    }
    this.#changedAtS[number] = Math.max(0, Math.ceil((nowMs - this.#startMs) / 1_000))
  }

  #changePairs(reader: Reader, changes: Uint8Array): void {
    const { authors } = this.#state
    const { keys, words } = reader.edges
    for (let i = 0; i < changes.length; i++) {
      if (changes[i] === STAYS) continue
      const isLeftOut = changes[i] === LEFT_OUT
      // Until the row says so.
      if (isLeftOut) reader.leavesOut = false
      const covered = isLeftOut ? NOT_COVERED : authors.coverageAtLink(keys[i] as number)
      words[i] = (((words[i] as number) & HIDE_REBLOGS) | covered) >>> 0
    }
    this.#state.noteChange(reader)
  }

  async #weigh(nowMs: number): Promise<{ sums: Sums; toPull: Change[]; toDeliver: Change[] }> {
    const { authors, limits, rates } = this.#state
    const costs = this.#state.costs.all
    const postsPerSOf = rates.postsPerSAt(nowMs)
    const sums = { ...NO_SUMS }
    const toPull: Change[] = []
    const toDeliver: Change[] = []
    for (let author = 1; author < this.#demand.end; author++) {
      if (author % AUTHORS_PER_STEP === 0) await this.#rest()
      const postsPerS = postsPerSOf(author)
      const followers = this.#demand.followersOf(author)
      const isPulled = authors.isPulled(author)
      const isAsked = followers > 0 && !authors.isDeleted(author)
      if (!isAsked && isPulled) toDeliver.push({ author, ...NOTHING })
      if (!isAsked || (!isPulled && postsPerS === 0)) continue
      const demand = { postsPerS, followers, pullsPerS: this.#demand.pullsPerSOf(author) }
      const cost = costOf(demand, costs, limits.policy, this.#demand.leastUsOf(author))
      const now = isPulled ? 'pulled' : 'delivered'
      const stayedMs = nowMs - (this.#changedMs.get(author) ?? this.#startMs)
      const next = classOf(now, stayedMs, cost, limits.policy)
      const change = { author, ...demand, ...cost }
      if (next === now) addTo(sums, change, now)
      else (next === 'pulled' ? toPull : toDeliver).push(change)
    }
    return { sums, toPull, toDeliver }
  }

  async #change(changes: readonly Change[], to: AuthorClass, nowMs: number): Promise<void> {
    for (let from = 0; from < changes.length; from += CHANGES_AT_ONCE) {
      const authors = changes.slice(from, from + CHANGES_AT_ONCE).map(({ author }) => author)
      if (to === 'pulled') await this.#authors.pull(authors)
      else await this.#authors.deliver(authors)
      for (const author of authors) this.#changedMs.set(author, nowMs)
      this.#changes += authors.length
    }
  }

  /** A class that has been long enough needs no memory of when it began. */
  #forgetChanges(nowMs: number): void {
    const { dwellMs } = this.#state.limits.policy
    for (const [author, changedMs] of this.#changedMs) {
      if (nowMs - changedMs >= dwellMs && nowMs - this.#startMs >= dwellMs) {
        this.#changedMs.delete(author)
      }
    }
  }

  async #rest(): Promise<void> {
    await this.#clock.yield()
    if (this.#signal.aborted) throw new Stopped('the cell is stopping')
  }
}

const NO_SUMS: Sums = {
  delivered: 0,
  pulled: 0,
  entries: 0,
  deliverAllUs: 0,
  pullAllUs: 0,
  asDecidedUs: 0,
  edgesLeftOut: 0,
  heavy: 0,
}

const NOTHING: ClassFigures = {
  postsPerS: 0,
  followers: 0,
  pullsPerS: 0,
  deliveredUs: 0,
  pulledUs: 0,
  leastUs: 0,
}

function addTo(sums: Sums, of: ClassFigures, authorClass: AuthorClass): void {
  sums[authorClass]++
  sums.deliverAllUs += of.deliveredUs
  sums.pullAllUs += of.pulledUs
  // What is delivered is summed up pair by pair.
  if (authorClass === 'pulled') sums.asDecidedUs += of.pulledUs
}
