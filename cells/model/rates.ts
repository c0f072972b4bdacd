// How often authors post, and how often readers read, by how far down they went. Of all users in 16 bytes each, as of the time
// constant of the policy; after a restart the posts are those of the window, and reads count from then on.

import { DecayingCounts } from './decaying-counts.ts'
import { expectedRate, rateOfAll } from './delivery-policy.ts'

/** How far down a page came: within the window, below it by inboxes alone, or with authors' stored posts. */
export type Depth = 'window' | 'inbox' | 'below'
export type ReadsCounted = {
  readonly readsInWindow: number
  readonly readsInInbox: number
  readonly readsBelowInbox: number
}

/** Nobody's rate is taken from less. */
const SPAN_MIN_S = 60

export class Rates {
  readonly #posts: DecayingCounts
  readonly #counted = { window: 0, inbox: 0, below: 0 }
  readonly #reads: Readonly<Record<Depth, DecayingCounts>>

  constructor(options: { readonly timeConstantMs: number; readonly nowMs: number }) {
    const { timeConstantMs, nowMs } = options
    const counts = (): DecayingCounts => new DecayingCounts({ timeConstantMs, sinceMs: nowMs })
    this.#posts = counts()
    this.#reads = { window: counts(), inbox: counts(), below: counts() }
  }

  notePost(author: number, atMs: number): void {
    this.#posts.note(author, atMs)
  }

  /** Merges of dashboards since the start, by how far down they went. */
  get readsCounted(): ReadsCounted {
    const { window, inbox, below } = this.#counted
    return { readsInWindow: window, readsInInbox: inbox, readsBelowInbox: below }
  }

  noteRead(reader: number, depth: Depth, atMs: number): void {
    this.#counted[depth]++
    this.#reads[depth].note(reader, atMs)
  }

  /** Posts a second of each author, as of now. */
  postsPerSAt(nowMs: number): (author: number) => number {
    const spanS = Math.max(SPAN_MIN_S, this.#posts.spanS(nowMs))
    return (author) => this.#posts.countOf(author, nowMs) / spanS
  }

  /** Reads below the window a second of each of so many readers, as of now: as counted, and as all do. */
  readsBelowWindowAt(nowMs: number, readers: number, priorMs: number): (reader: number) => number {
    const { inbox, below } = this.#reads
    const spanS = inbox.spanS(nowMs)
    const countOf = (reader: number): number =>
      inbox.countOf(reader, nowMs) + below.countOf(reader, nowMs)
    const ofAllPerS = rateOfAll(
      inbox.totalAt(nowMs) + below.totalAt(nowMs),
      readers,
      spanS,
      priorMs / 1_000,
    )
    return (reader) => expectedRate(countOf(reader), spanS, ofAllPerS)
  }
}
