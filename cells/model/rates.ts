// How often authors post, and how often readers read, by how far down they went. Of all users in 20 bytes each, as of the time
// constant of the policy; after a restart the posts are those of the window, and reads count from then on.

import { DecayingCounts } from './decaying-counts.ts'
import { expectedRate, rateOfAll } from './delivery-policy.ts'

/** How far down a page came: within the window, below it by inboxes alone, or with authors' stored posts. */
export type Depth = 'window' | 'inbox' | 'below'

const GONE = 0xffff_ffff
/** Nobody's rate is taken from less. */
const SPAN_MIN_S = 60

export class Rates {
  readonly #sinceMs: number
  /** By reader: seconds after counting began. */
  #seenS = new Uint32Array(1024)
  readonly #posts: DecayingCounts
  readonly #reads: Readonly<Record<Depth, DecayingCounts>>

  constructor(options: { readonly timeConstantMs: number; readonly nowMs: number }) {
    const { timeConstantMs, nowMs } = options
    const counts = (): DecayingCounts => new DecayingCounts({ timeConstantMs, sinceMs: nowMs })
    this.#sinceMs = nowMs
    this.#posts = counts()
    this.#reads = { window: counts(), inbox: counts(), below: counts() }
  }

  /** That somebody reads, or has been brought back for something else. */
  noteSeen(reader: number, atMs: number): void {
    if (reader >= this.#seenS.length) {
      const grown = new Uint32Array(Math.max(2 * this.#seenS.length, reader + 1))
      grown.set(this.#seenS)
      this.#seenS = grown
    }
    this.#seenS[reader] = Math.max(0, Math.floor((atMs - this.#sinceMs) / 1_000))
  }

  /** That somebody had gone before counting began. */
  noteUnseen(reader: number): void {
    this.noteSeen(reader, this.#sinceMs)
    this.#seenS[reader] = GONE
  }

  /** For how long the reader was not seen; of whom nothing is known, since counting began. */
  unseenMs(reader: number, nowMs: number): number {
    const seenS = this.#seenS[reader] ?? 0
    return seenS === GONE ? Number.POSITIVE_INFINITY : nowMs - this.#sinceMs - seenS * 1_000
  }

  notePost(author: number, atMs: number): void {
    this.#posts.note(author, atMs)
  }

  noteRead(reader: number, depth: Depth, atMs: number): void {
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
