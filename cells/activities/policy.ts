// Decides, before each generation, which authors' posts go into inboxes: tallies what the readers ask of each author, compares what
// delivering and pulling them costs, and changes the classes of those for whom the other one is cheaper by far. What shrinks coverage
// is durable before it counts (author-book.ts), so that a change can come at any moment, also amid reads, moves and imports.

import { AuthorDemand } from '../model/author-demand.ts'
import { type AuthorClass, type ClassFigures, classOf, costOf } from '../model/delivery-policy.ts'
import { secondOfHalves } from '../model/post-id.ts'
import type { PolicyStatus } from '../ports/cell-client.ts'
import type { Clock } from '../ports/clock.ts'
import type { AuthorBook } from './author-book.ts'
import type { CellState } from './cell-state.ts'
import type { NameBook } from './name-book.ts'
import { Stopped } from './persist.ts'

const AUTHORS_PER_STEP = 4_096
const READERS_PER_STEP = 64
const CHANGES_AT_ONCE = 256

type Sums = {
  delivered: number
  pulled: number
  entries: number
  deliverAllUs: number
  pullAllUs: number
  asDecidedUs: number
}
type Change = ClassFigures & { readonly author: number }

export class Policy {
  readonly #state: CellState
  readonly #names: NameBook
  readonly #authors: AuthorBook
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #startMs: number
  #demand = new AuthorDemand()
  #spare = new AuthorDemand()
  /** Of those whose class changed not long ago. */
  readonly #changedMs = new Map<number, number>()
  #running: Promise<void> = Promise.resolve()
  #sums: Sums = NO_SUMS
  #readsPerS = 0
  #decidedAtMs: number | undefined
  #changes = 0

  constructor(options: {
    state: CellState
    names: NameBook
    authors: AuthorBook
    clock: Clock
    signal: AbortSignal
  }) {
    this.#state = options.state
    this.#names = options.names
    this.#authors = options.authors
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
    }
  }

  /** Why an author has its class; undefined before anything was decided. */
  figuresOf(author: number): ClassFigures | undefined {
    if (this.#decidedAtMs === undefined) return undefined
    const { costs, limits, rates } = this.#state
    const demand = {
      postsPerS: rates.postsPerSAt(this.#clock.nowMs())(author),
      followers: this.#demand.followersOf(author),
      readsPerS: this.#demand.readsPerSOf(author),
    }
    return { ...demand, ...costOf(demand, costs.all, limits.policy) }
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
    this.#sums = sums
    this.#decidedAtMs = nowMs
    this.#forgetChanges(nowMs)
  }

  async #tally(nowMs: number): Promise<void> {
    const { rates, limits, complete } = this.#state
    // What was decided before can be told until this is whole.
    const demand = this.#spare
    demand.clear(this.#names.end)
    let sumPerS = 0
    let tallied = 0
    for (const slot of complete) {
      // Nothing is delivered there.
      if (slot.isStandby) continue
      for (const reader of slot.readers.values()) {
        if (++tallied % READERS_PER_STEP === 0) await this.#rest()
        const { priorReadMs } = limits.policy
        const readsPerS = rates.readsBelowWindowPerS(reader.number, nowMs, priorReadMs)
        reader.edges.compact()
        demand.add(reader.edges, readsPerS)
        sumPerS += readsPerS
      }
    }
    this.#spare = this.#demand
    this.#demand = demand
    this.#readsPerS = sumPerS
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
      const demand = { postsPerS, followers, readsPerS: this.#demand.readsPerSOf(author) }
      const cost = costOf(demand, costs, limits.policy)
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
}

const NOTHING: ClassFigures = {
  postsPerS: 0,
  followers: 0,
  readsPerS: 0,
  deliveredUs: 0,
  pulledUs: 0,
}

function addTo(sums: Sums, of: ClassFigures, authorClass: AuthorClass): void {
  sums[authorClass]++
  if (authorClass === 'delivered') sums.entries += of.postsPerS * of.followers
  sums.deliverAllUs += of.deliveredUs
  sums.pullAllUs += of.pulledUs
  sums.asDecidedUs += authorClass === 'delivered' ? of.deliveredUs : of.pulledUs
}
