// What a gateway asks of a cell. In one process it is the cell itself; between processes a stream carries the same calls.
//
// Every call names the viewer whose cell is asked. A cell without the viewer's slot answers `moved`, never an empty page. A call
// first waits until the cell has applied `seen`; if the signal aborts before, it answers `late` with what is missing.

import type { ClassFigures, PairFigures } from '../model/delivery-policy.ts'
import type { ReadsCounted } from '../model/rates.ts'
import type { ReaderClass } from '../model/reader-class.ts'
import type { Audience } from '../model/event.ts'
import type { GapPart } from '../model/gap.ts'
import type { CellName } from '../model/placement.ts'
import type { PostId } from '../model/post-id.ts'
import type { Position } from '../model/position.ts'
import type { UserKey } from '../model/user-key.ts'

/** A place in a dashboard: strictly between two posts in the order (post id descending, author key ascending). */
export type Place = { readonly postId: PostId; readonly author: UserKey }

/** One post for the wire: `head` followed by `content` is the encoded public post. */
export type PostView = {
  readonly author: UserKey
  readonly postId: PostId
  readonly head: Uint8Array
  readonly content: Uint8Array
  readonly audience: Audience
  readonly origin: OriginView | undefined
}
/** The reblogged post, or that the viewer may not see it (deleted, hidden, or for followers only). */
export type OriginView =
  | { readonly kind: 'visible'; readonly head: Uint8Array; readonly content: Uint8Array }
  | { readonly kind: 'unavailable' }

export type Page = {
  /** Newest first, whichever way the page was asked. */
  readonly posts: readonly PostView[]
  /** Where the next older page goes on; undefined at the very end. */
  readonly older: Place | undefined
  /**
   * Where a page of newer posts starts: reaches back by the clock-skew allowance, so clients merge by id. A page of newer posts
   * that has more above it names its own newest post.
   */
  readonly newer: Place | undefined
  readonly readMark: PostId | undefined
  readonly unread: Unread | undefined
}
export type Unread = { readonly count: number; readonly capped: boolean }

/** What the call saw: everything before `position`. */
export type Answer<T> =
  | { readonly kind: 'ok'; readonly value: T; readonly position: Position }
  /** `slot`: where the viewer lives, in that epoch. */
  | {
      readonly kind: 'moved'
      readonly cell: CellName
      readonly epoch: number
      readonly slot: number
    }
  | { readonly kind: 'late'; readonly missing: Position; readonly position: Position }

export type Call = {
  readonly viewer: UserKey
  /**
   * The epoch of the placement by which the caller chose this cell: one that knows an older placement, and holds the slot, is the
   * owner. Undefined: by none in particular.
   */
  readonly epoch?: number
  /** Not older than this position. */
  readonly seen: Position
  readonly signal: AbortSignal
}

export type DashboardQuery = {
  /** At most so many posts; fewer where great ones would make too long a message. */
  readonly limit: number
  /** Older than, or newer than, this place; the newest page when undefined. */
  readonly from: { readonly direction: 'older' | 'newer'; readonly place: Place } | undefined
  readonly countUnreadTo: number | undefined
  /** To check inboxes: as if they were not known to hold anything, all authors' posts are pulled. Dear. */
  readonly pulled?: boolean
}

export type ReadersQuery = {
  readonly after: UserKey | undefined
  readonly limit: number
  /** Each of which is a read of the store. */
  readonly withIds?: boolean
}

/** Some readers of a slot, by key. */
export type ReadersPage = {
  readonly readers: readonly UserKey[]
  /** Of the readers, in their order; empty when they were not asked for. */
  readonly ids: readonly string[]
  readonly next: UserKey | undefined
}

export type PostFound =
  | { readonly kind: 'found'; readonly post: PostView; readonly createdOffset: number }
  | { readonly kind: 'deleted' | 'unknown' | 'not-visible' }

export type AuthorPage = {
  readonly posts: readonly PostView[]
  readonly older: Place | undefined
}

export type Following = {
  readonly author: UserKey
  readonly id: string
  readonly hideReblogs: boolean
}
export type FollowingPage = {
  readonly following: readonly Following[]
  readonly next: UserKey | undefined
}
export type FollowersPage = {
  readonly followers: readonly { readonly user: UserKey; readonly id: string }[]
  readonly next: UserKey | undefined
}

/** How the viewer stands to another user. */
export type Related = {
  readonly user: UserKey
  readonly id: string
  readonly follows: boolean
  readonly hideReblogs: boolean
  readonly blocks: boolean
  readonly mutes: boolean
  /** The other one blocks the viewer. */
  readonly blockedBy: boolean
}
export type RelationsPage = {
  readonly related: readonly Related[]
  readonly readMark: PostId | undefined
  readonly next: UserKey | undefined
}

export type WatchItem =
  | { readonly kind: 'added' | 'edited'; readonly post: PostView; readonly position: Position }
  | {
      readonly kind: 'removed'
      readonly author: UserKey
      readonly authorId: string
      readonly postId: PostId
      readonly position: Position
    }
  | { readonly kind: 'read-mark'; readonly postId: PostId; readonly position: Position }
  | { readonly kind: 'position'; readonly position: Position }
  /** The watcher fell behind its bounded queue, or the whole dashboard changed: read it again and watch anew. */
  | {
      readonly kind: 'reload'
      readonly reason: 'too-slow' | 'graph-changed' | 'moved' | 'stopping'
      /** The user has moved, and everything before this was told: a watch at the new cell goes on from here. Else empty. */
      readonly position: Position
    }

export type Verdict =
  | 'not-applied-yet'
  | 'unknown-post'
  | 'deleted'
  | 'author-deleted'
  | 'reader-deleted'
  | 'not-followed'
  | 'muted'
  | 'blocked'
  | 'blocked-by-author'
  | 'reblog-hidden'
  | 'on-dashboard'

export type Explanation = {
  readonly verdict: Verdict
  /** Where a page takes the post from; undefined when it is not on the dashboard. */
  readonly source: 'window' | 'inbox' | 'pulled' | undefined
  /** Unix seconds from which inbox and window hold all of the author's posts for this reader; undefined without an edge. */
  readonly coveredFromSecond: number | undefined
  readonly authorPulled: boolean
  /** The author is delivered, but not to this reader. */
  readonly pairLeftOut: boolean
  /** What the author's class rests on; undefined until the cell has decided for the first time since its start. */
  readonly classFigures: ClassFigures | undefined
  /** What is decided of this reader and author rests on; undefined without an edge, too. */
  readonly pairFigures: PairFigures | undefined
  /** Undefined of a user of whom the cell knows no relation and no post. */
  readonly readerClass: ReaderClass | undefined
  readonly slot: number
  readonly lagMs: number
}

/** What the cell delivers and what it pulls, as of its last decision. Costs in microseconds a second. */
export type PolicyStatus = {
  /** Who have posted, and have followers here. */
  readonly authorsDelivered: number
  readonly authorsPulled: number
  /** Since the start. */
  readonly classChanges: number
  /** Undefined before the first decision since the start. */
  readonly classesDecidedAgeMs: number | undefined
  readonly entriesPerS: number
  /** With what is expected of readers of whom nothing is known yet. */
  readonly readsBelowWindowPerS: number
  readonly costDeliverAllUs: number
  readonly costPullAllUs: number
  readonly costAsDecidedUs: number
  /** Pairs of reader and author: the author is delivered, but not to this reader. */
  readonly pairsLeftOut: number
  /** In memory, for whom pages may walk the window. */
  readonly readersHeavy: number
}

/** As measured, or set by the operator: microseconds of each, and bytes. */
export type CostStatus = {
  readonly costChainUs: number
  readonly costWalkedUs: number
  readonly costEdgeUs: number
  readonly costEntryUs: number
  readonly costEntryBytes: number
  readonly costPullUs: number
  readonly costChunkUs: number
  readonly costInboxUs: number
}

/** How far a cell is that does not serve yet. */
export type Loading = {
  /** Posts are copied from another cell, or events of the log are applied. */
  readonly step: 'posts' | 'events'
  readonly done: number
  /** Of the whole, about: 0 to 1. */
  readonly part: number
}

export type CellStatus = PolicyStatus &
  ReadsCounted &
  CostStatus & {
    readonly cell: CellName
    readonly ready: boolean
    readonly position: Position
    readonly logEnd: Position
    readonly lagMs: number
    /** In memory, and those who are away. */
    readonly readers: number
    readonly readersAway: number
    readonly names: number
    readonly windowPosts: number
    readonly windowPostsMax: number
    readonly windowBytes: number
    /** When the window's oldest post was made, Unix ms; undefined while it is empty. */
    readonly windowStartsAtMs: number | undefined
    /** Of all readers, estimated from some of them. */
    readonly readersBytes: number
    readonly generations: number
    readonly chunks: number
    readonly chunkBytes: number
    readonly entriesDelivered: number
    /** Put into inboxes after pages had pulled them, since the start. */
    readonly entriesFilled: number
    readonly pendingPosts: number
    readonly bodiesCachedBytes: number
    /** Undefined before the first checkpoint of this start. */
    readonly checkpointAgeMs: number | undefined
    /** What a restart would replay. */
    readonly eventsSinceCheckpoint: number
    readonly eventsApplied: number
    readonly eventsRefused: number
    readonly eventsRepeated: number
    readonly watchers: number
    /** Both a second, of the last ten; and how long 99 of 100 of them took at most. */
    readonly reads: number
    readonly readsFailed: number
    readonly readP99Ms: number
    /** By moves to here, since the start. */
    readonly readersCopied: number
    readonly bytesCopied: number
    /** Relations of these stretches were never seen: the cell does not serve until the gap is closed. Empty when there is none. */
    readonly openGap: readonly GapPart[]
  }

/** What to tell besides: the end of the log, read now; what each slot asks of the cell. */
export type SlotsQuery = { readonly logEnd?: boolean; readonly loads?: boolean }

/** What a slot asks of the cell that owns it. */
export type SlotLoad = {
  readonly slot: number
  readonly readers: number
  /** A second, of the last minute or so. */
  readonly reads: number
  /** Of the readers' state in memory. */
  readonly bytes: number
}

/** What whoever drives moves must know of a cell. */
export type SlotsReport = {
  readonly cell: CellName
  readonly boot: number
  readonly ready: boolean
  readonly position: Position
  /** Undefined when it was not asked for. */
  readonly logEnd: Position | undefined
  /** Of the placement that the cell knows. */
  readonly epoch: number
  /** Moves from here whose slots are written into inboxes and checkpointed. */
  readonly prepared: readonly number[]
  /** Moves to here whose slots are held durably, and under which term. */
  readonly arrived: readonly { readonly move: number; readonly term: number }[]
  /** Moves to here that are being copied: how much is there, from 0 to 1, and what was copied. */
  readonly copying: readonly {
    readonly move: number
    readonly part: number
    readonly readers: number
    readonly bytes: number
  }[]
  /** Moves that gave slots away which are still kept here, up to date. */
  readonly retained: readonly number[]
  /** Why moves to here do not get on; each is tried again. */
  readonly failures: readonly { readonly move: number; readonly detail: string }[]
  /** Of the slots that it owns and where somebody lives; empty when they were not asked for. */
  readonly loads: readonly SlotLoad[]
}

export interface CellClient {
  readonly cell: CellName
  dashboard(call: Call, query: DashboardQuery): Promise<Answer<Page>>
  /** The first item is a `position`: everything after it is told. Ends after a `reload`. */
  /** `since`: a watch at another cell has told everything before. It is told to read anew if some of what came then is not known here. */
  watch(call: Call, since?: Position): Promise<Answer<AsyncIterable<WatchItem>>>
  countUnread(call: Call, cap: number): Promise<Answer<Unread>>
  post(call: Call, author: UserKey, postId: PostId): Promise<Answer<PostFound>>
  /** Posts of one author as the viewer may see them. */
  authorPosts(
    call: Call,
    author: UserKey,
    query: { readonly limit: number; readonly older: Place | undefined },
  ): Promise<Answer<AuthorPage>>
  following(
    call: Call,
    query: { readonly after: UserKey | undefined; readonly limit: number },
  ): Promise<Answer<FollowingPage>>
  /** The author's followers who are homed in this cell, in key order. */
  followersHere(
    call: { readonly seen: Position; readonly signal: AbortSignal },
    query: {
      readonly author: UserKey
      readonly after: UserKey | undefined
      readonly limit: number
    },
  ): Promise<Answer<FollowersPage>>
  /** Everybody to whom the viewer stands in some relation, in key order. Answers also while the cell does not serve for an open gap. */
  relations(
    call: Call,
    query: { readonly after: UserKey | undefined; readonly limit: number },
  ): Promise<Answer<RelationsPage>>
  /**
   * An operator states that what nobody saw of relations is in the log by now, before `seen`: the cell serves once it has
   * applied that. Durable when it answers; changes nothing when no gap is open.
   */
  closeGap(call: Omit<Call, 'viewer'>): Promise<Answer<{ readonly closed: boolean }>>
  explain(call: Call, post: Place): Promise<Answer<Explanation>>
  /** PUBLIC posts only, for calls without a viewer; any cell can answer. */
  publicPost(
    call: Omit<Call, 'viewer'>,
    author: UserKey,
    postId: PostId,
  ): Promise<Answer<PostFound>>
  publicAuthorPosts(
    call: Omit<Call, 'viewer'>,
    author: UserKey,
    query: { readonly limit: number; readonly older: Place | undefined },
  ): Promise<Answer<AuthorPage>>
  status(): Promise<CellStatus>
  /** Readers of a slot that is wholly here, in key order; undefined of any other. */
  readersOf(slot: number, query: ReadersQuery): Promise<ReadersPage | undefined>
  /** Rejects when the log's end was asked for and can not be had. */
  slots(query?: SlotsQuery): Promise<SlotsReport>
}
