// A cell: an independent unit of service. It follows the firehose from its checkpoint, holds the window and the readers homed in
// its slots, writes inboxes in bulk, and answers reads from all of them. This file only puts the activities together and runs
// their loops; the way of one post is
//
//   follow -> Applier -> window + PostBook -> (every follower's page, at that moment) -> Delivery -> inbox chunks -> dropped

import type { CellLimits } from '../model/cell-limits.ts'
import type { Busyness } from '../model/copy-pace.ts'
import { ANY_EPOCH, type CellName, type Placement } from '../model/placement.ts'
import { largerOf, type Position } from '../model/position.ts'
import type { PostId } from '../model/post-id.ts'
import type { UserKey } from '../model/user-key.ts'
import type { BodyCache } from '../ports/body-cache.ts'
import type {
  Answer,
  AuthorPage,
  Call,
  CellClient,
  CellStatus,
  DashboardQuery,
  Explanation,
  FollowersPage,
  FollowingPage,
  Loading,
  Page,
  Place,
  PostFound,
  ReadersPage,
  ReadersQuery,
  RelationsPage,
  SlotsQuery,
  SlotsReport,
  Unread,
  WatchItem,
} from '../ports/cell-client.ts'
import type { CellStore } from '../ports/cell-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { Firehose } from '../ports/firehose.ts'
import type { Moving } from '../ports/placements.ts'
import { type CellParts, partsOf } from './cell-parts.ts'
import { CellState, uncovered } from './cell-state.ts'
import { cellStatus, slotsReport } from './cell-status.ts'
import { Claim } from './claim.ts'
import { Gate, type ReadInSlot } from './gate.ts'
import { Lag } from './lag.ts'
import { NameBook } from './name-book.ts'
import { Persistence, Stopped } from './persist.ts'
import { Readiness } from './readiness.ts'
import { Recovery } from './recovery.ts'

export type CellPorts = {
  readonly firehose: Firehose
  readonly store: CellStore
  readonly cache: BodyCache
  readonly clock: Clock
  /** Milliseconds with fractions, for how long something took. */
  readonly monotonicMs: () => number
  readonly moving: Moving
}
type PageOfUsers = { readonly after: UserKey | undefined; readonly limit: number }
export type CellOptions = {
  readonly name: CellName
  /** Unique for every start of any cell, and growing. */
  readonly boot: number
  readonly placement: Placement
  readonly limits: CellLimits
}

export class Cell implements CellClient {
  readonly cell: CellName
  readonly failure: Promise<Error>
  readonly #ports: CellPorts
  readonly #options: CellOptions
  readonly #state: CellState
  readonly #stopping = new AbortController()
  readonly #persistence: Persistence
  readonly #claim: Claim
  #parts: CellParts | undefined
  #fail: (error: Error) => void = () => {}
  #loops: Promise<void>[] = []
  readonly #readiness: Readiness
  readonly #gate: Gate
  readonly #lag: Lag

  constructor(ports: CellPorts, options: CellOptions) {
    this.cell = options.name
    this.#ports = ports
    this.#options = options
    this.#state = new CellState({
      cell: options.name,
      placement: options.placement,
      limits: options.limits,
      partitions: ports.firehose.identity.partitionsPerTopic * 2,
      nowMs: ports.clock.nowMs(),
    })
    this.failure = new Promise((resolve) => {
      this.#fail = (error) => {
        this.#readiness.close()
        resolve(error)
      }
    })
    const { signal } = this.#stopping
    const persistence = new Persistence({ clock: ports.clock, limits: options.limits, signal })
    this.#persistence = persistence
    const state = this.#state
    this.#lag = new Lag(ports)
    const logEnd = (): Promise<Position> => this.#lag.readLogEnd()
    const claim = new Claim({ boot: options.boot, table: ports.store.checkpoints, persistence })
    this.#claim = claim
    const readiness = new Readiness({ state, persistence, claim, signal, logEnd })
    this.#readiness = readiness
    this.#gate = new Gate({ state, readiness, clock: ports.clock, parts: () => this.#running() })
  }

  /** Recovers and catches up; resolves when the cell serves. Throws FirehoseGap when the log cannot be followed. */
  async start(): Promise<void> {
    const { firehose, store, cache, clock, moving } = this.#ports
    const { placements } = moving
    await cache.renew()
    const state = this.#state
    const { signal } = this.#stopping
    const persistence = this.#persistence
    const claim = this.#claim
    const names = new NameBook({
      table: store.names,
      persistence,
      claim,
      makeRoom: (numbers) => state.authors.reserve(numbers),
    })
    const from = { state, store, placements, names, firehose, clock, claim, persistence }
    const recovered = await new Recovery(from).run()
    this.#lag.begin(state.position)
    if (signal.aborted) throw new Stopped('the cell was stopped while it started')
    const parts = partsOf({
      state,
      ports: this.#ports,
      options: this.#options,
      names,
      persistence,
      claim,
      signal,
      recovered,
      lagEvents: () => this.#lag.events(state.position),
    })
    this.#parts = parts
    await parts.authors.reaffirmPulled()
    this.#loops = [
      this.#guard(parts.book.run()),
      this.#guard(this.#follow(parts)),
      this.#guard(parts.delivery.run()),
      this.#guard(this.#checkpointLoop(parts)),
      this.#guard(this.#readiness.run()),
      this.#guard(parts.keeper.run()),
      this.#guard(parts.indexing.run()),
      this.#guard(parts.away.run()),
    ]
    const reached = await Promise.race([this.#readiness.caughtUp(signal), this.failure])
    if (reached instanceof Error) throw reached
    if (signal.aborted) throw new Stopped('the cell was stopped while it started')
    parts.watchers.open()
    this.#readiness.open()
  }

  /** Of a start; undefined before and after it, and before anything is known. */
  get loading(): Loading | undefined {
    return this.#readiness.isOpen ? undefined : this.#lag.loading(this.#state.position)
  }

  /** Whether it answers now. */
  get isReady(): boolean {
    return this.#readiness.isReady()
  }

  /** Whether it was rebuilt, and what it missed is not known yet. */
  get hasOpenGap(): boolean {
    return this.#state.openGap.length > 0
  }

  /**
   * The process may have slept, or its lease lapsed: another process may have answered meanwhile, as of later. From now on the
   * cell answers only when it has reached the log's end as read from now on. To be called before the first call that comes
   * in after the lapse is looked at; reads that had begun before it end as they began.
   */
  suspend(): void {
    this.#readiness.suspend()
  }

  /** Takes a last checkpoint, if the store lets it, and ends all loops. A start that has not ended rejects. */
  async stop(): Promise<void> {
    const { signal } = this.#stopping
    const parts = this.#parts
    const wasOpen = this.#readiness.isOpen
    this.#readiness.close()
    parts?.watchers.stop()
    if (parts !== undefined && wasOpen && !signal.aborted) {
      // What is not durable by then is replayed. It may also reject, when a loop has failed meanwhile.
      const taken = parts.checkpointer.take().catch(() => undefined)
      const patience = this.#ports.clock.sleep(this.#options.limits.stopMs, signal)
      await Promise.race([taken, patience, this.failure])
    }
    this.#stopping.abort()
    this.#state.moved.ring()
    this.#state.replaced.ring()
    await Promise.all(this.#loops)
  }

  checkpoint(): Promise<void> {
    return this.#running().checkpointer.take()
  }

  async writeGeneration(): Promise<void> {
    const { policy, delivery } = this.#running()
    await policy.decide()
    await delivery.write()
  }

  fillInboxes(): Promise<void> {
    return this.#running().delivery.fill()
  }

  sweep(): Promise<void> {
    return this.#running().away.sweep()
  }

  /** Pulled authors are left out of inboxes and merged in when a page is read. Durable when it resolves. */
  async setAuthorClass(author: UserKey, value: 'delivered' | 'pulled'): Promise<void> {
    const parts = this.#running()
    const number = parts.names.lookup(author)
    if (number === 0) return
    await (value === 'pulled' ? parts.authors.pull([number]) : parts.authors.deliver([number]))
  }

  async readersOf(slot: number, query: ReadersQuery): Promise<ReadersPage | undefined> {
    const kept = this.#state.slots.get(slot)
    return kept?.isComplete === true ? this.#running().lists.readersOf(kept, query) : undefined
  }

  dashboard(call: Call, query: DashboardQuery): Promise<Answer<Page>> {
    const isPulled = query.pulled === true
    return this.#gate.inSlot(
      call,
      (viewer, slot, parts) =>
        parts.dashboards.page(viewer, isPulled ? uncovered(slot) : slot, query),
      { isVital: !isPulled },
    )
  }

  async watch(call: Call, since?: Position): Promise<Answer<AsyncIterable<WatchItem>>> {
    return this.#gate.inSlot(call, async (viewer, _slot, { watchers }) =>
      watchers.watch(call.viewer, viewer, { signal: call.signal, since }),
    )
  }

  countUnread(call: Call, cap: number): Promise<Answer<Unread>> {
    return this.#gate.inSlot(call, (viewer, slot, parts) =>
      parts.dashboards.countUnread(viewer, slot, cap),
    )
  }

  post(call: Call, author: UserKey, postId: PostId): Promise<Answer<PostFound>> {
    return this.#gate.inSlot(call, (viewer, _slot, parts) =>
      parts.authorPosts.post(viewer, author, postId),
    )
  }

  authorPosts(
    call: Call,
    author: UserKey,
    query: { readonly limit: number; readonly older: Place | undefined },
  ): Promise<Answer<AuthorPage>> {
    return this.#gate.inSlot(call, (viewer, _slot, parts) =>
      parts.authorPosts.page(viewer, author, query),
    )
  }

  following(call: Call, query: PageOfUsers): Promise<Answer<FollowingPage>> {
    return this.#gate.inSlot(call, (viewer, _slot, parts) =>
      parts.lists.following(viewer.reader, query),
    )
  }

  followersHere(
    call: Omit<Call, 'viewer'>,
    query: {
      readonly author: UserKey
      readonly after: UserKey | undefined
      readonly limit: number
    },
  ): Promise<Answer<FollowersPage>> {
    const seen = largerOf(this.#state.reflectedByOwned, call.seen)
    return this.#gate.anywhere({ ...call, seen }, (parts) => parts.lists.followersHere(query))
  }

  relations(call: Call, query: PageOfUsers): Promise<Answer<RelationsPage>> {
    const read: ReadInSlot<RelationsPage> = (viewer, _slot, parts) =>
      parts.lists.relations(viewer.reader, query, call.epoch !== ANY_EPOCH)
    return this.#gate.inSlot(call, read, { early: true, isOperators: true })
  }

  closeGap(call: Omit<Call, 'viewer'>): Promise<Answer<{ readonly closed: boolean }>> {
    const close = async (parts: CellParts) => {
      const { rebuilt } = this.#state
      if (rebuilt === undefined || rebuilt.openGap.length === 0) return { closed: false }
      this.#state.rebuilt = { ...rebuilt, openGap: [] }
      this.#state.moved.ring()
      await parts.checkpointer.take()
      return { closed: true }
    }
    return this.#gate.anywhere(call, close, true)
  }

  explain(call: Call, post: Place): Promise<Answer<Explanation>> {
    const read: ReadInSlot<Explanation> = async (_viewer, slot, parts) => {
      const lagMs = await this.#lag.ms(this.#state.position)
      return parts.explanations.explain(call.viewer, slot, post, lagMs)
    }
    return this.#gate.inSlot(call, read, { isOperators: true })
  }

  publicPost(
    call: Omit<Call, 'viewer'>,
    author: UserKey,
    postId: PostId,
  ): Promise<Answer<PostFound>> {
    return this.#gate.anywhere(call, (parts) => parts.authorPosts.post(undefined, author, postId))
  }

  publicAuthorPosts(
    call: Omit<Call, 'viewer'>,
    author: UserKey,
    query: { readonly limit: number; readonly older: Place | undefined },
  ): Promise<Answer<AuthorPage>> {
    return this.#gate.anywhere(call, (parts) => parts.authorPosts.page(undefined, author, query))
  }

  async status(): Promise<CellStatus> {
    const inbox = await this.#ports.store.inbox.size().catch(() => ({ chunks: 0, bytes: 0 }))
    const lagMs = await this.#lag.ms(this.#state.position)
    const ready = this.#readiness.isReady()
    const nowMs = this.#ports.clock.nowMs()
    const now = { ready, logEnd: this.#lag.logEnd, lagMs, inbox, nowMs }
    return cellStatus(this.#state, this.#parts, now)
  }

  /** For whoever copies from here. */
  async busyness(): Promise<Busyness> {
    const lagMs = await this.#lag.ms(this.#state.position)
    const { readP99Ms } = this.#state.vitals.of(this.#ports.clock.nowMs())
    return { readP99Ms, lagMs }
  }

  /** Which slots are here, and how far moves are, as of now. */
  async slots({ logEnd, loads }: SlotsQuery = {}): Promise<SlotsReport> {
    const end = logEnd ? await this.#lag.readLogEnd() : undefined
    const now = { boot: this.#options.boot, ready: this.#readiness.isReady(), logEnd: end }
    const loadsAtMs = loads ? this.#ports.clock.nowMs() : undefined
    return slotsReport(this.#state, this.#parts, now, loadsAtMs)
  }

  async #follow(parts: CellParts): Promise<void> {
    const { signal } = this.#stopping
    const recordsMax = this.#options.limits.fetchRecords
    const batches = this.#ports.firehose.follow([...this.#state.position], { signal, recordsMax })
    for await (const batch of batches) {
      await parts.applier.apply(batch)
      this.#lag.applied(batch)
      // A log in this process and a record that awaits nothing would keep all others from running until the log's end.
      await this.#ports.clock.yield()
    }
  }

  async #checkpointLoop(parts: CellParts): Promise<void> {
    const { signal } = this.#stopping
    const { checkpointMs, checkpointEvents } = this.#options.limits
    while (!signal.aborted) {
      await this.#ports.clock.sleep(Math.ceil(checkpointMs / 10), signal)
      const events = this.#state.eventsSeen - parts.checkpointer.eventsAtLast
      const isDue = this.#ports.clock.nowMs() - parts.checkpointer.lastMs >= checkpointMs
      if (events >= checkpointEvents || (isDue && events > 0)) await parts.checkpointer.take()
    }
  }

  /** A loop that fails stops the cell: a broken assumption is never carried on with. */
  async #guard(loop: Promise<void>): Promise<void> {
    try {
      await loop
    } catch (error) {
      if (error instanceof Stopped && this.#stopping.signal.aborted) return
      this.#stopping.abort()
      this.#parts?.watchers.stop()
      this.#fail(error instanceof Error ? error : new Error(String(error)))
      this.#state.moved.ring()
    }
  }

  #running(): CellParts {
    if (this.#parts === undefined) throw new Error(`cell ${this.cell} was not started`)
    return this.#parts
  }
}
