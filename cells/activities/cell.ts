// A cell: an independent unit of service. It follows the firehose from its checkpoint, holds the window and the readers homed in
// its slots, writes inboxes in bulk, and answers reads from all of them. This file only puts the activities together and runs
// their loops; the way of one post is
//
//   follow -> Applier -> window + PostBook -> (every follower's page, at that moment) -> Delivery -> inbox chunks -> dropped

import type { CellLimits } from '../model/cell-limits.ts'
import { type CellName, ownerOf, type Placement, slotOf } from '../model/placement.ts'
import { hasReached, type Position } from '../model/position.ts'
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
  Page,
  Place,
  PostFound,
  Unread,
  WatchItem,
} from '../ports/cell-client.ts'
import type { CellStore } from '../ports/cell-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { Firehose } from '../ports/firehose.ts'
import { type CellParts, partsOf } from './cell-parts.ts'
import { CellState, type Slot } from './cell-state.ts'
import type { Viewer } from './hydrate.ts'
import { NameBook } from './name-book.ts'
import { Persistence, Stopped } from './persist.ts'
import { Recovery } from './recovery.ts'

export type CellPorts = {
  readonly firehose: Firehose
  readonly store: CellStore
  readonly cache: BodyCache
  readonly clock: Clock
}
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
  #parts: CellParts | undefined
  #fail: (error: Error) => void = () => {}
  #loops: Promise<void>[] = []
  #isReady = false
  #logEnd: Position = []
  #lastAppendedMs = 0

  constructor(ports: CellPorts, options: CellOptions) {
    this.cell = options.name
    this.#ports = ports
    this.#options = options
    this.#state = new CellState({
      cell: options.name,
      placement: options.placement,
      limits: options.limits,
      partitions: ports.firehose.identity.partitionsPerTopic * 2,
    })
    this.failure = new Promise((resolve) => {
      this.#fail = (error) => {
        this.#isReady = false
        resolve(error)
      }
    })
    const { limits } = options
    this.#persistence = new Persistence({
      clock: ports.clock,
      limits,
      signal: this.#stopping.signal,
    })
  }

  /** Recovers and catches up; resolves when the cell serves. Throws FirehoseGap when the log cannot be followed. */
  async start(): Promise<void> {
    const { firehose, store, cache } = this.#ports
    await cache.renew()
    const state = this.#state
    const { signal } = this.#stopping
    const names = new NameBook({
      table: store.names,
      persistence: this.#persistence,
      makeRoom: (numbers) => state.authors.reserve(numbers),
    })
    const recovered = await new Recovery({ state, store, names, firehose }).run()
    if (signal.aborted) throw new Stopped('the cell was stopped while it started')
    const parts = partsOf({
      state,
      ports: this.#ports,
      options: this.#options,
      names,
      persistence: this.#persistence,
      signal,
      recovered,
    })
    this.#parts = parts
    await parts.authors.reaffirmPulled()
    const end = (await firehose.bounds()).end
    this.#logEnd = end
    this.#loops = [
      this.#guard(parts.book.run()),
      this.#guard(this.#follow(parts)),
      this.#guard(parts.delivery.run()),
      this.#guard(this.#checkpointLoop(parts)),
    ]
    const reached = await Promise.race([state.reached(end, signal), this.failure])
    if (reached instanceof Error) throw reached
    if (signal.aborted) throw new Stopped('the cell was stopped while it started')
    for (const reader of state.readers.values()) reader.recoveredAt = undefined
    this.#isReady = true
    state.moved.ring()
  }

  /** Takes a last checkpoint, if the store lets it, and ends all loops. A start that has not ended rejects. */
  async stop(): Promise<void> {
    const { signal } = this.#stopping
    const parts = this.#parts
    const wasReady = this.#isReady
    this.#isReady = false
    parts?.watchers.stop()
    if (parts !== undefined && wasReady && !signal.aborted) {
      // What is not durable by then is replayed. It may also reject, when a loop has failed meanwhile.
      const taken = parts.checkpointer.take().catch(() => undefined)
      const patience = this.#ports.clock.sleep(this.#options.limits.stopMs, signal)
      await Promise.race([taken, patience, this.failure])
    }
    this.#stopping.abort()
    this.#state.moved.ring()
    await Promise.all(this.#loops)
  }

  checkpoint(): Promise<void> {
    return this.#running().checkpointer.take()
  }

  writeGeneration(): Promise<void> {
    return this.#running().delivery.write()
  }

  /** Pulled authors are left out of inboxes and merged in when a page is read. Durable when it resolves. */
  async setAuthorClass(author: UserKey, value: 'delivered' | 'pulled'): Promise<void> {
    const parts = this.#running()
    const number = parts.names.lookup(author)
    if (number === 0) return
    if (value === 'pulled') await parts.authors.pull(number)
    else await parts.authors.deliver(number)
  }

  dashboard(call: Call, query: DashboardQuery): Promise<Answer<Page>> {
    return this.#inSlot(call, (viewer, slot, parts) => parts.dashboards.page(viewer, slot, query))
  }

  async watch(call: Call): Promise<Answer<AsyncIterable<WatchItem>>> {
    return this.#inSlot(call, async (viewer, _slot, parts) => {
      return parts.watchers.watch(call.viewer, viewer, call.signal) ?? tooManyWatchers()
    })
  }

  countUnread(call: Call, cap: number): Promise<Answer<Unread>> {
    return this.#inSlot(call, (viewer, slot, parts) =>
      parts.dashboards.countUnread(viewer, slot, cap),
    )
  }

  post(call: Call, author: UserKey, postId: PostId): Promise<Answer<PostFound>> {
    return this.#inSlot(call, (viewer, _slot, parts) =>
      parts.authorPosts.post(viewer, author, postId),
    )
  }

  authorPosts(
    call: Call,
    author: UserKey,
    query: { readonly limit: number; readonly older: Place | undefined },
  ): Promise<Answer<AuthorPage>> {
    return this.#inSlot(call, (viewer, _slot, parts) =>
      parts.authorPosts.page(viewer, author, query),
    )
  }

  following(
    call: Call,
    query: { readonly after: UserKey | undefined; readonly limit: number },
  ): Promise<Answer<FollowingPage>> {
    return this.#inSlot(call, (viewer, _slot, parts) => parts.lists.following(viewer.reader, query))
  }

  followersHere(
    call: Omit<Call, 'viewer'>,
    query: {
      readonly author: UserKey
      readonly after: UserKey | undefined
      readonly limit: number
    },
  ): Promise<Answer<FollowersPage>> {
    return this.#anywhere(call, (parts) => parts.lists.followersHere(query))
  }

  explain(call: Call, post: Place): Promise<Answer<Explanation>> {
    return this.#inSlot(call, async (viewer, slot, parts) => {
      await this.#lookAtLogEnd()
      return parts.authorPosts.explain(viewer, slot, post, this.#lagMs())
    })
  }

  publicPost(
    call: Omit<Call, 'viewer'>,
    author: UserKey,
    postId: PostId,
  ): Promise<Answer<PostFound>> {
    return this.#anywhere(call, (parts) => parts.authorPosts.post(undefined, author, postId))
  }

  publicAuthorPosts(
    call: Omit<Call, 'viewer'>,
    author: UserKey,
    query: { readonly limit: number; readonly older: Place | undefined },
  ): Promise<Answer<AuthorPage>> {
    return this.#anywhere(call, (parts) => parts.authorPosts.page(undefined, author, query))
  }

  async status(): Promise<CellStatus> {
    const state = this.#state
    const parts = this.#parts
    const size = await this.#ports.store.inbox.size().catch(() => ({ chunks: 0, bytes: 0 }))
    await this.#lookAtLogEnd()
    return {
      cell: this.cell,
      ready: this.#isReady,
      position: [...state.position],
      logEnd: this.#logEnd,
      lagMs: this.#lagMs(),
      readers: state.readers.size,
      names: parts?.names.table.size ?? 0,
      windowPosts: state.window.size,
      windowPostsMax: state.limits.windowPostsMax,
      windowBytes: state.window.bytes,
      windowStartsAtMs: state.windowStartsAtMs,
      readersBytes: state.readersBytes,
      generations: state.generations.length,
      chunks: size.chunks,
      chunkBytes: size.bytes,
      entriesDelivered: state.entriesDelivered,
      pendingPosts: parts?.book.pendingPosts ?? 0,
      bodiesCachedBytes: (parts?.bodies.bytes ?? 0) + (parts?.book.recentBytes ?? 0),
      checkpointAgeMs: parts?.checkpointer.ageMs,
      eventsSinceCheckpoint: state.eventsSeen - (parts?.checkpointer.eventsAtLast ?? 0),
      eventsApplied: state.eventsApplied,
      eventsRefused: state.eventsRefused,
      eventsRepeated: state.eventsRepeated,
      watchers: parts?.watchers.count ?? 0,
    }
  }

  async #inSlot<T>(
    call: Call,
    read: (viewer: NonNullable<Viewer>, slot: Slot, parts: CellParts) => Promise<T>,
  ): Promise<Answer<T>> {
    const slot = this.#state.slotOfUser(call.viewer)
    if (slot === undefined) {
      const { placement } = this.#options
      const owner = ownerOf(placement, slotOf(call.viewer, placement.slots))
      return { kind: 'moved', cell: owner.cell, epoch: placement.epoch }
    }
    return this.#anywhere(call, (parts) => {
      const number = parts.names.lookup(call.viewer)
      return read({ number, reader: this.#state.readers.get(number) }, slot, parts)
    })
  }

  /** Waits for what the caller has seen, then reads; the answer holds everything before the position it names. */
  async #anywhere<T>(
    call: Omit<Call, 'viewer'>,
    read: (parts: CellParts) => Promise<T>,
  ): Promise<Answer<T>> {
    const state = this.#state
    const isThere = this.#isReady || (await this.#ready(call.signal))
    if (!isThere || !hasReached(state.position, call.seen)) {
      if (!isThere || !(await state.reached(call.seen, call.signal))) {
        return { kind: 'late', missing: call.seen, position: [...state.position] }
      }
    }
    const position = [...state.position]
    return { kind: 'ok', value: await read(this.#running()), position }
  }

  async #ready(signal: AbortSignal): Promise<boolean> {
    while (!this.#isReady) {
      if (signal.aborted || this.#stopping.signal.aborted) return false
      await this.#state.moved.wait(signal)
    }
    return true
  }

  async #follow(parts: CellParts): Promise<void> {
    const { signal } = this.#stopping
    const recordsMax = this.#options.limits.fetchRecords
    const batches = this.#ports.firehose.follow([...this.#state.position], { signal, recordsMax })
    for await (const batch of batches) {
      await parts.applier.apply(batch)
      this.#lastAppendedMs = Math.max(this.#lastAppendedMs, batch.records.at(-1)?.appendedAtMs ?? 0)
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

  async #lookAtLogEnd(): Promise<void> {
    this.#logEnd = await this.#ports.firehose.bounds().then(
      (bounds) => bounds.end,
      () => this.#logEnd,
    )
  }

  #lagMs(): number {
    if (hasReached(this.#state.position, this.#logEnd)) return 0
    return Math.max(1, this.#ports.clock.nowMs() - this.#lastAppendedMs)
  }
}

function tooManyWatchers(): never {
  throw new TooManyWatchers('this cell has as many watchers as it may')
}

export class TooManyWatchers extends Error {
  readonly code = 'TOO_MANY_WATCHERS'
  override readonly name = 'TooManyWatchers'
}
