// Applies the firehose to the cell, record by record, in the order of each partition. Every application is idempotent; a record is
// judged by its event id first (repeats and strangers in time are passed over). Whenever this awaits, the cell reflects exactly
// `position`: a record counts as applied only when everything a reader could see of it is there.
//
//   post        --> window + recent rows (sync); on every follower's dashboard at that moment
//   late post   --> stored and its author's coverage raised, both durable, then applied
//   relation    --> the reader's row in memory, if the reader is homed here
//   edit, mark  --> changed row, caches told

import type { CellLimits } from '../model/cell-limits.ts'
import {
  type Event,
  isAboutPosts,
  type PostCreated,
  type PostDeleted,
  type PostEdited,
} from '../model/event.ts'
import type { EventMemory } from '../model/event-memory.ts'
import { hiOf, loOf, msOf } from '../model/post-id.ts'
import type { UserKey, UserRef } from '../model/user-key.ts'
import { type LogBatch, type LogRecord, NewerRecord } from '../ports/firehose.ts'
import type { PostRow, PostTable } from '../ports/post-table.ts'
import { type AuthorBook, secondAbove } from './author-book.ts'
import type { Absent, Away } from './away.ts'
import { Bell } from './bell.ts'
import type { CellState } from './cell-state.ts'
import type { NameBook } from './name-book.ts'
import type { Persistence } from './persist.ts'
import type { PostBook } from './post-book.ts'
import { created, edited, isMark, markOf, postKeyText } from './post-rows.ts'
import type { Relations } from './relations.ts'
import { repeatUnknown } from './restore-memory.ts'

/** Told of what watchers may want to see, after it is applied. */
export interface Audience {
  postAdded(author: number, row: PostRow): void
  postEdited(author: number, row: PostRow): void
  postDeleted(author: number, postId: bigint): void
  userDeleted(user: number): void
}

const LOOK_AHEAD = 512
/** Rows read from the store for a batch; undefined where there is neither post nor mark. */
type Known = Map<string, PostRow | undefined>

export class Applier {
  readonly #state: CellState
  readonly #limits: CellLimits
  readonly #memory: EventMemory
  readonly #names: NameBook
  readonly #book: PostBook
  readonly #authors: AuthorBook
  readonly #relations: Relations
  readonly #away: Pick<Away, 'bringAll'>
  readonly #table: PostTable
  readonly #persistence: Persistence
  readonly #audience: Audience
  /** Resolves when the window has room again. */
  readonly #windowRoom: () => Promise<void>
  /** Users whose posts and name are still to be erased from the store. */
  readonly toErase = new Map<number, UserKey>()
  /** Records were judged that do not count yet: their effect is being made durable. */
  #isBetween = false
  readonly #rested = new Bell()

  constructor(options: {
    state: CellState
    memory: EventMemory
    names: NameBook
    book: PostBook
    authors: AuthorBook
    relations: Relations
    away: Pick<Away, 'bringAll'>
    table: PostTable
    persistence: Persistence
    audience: Audience
    windowRoom: () => Promise<void>
  }) {
    this.#state = options.state
    this.#limits = options.state.limits
    this.#memory = options.memory
    this.#names = options.names
    this.#book = options.book
    this.#authors = options.authors
    this.#relations = options.relations
    this.#away = options.away
    this.#table = options.table
    this.#persistence = options.persistence
    this.#audience = options.audience
    this.#windowRoom = options.windowRoom
  }

  /** Whether position, event memory and state say the same: a checkpoint may note them before it awaits again. */
  get isAtRest(): boolean {
    return !this.#isBetween
  }

  /** Resolves when that may have changed, or when the signal aborts. */
  rested(signal: AbortSignal): Promise<void> {
    return this.#rested.wait(signal)
  }

  async apply(batch: LogBatch): Promise<void> {
    const known: Known = new Map()
    const { partition, records } = batch
    let i = 0
    while (i < records.length) {
      if (!this.#hasRoom()) await this.#makeRoom()
      const record = records[i] as LogRecord
      const { fact } = record.event
      if (fact.kind === 'unreadable' && fact.isNewer) {
        throw new NewerRecord(
          `partition ${partition}, offset ${record.offset}: ${fact.reason}; run a newer version of cellfeed`,
        )
      }
      const isCopied = this.#isCopied(partition, record)
      if (!isCopied && fact.kind === 'post-created' && this.#isLate(partition, record, fact)) {
        i = await this.#applyLateRun(batch, i, known)
        continue
      }
      if (!isCopied && this.#needsRow(record.event, known)) await this.#readRows(batch, i, known)
      const absent = (): readonly Absent[] => this.#relations.absent(fact)
      while (absent().length > 0) await this.#away.bringAll(absent)
      const counts = this.#admit(partition, record) && !isCopied
      if (counts && fact.kind === 'user-deleted') await this.#deleteUser(fact.user)
      // First, as nothing awaits between the two: watchers are told a position that holds the record.
      this.#pass(partition, record.offset + 1)
      if (counts) this.#applyFact(partition, record, known)
      i++
    }
    this.#pass(partition, batch.nextOffset)
    this.#state.moved.ring()
  }

  #hasRoom(): boolean {
    return (
      this.#names.hasRoomFor(4) &&
      this.#book.pendingBytes <= this.#limits.pendingBytesMax &&
      this.#state.window.size < this.#limits.windowPostsMax
    )
  }

  /** Waits where a bound is reached: rows not durable, window full, numbers not reserved. */
  async #makeRoom(): Promise<void> {
    if (!this.#names.hasRoomFor(4)) await this.#names.reserve(65_536)
    if (this.#book.pendingBytes > this.#limits.pendingBytesMax) {
      this.#state.moved.ring()
      await this.#book.room()
    }
    if (this.#state.window.size >= this.#limits.windowPostsMax) {
      this.#state.moved.ring()
      await this.#windowRoom()
    }
  }

  #pass(partition: number, nextOffset: number): void {
    this.#state.position[partition] = nextOffset
    if (!this.#isBetween) return
    this.#isBetween = false
    this.#rested.ring()
  }

  /** Whether the record counts; in any case it is remembered as seen. */
  #admit(partition: number, record: LogRecord): boolean {
    const { id, fact } = record.event
    this.#state.runningMaxMs[partition] = this.#timeAt(partition, record)
    this.#state.lastEventIds[partition] = id
    const admission = this.#memory.admit({
      partition,
      offset: record.offset,
      appendedAtMs: record.appendedAtMs,
      idHi: hiOf(id),
      idLo: loOf(id),
    })
    if (admission === 'unknown') throw repeatUnknown(partition, record.offset)
    if (admission !== 'accepted') this.#state.judgements.passOver(partition, record.offset)
    if (admission === 'repeated') this.#state.eventsRepeated++
    else if (admission === 'refused' || fact.kind === 'unreadable') this.#state.eventsRefused++
    else this.#state.eventsApplied++
    return admission === 'accepted' && fact.kind !== 'unreadable'
  }

  /** The log's time at a record: the running maximum of append times, so that a clock that steps back changes nothing. */
  #timeAt(partition: number, record: LogRecord): number {
    const { rebuilt, runningMaxMs } = this.#state
    const isInCopy = record.offset < (rebuilt?.postsFrom[partition] ?? 0)
    const copyMs = isInCopy ? 0 : (rebuilt?.postsFromMs[partition] ?? 0)
    return Math.max(runningMaxMs[partition] ?? 0, copyMs, record.appendedAtMs)
  }

  /** Whether the store holds what the record did to posts, copied from another cell. */
  #isCopied(partition: number, { offset, event }: LogRecord): boolean {
    return offset < (this.#state.rebuilt?.postsFrom[partition] ?? 0) && isAboutPosts(event.fact)
  }

  #isLate(partition: number, record: LogRecord, fact: PostCreated): boolean {
    return msOf(fact.postId) < this.#timeAt(partition, record) - this.#limits.windowIdLagMaxMs
  }

  #isAhead(partition: number, postId: PostCreated['postId']): boolean {
    return msOf(postId) > (this.#state.runningMaxMs[partition] ?? 0) + this.#limits.idAheadMaxMs
  }

  /** Whether judging the event takes a row that only the store may have. */
  #needsRow(event: Event, known: Known): boolean {
    const { fact } = event
    if (fact.kind !== 'post-created' && fact.kind !== 'post-edited') return false
    const author = this.#names.lookup(fact.author.key)
    const hi = hiOf(fact.postId)
    const lo = loOf(fact.postId)
    if (author === 0 || this.#state.authors.isAboveGreatest(author, hi, lo)) return false
    if (known.has(postKeyText(author, fact.postId))) return false
    if (this.#book.changed(author, fact.postId) !== undefined) return false
    const entry = this.#state.window.find(author, hi, lo)
    if (entry < 0) return true
    return fact.kind === 'post-edited' && this.#book.recent(entry) === undefined
  }

  /** Reads the rows that this and the next records need, in one go. */
  async #readRows(batch: LogBatch, from: number, known: Known): Promise<void> {
    const keys = batch.records
      .slice(from, from + LOOK_AHEAD)
      .filter((record) => this.#needsRow(record.event, known))
      .map(({ event: { fact } }) => {
        const { author, postId } = fact as PostCreated | PostEdited
        return { author: this.#names.lookup(author.key), postId }
      })
    this.#state.moved.ring()
    const rows = await this.#persistence.untilDurable(() => this.#table.get(keys))
    for (const [i, key] of keys.entries()) {
      const text = postKeyText(key.author, key.postId)
      const changed = this.#book.changed(key.author, key.postId)
      known.set(text, changed ?? rows[i])
    }
  }

  #applyFact(partition: number, record: LogRecord, known: Known): void {
    const { fact } = record.event
    switch (fact.kind) {
      case 'post-created':
        this.#create(partition, record.offset, fact, known)
        return
      case 'post-edited':
        this.#edit(partition, record.offset, fact, known)
        return
      case 'post-deleted':
        this.#delete(partition, fact, known)
        return
      case 'followed':
      case 'unfollowed':
      case 'blocked':
      case 'unblocked':
      case 'muted':
      case 'unmuted':
      case 'read-marked':
        this.#relations.apply(fact, {
          partition,
          offset: record.offset,
          nowMs: this.#state.runningMaxMs[partition] ?? 0,
        })
        return
      case 'user-deleted':
        this.#audience.userDeleted(this.#names.lookup(fact.user.key))
        return
      case 'post-liked':
      case 'post-unliked':
      case 'unreadable':
        return
    }
  }

  #create(partition: number, offset: number, fact: PostCreated, known: Known): void {
    if (this.#isAhead(partition, fact.postId)) {
      this.#state.eventsRefused++
      return
    }
    const author = this.#names.numberOf(fact.author)
    if (this.#isErased(author, fact, known) || this.#exists(author, offset, fact, known)) return
    const hi = hiOf(fact.postId)
    const lo = loOf(fact.postId)
    this.#relations.linkSelf(fact.author, author, { partition, offset })
    this.#state.authors.noteId(author, hi, lo)
    const row = this.#rowOf(author, offset, fact)
    if (!this.#state.window.insert(author, hi, lo, fact.reblogOf !== undefined)) return
    this.#state.rates.notePost(author, msOf(fact.postId))
    this.#book.append(row)
    if (known.size > 0) known.set(postKeyText(author, fact.postId), row)
    this.#audience.postAdded(author, row)
  }

  /** A post of a deleted user leaves a mark: written before a crash, it may land after the others were erased. */
  #isErased(author: number, fact: PostCreated, known: Known): boolean {
    if (!this.#state.authors.isDeleted(author)) return false
    this.#change(markOf(author, fact.postId), -1, known)
    return true
  }

  /** A create never replaces a post or a mark. The row of this very event, stored before a crash, does not count. */
  #exists(author: number, offset: number, fact: PostCreated, known: Known): boolean {
    const hi = hiOf(fact.postId)
    const lo = loOf(fact.postId)
    const changed = this.#book.changed(author, fact.postId)
    if (changed !== undefined) return isMark(changed) || changed.createdOffset !== offset
    if (this.#state.authors.isAboveGreatest(author, hi, lo)) return false
    if (this.#state.window.find(author, hi, lo) >= 0) return true
    const row = known.get(postKeyText(author, fact.postId))
    return row !== undefined && row.createdOffset !== offset
  }

  #edit(partition: number, offset: number, fact: PostEdited, known: Known): void {
    const author = this.#names.lookup(fact.author.key)
    if (author === 0 || this.#isAhead(partition, fact.postId)) return
    const entry = this.#state.window.find(author, hiOf(fact.postId), loOf(fact.postId))
    const old =
      this.#book.changed(author, fact.postId) ??
      (entry < 0 ? undefined : this.#book.recent(entry)) ??
      known.get(postKeyText(author, fact.postId))
    if (old === undefined) return
    // Another process of this cell may have stored it already: what is held here is older all the same.
    const row = edited(old, fact, offset)
    this.#change(row, entry, known)
    if (row.body !== undefined) this.#audience.postEdited(author, row)
  }

  #delete(partition: number, fact: PostDeleted, known: Known): void {
    if (this.#isAhead(partition, fact.postId)) return
    const author = this.#names.numberOf(fact.author)
    const hi = hiOf(fact.postId)
    const lo = loOf(fact.postId)
    const entry = this.#state.window.find(author, hi, lo)
    this.#change(markOf(author, fact.postId), entry, known)
    if (entry >= 0) this.#state.window.remove(author, hi, lo)
    this.#state.authors.noteId(author, hi, lo)
    this.#audience.postDeleted(author, fact.postId)
  }

  #change(row: PostRow, entry: number, known: Known): void {
    this.#book.change(row, entry)
    if (known.size > 0) known.set(postKeyText(row.author, row.postId), row)
  }

  async #deleteUser(user: UserRef): Promise<void> {
    const number = this.#names.numberOf(user)
    this.#isBetween = true
    await this.#authors.deleteUser(number)
    this.toErase.set(number, user.key)
  }

  #rowOf(author: number, offset: number, fact: PostCreated): PostRow {
    const of = fact.reblogOf
    const origin = of && { author: this.#names.numberOf(of.author), postId: of.postId }
    return created(fact, { author, offset, origin })
  }

  /**
   * Consecutive late posts (imported, or ids allocated long ago): their rows and the raise of their authors become durable
   * first, then all of them count at once. Answers the index after the run.
   */
  async #applyLateRun(batch: LogBatch, from: number, known: Known): Promise<number> {
    const { partition, records } = batch
    const first = records[from] as LogRecord
    // The window may drop during a read what was in it before: look again.
    do await this.#readRows(batch, from, known)
    while (this.#needsRow(first.event, known))
    this.#isBetween = true
    const rows: PostRow[] = []
    const raises = new Map<number, number>()
    let i = from
    for (; i < records.length && i - from < LOOK_AHEAD; i++) {
      const record = records[i] as LogRecord
      const { fact } = record.event
      if (fact.kind !== 'post-created' || !this.#isLate(partition, record, fact)) break
      if (!this.#names.hasRoomFor(4) || this.#needsRow(record.event, known)) break
      if (!this.#admit(partition, record)) continue
      const author = this.#names.numberOf(fact.author)
      const text = postKeyText(author, fact.postId)
      if (this.#isErased(author, fact, known)) continue
      if (this.#exists(author, record.offset, fact, known)) continue
      const row = this.#rowOf(author, record.offset, fact)
      rows.push(row)
      known.set(text, row)
      this.#relations.linkSelf(fact.author, author, { partition, offset: record.offset })
      this.#state.authors.noteId(author, hiOf(fact.postId), loOf(fact.postId))
      const second = secondAbove(hiOf(fact.postId), loOf(fact.postId))
      raises.set(author, Math.max(raises.get(author) ?? 0, second))
    }
    this.#state.moved.ring()
    if (rows.length > 0) {
      this.#book.hold(rows)
      await this.#names.flush()
      await this.#persistence.untilDurable(() => this.#table.put(rows))
      await this.#authors.raise(raises)
    }
    const end = (records[i - 1] as LogRecord).offset + 1
    this.#pass(partition, end)
    this.#book.release()
    for (const row of rows) this.#audience.postAdded(row.author, row)
    return i
  }
}
