// A reader: a user homed in this cell, as the cell keeps them in memory. Typed arrays only; 2-3 KB for 200 follows.
//
// Relations change by two kinds of events. A live one counts in log order. An imported one counts as of its snapshot's time: it
// applies only if no live change of that relation, also an undoing one, is as late (compared in whole seconds). So changes are
// remembered with their append time, for RELATION memory (30 days); older snapshots are refused before they get here.

import { NumberMap } from './number-map.ts'
import { ID_EPOCH_MS } from './post-id.ts'
import type { Position } from './position.ts'

/** In an edge's word: coverage in its low 31 bits, hide_reblogs above. */
export const HIDE_REBLOGS = 0x8000_0000
export const COVERED_FROM = 0x7fff_ffff
/** Coverage of what no inbox has, and none gets. */
export const NOT_COVERED = COVERED_FROM

/** Why a user is hidden from the reader. */
export const MUTED = 1
export const BLOCKED = 2
export const BLOCKED_BY = 4
export type HiddenBit = typeof MUTED | typeof BLOCKED | typeof BLOCKED_BY

const EDGE_CHANGE = 0

/** When a relation changed: by the running maximum of append times, or, imported, by the snapshot's time. */
export type ChangeTime = { readonly ms: number; readonly imported: boolean }

export class Reader {
  readonly number: number
  readonly slot: number
  /** Author number -> coverage | HIDE_REBLOGS. Holds the reader too: one's own posts are on one's dashboard. */
  readonly edges: NumberMap
  hidden: NumberMap | undefined
  /** (number * 4 + what) -> second of the last live change. */
  #changes: NumberMap | undefined
  readMarkHi = 0
  readMarkLo = 0
  /**
   * The inbox goes without what is not covered: the reader's row says durably that it is not, and was written by this process. One of
   * an earlier process may still land on another of it.
   */
  leavesOut = false
  /** The inbox was filled with posts of before this second (fill.ts); 0 when it never was. */
  filledBelow = 0
  /** When they were last about, in seconds since the epoch of ids, give or take what the row need not be told; 0 where it is not known. */
  seenS = 0
  /** Counts changes that the stored row has to be told of. */
  revision = 0
  /** The position the stored row reflected; older events do not touch it. Undefined once replay has passed it. */
  recoveredAt: Position | undefined

  constructor(options: {
    number: number
    slot: number
    edges?: NumberMap
    hidden?: NumberMap | undefined
    changes?: NumberMap | undefined
  }) {
    this.number = options.number
    this.slot = options.slot
    this.edges = options.edges ?? new NumberMap()
    this.hidden = options.hidden
    this.#changes = options.changes
  }

  follows(author: number): boolean {
    return this.edges.has(author)
  }

  /** Follows, or changes hide_reblogs; `coverage` counts for a new edge only. False when nothing changed. */
  follow(author: number, options: FollowOptions): boolean {
    if (!this.#mayChange(author, EDGE_CHANGE, options.at)) return false
    if (!options.at.imported) this.#noteChange(author, EDGE_CHANGE, options.at.ms)
    const old = this.edges.get(author)
    const coverage = old === undefined ? options.coverage : old & COVERED_FROM
    const word = (options.hideReblogs ? coverage | HIDE_REBLOGS : coverage) >>> 0
    if (word === old) return false
    this.edges.set(author, word)
    return true
  }

  unfollow(author: number, at: ChangeTime): boolean {
    if (author === this.number || !this.#mayChange(author, EDGE_CHANGE, at)) return false
    this.#noteChange(author, EDGE_CHANGE, at.ms)
    return this.edges.delete(author)
  }

  /** One's own posts: never changed by events of relations. */
  linkSelf(coverage: number): void {
    if (!this.edges.has(this.number)) this.edges.set(this.number, coverage)
  }

  setHidden(user: number, bit: HiddenBit, options: { on: boolean; at: ChangeTime }): boolean {
    const what = bit === MUTED ? 1 : bit === BLOCKED ? 2 : 3
    if (!this.#mayChange(user, what, options.at)) return false
    if (!options.at.imported || !options.on) this.#noteChange(user, what, options.at.ms)
    const old = this.hidden?.get(user) ?? 0
    const bits = options.on ? old | bit : old & ~bit
    if (bits === old) return false
    this.hidden ??= new NumberMap()
    if (bits === 0) this.hidden.delete(user)
    else this.hidden.set(user, bits)
    return true
  }

  hiddenBits(user: number): number {
    return this.hidden?.get(user) ?? 0
  }

  /** A read mark is a maximum. */
  markRead(hi: number, lo: number): boolean {
    if (hi < this.readMarkHi || (hi === this.readMarkHi && lo <= this.readMarkLo)) return false
    this.readMarkHi = hi
    this.readMarkLo = lo
    return true
  }

  /** Forgets changes before these seconds: no snapshot that old is accepted any more. */
  forgetChanges(edgesBefore: number, hiddenBefore: number): void {
    const changes = this.#changes
    if (changes === undefined) return
    changes.compact()
    const { keys, words, size } = changes
    const kept = new NumberMap()
    for (let i = 0; i < size; i++) {
      const key = keys[i] as number
      const before = key % 4 === EDGE_CHANGE ? edgesBefore : hiddenBefore
      if ((words[i] as number) >= before) kept.set(key, words[i] as number)
    }
    if (kept.size < size) this.#changes = kept.size === 0 ? undefined : kept
  }

  /** Whether some author is not covered. */
  get lacksCoverage(): boolean {
    return this.#hasEdge((coverage) => coverage === NOT_COVERED)
  }

  /** Whether none is. */
  get lacksAllCoverage(): boolean {
    return !this.#hasEdge((coverage) => coverage !== NOT_COVERED)
  }

  #hasEdge(that: (coverage: number) => boolean): boolean {
    this.edges.compact()
    const { words, size } = this.edges
    for (let i = 0; i < size; i++) if (that((words[i] as number) & COVERED_FROM)) return true
    return false
  }

  get changes(): NumberMap | undefined {
    return this.#changes
  }

  get bytes(): number {
    return 200 + this.edges.bytes + (this.hidden?.bytes ?? 0) + (this.#changes?.bytes ?? 0)
  }

  #mayChange(user: number, what: number, at: ChangeTime): boolean {
    return !at.imported || secondOf(at.ms) > (this.#changes?.get(user * 4 + what) ?? 0)
  }

  /** What undoes needs memory, and what is live. An imported addition does not: additions commute. */
  #noteChange(user: number, what: number, ms: number): void {
    this.#changes ??= new NumberMap()
    this.#changes.set(user * 4 + what, secondOf(ms))
  }
}

export type FollowOptions = {
  readonly coverage: number
  readonly hideReblogs: boolean
  readonly at: ChangeTime
}

/** Unix ms. */
export function seenMs({ seenS }: Reader): number {
  return ID_EPOCH_MS + seenS * 1_000
}

/** Seconds since the epoch of ids. */
export function secondOf(ms: number): number {
  return Math.max(0, Math.floor((ms - ID_EPOCH_MS) / 1000))
}

/** The latest second of changes that may be forgotten when the log's time is `nowMs`. */
export function forgettableSecond(nowMs: number, relationMemoryMs: number): number {
  return secondOf(nowMs - relationMemoryMs)
}
