// The activities of one cell, wired to its state and ports.

import { Applier } from './applier.ts'
import { AuthorBook } from './author-book.ts'
import { AuthorPosts } from './author-posts.ts'
import { Away } from './away.ts'
import { Bodies } from './bodies.ts'
import type { CellOptions, CellPorts } from './cell.ts'
import type { CellState } from './cell-state.ts'
import { Checkpointer } from './checkpointer.ts'
import type { Claim } from './claim.ts'
import { DashboardReader } from './dashboard-reader.ts'
import { Delivery } from './delivery.ts'
import { Explanations } from './explanations.ts'
import { Filling } from './filling.ts'
import { FollowerIndexing } from './follower-indexing.ts'
import { FollowerIndex } from './follower-index.ts'
import { Hydration } from './hydrate.ts'
import { Lists } from './lists.ts'
import type { NameBook } from './name-book.ts'
import type { Persistence } from './persist.ts'
import { Policy } from './policy.ts'
import { PostBook } from './post-book.ts'
import { ReaderClasses } from './reader-classes.ts'
import type { Recovered } from './recovery.ts'
import { Relations } from './relations.ts'
import { SlotKeeper } from './slot-keeper.ts'
import { Watchers } from './watchers.ts'

export type CellParts = {
  readonly names: NameBook
  readonly book: PostBook
  readonly bodies: Bodies
  readonly authors: AuthorBook
  readonly policy: Policy
  readonly applier: Applier
  readonly delivery: Delivery
  readonly checkpointer: Checkpointer
  readonly dashboards: DashboardReader
  readonly authorPosts: AuthorPosts
  readonly explanations: Explanations
  readonly lists: Lists
  readonly away: Away
  readonly watchers: Watchers
  readonly keeper: SlotKeeper
  readonly indexing: FollowerIndexing
}

export function partsOf(from: {
  readonly state: CellState
  readonly ports: CellPorts
  readonly options: CellOptions
  readonly names: NameBook
  readonly persistence: Persistence
  readonly claim: Claim
  readonly signal: AbortSignal
  readonly recovered: Recovered
  /** How far the cell is behind. */
  readonly lagEvents: () => Promise<number>
}): CellParts {
  const { state, names, persistence, claim, signal } = from
  const { firehose, store, cache, clock, monotonicMs, moving } = from.ports
  const { boot, limits } = from.options
  const { memory, blocks } = from.recovered

  const book = new PostBook({ table: store.posts, cache, names, persistence, limits, signal })
  book.startAt(state.window.head)
  const bytesMax = Math.floor(limits.bodyMemoryBytes / 2)
  const bodies = new Bodies({ book, cache, table: store.posts, bytesMax })
  const hydration = new Hydration({ state, names, bodies })
  const watchers = new Watchers({ state, names, hydration, clock })
  const followers = new FollowerIndex({ table: store.followers, names, persistence })
  const relations = new Relations({ state, names, followers, watch: watchers })
  const authors = new AuthorBook({ state, table: store.authors, names, persistence, boot })
  const checkpoint = (): Promise<void> => checkpointer.take()
  const isWatching = (reader: number): boolean => watchers.isWatching(reader)
  const rows = { table: store.readers, persistence }
  const classes = new ReaderClasses({ state, isWatching })
  const away = new Away({ state, ...rows, claim, classes, checkpoint, clock, signal })
  const policy = new Policy({ state, names, authors, checkpoint, classes, clock, signal })
  const filling = new Filling({
    state,
    table: store.inbox,
    posts: store.posts,
    names,
    book,
    persistence,
    clock,
    boot,
  })
  const delivery = new Delivery({
    state,
    store,
    names,
    book,
    policy,
    filling,
    persistence,
    lagEvents: from.lagEvents,
    clock,
    monotonicMs,
    boot,
    signal,
  })
  const applier = new Applier({
    state,
    memory,
    names,
    book,
    authors,
    relations,
    away,
    table: store.posts,
    persistence,
    audience: watchers,
    windowRoom: () => delivery.room(),
  })
  const { logId } = firehose.identity
  const checkpointer = new Checkpointer({
    state,
    store,
    memory,
    names,
    book,
    followers,
    applier,
    persistence,
    clock,
    signal,
    claim,
    logId,
  })
  checkpointer.startWith(blocks)
  const dashboards = new DashboardReader({
    state,
    names,
    inbox: store.inbox,
    posts: store.posts,
    hydration,
    clock,
    monotonicMs,
  })
  const authorPosts = new AuthorPosts({ state, names, posts: store.posts, hydration })
  const explanations = new Explanations({ state, names, authorPosts, policy, classes, clock })
  const lists = new Lists({ state, names, followers, away })
  const indexing = new FollowerIndexing({ state, followers, clock, signal })
  const keeper = new SlotKeeper(
    { state, store, firehose, names, persistence, relations, applier, checkpointer, clock, claim },
    { delivery, watchers, moving, signal },
  )
  return {
    names,
    book,
    bodies,
    authors,
    policy,
    applier,
    delivery,
    checkpointer,
    dashboards,
    authorPosts,
    explanations,
    lists,
    away,
    watchers,
    keeper,
    indexing,
  }
}
