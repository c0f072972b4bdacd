// Applies relations and read marks to the readers homed in this cell, and keeps the index of followers homed here.

import type { Fact, Followed, Hidden, ReadMarked, Unfollowed } from '../model/event.ts'
import { hiOf, loOf } from '../model/post-id.ts'
import { BLOCKED, BLOCKED_BY, type ChangeTime, MUTED, Reader } from '../model/reader.ts'
import type { UserRef } from '../model/user-key.ts'
import type { Absent } from './away.ts'
import type { CellState, Slot } from './cell-state.ts'
import type { FollowerIndex } from './follower-index.ts'
import type { NameBook } from './name-book.ts'

/** Told when what a reader may see changed. */
export interface ReaderWatch {
  graphChanged(reader: Reader, author: number): void
  markRead(reader: Reader): void
}

export type Place = {
  readonly partition: number
  readonly offset: number
  readonly nowMs: number
  /** Replayed for a slot on its way here: it alone is concerned. */
  readonly only?: ReadonlySet<Slot>
}

const NOBODY: readonly Absent[] = []
const RELATIONS: ReadonlySet<Fact['kind']> = new Set([
  'followed',
  'unfollowed',
  'blocked',
  'unblocked',
  'muted',
  'unmuted',
  'read-marked',
])

export class Relations {
  readonly #state: CellState
  readonly #names: NameBook
  readonly #watch: ReaderWatch
  readonly #followers: FollowerIndex

  constructor(options: {
    state: CellState
    names: NameBook
    followers: FollowerIndex
    watch: ReaderWatch
  }) {
    this.#state = options.state
    this.#names = options.names
    this.#followers = options.followers
    this.#watch = options.watch
  }

  apply(fact: Followed | Unfollowed | Hidden | ReadMarked, at: Place): void {
    if (fact.kind === 'read-marked') {
      this.#markRead(fact, at)
      return
    }
    const changeTime = this.#timeOf(fact.asOfMs, at)
    if (changeTime === undefined) {
      if (at.only === undefined) this.#state.eventsRefused++
      return
    }
    if (fact.kind === 'followed' || fact.kind === 'unfollowed')
      this.#applyEdge(fact, at, changeTime)
    else this.#applyHidden(fact, at, changeTime)
  }

  /** Makes the author a reader of their own posts, if homed here. Before the post counts, so that it is covered. */
  linkSelf(user: UserRef, number: number, at: Omit<Place, 'nowMs'>): void {
    const slot = this.#state.slotOfUser(user.key)
    if (slot === undefined || slot.readers.has(number) || slot.away.has(number)) return
    this.#readerOf(user, at)
  }

  /** Whom the event is about, and who is away: they have to be in memory first. */
  absent(fact: Fact): readonly Absent[] {
    if (!('user' in fact) || !RELATIONS.has(fact.kind)) return NOBODY
    const isMute = fact.kind === 'muted' || fact.kind === 'unmuted'
    const users = 'target' in fact && !isMute ? [fact.user, fact.target] : [fact.user]
    return users.flatMap(({ key }) => {
      const slot = this.#state.slotOfUser(key)
      if (slot === undefined || slot.away.size === 0) return []
      const number = this.#names.lookup(key)
      return slot.away.has(number) ? [{ number, slot }] : []
    })
  }

  #applyEdge(fact: Followed | Unfollowed, at: Place, changeTime: ChangeTime): void {
    const reader = this.#readerOf(fact.user, at)
    if (reader === undefined) return
    const author = this.#names.numberOf(fact.author)
    // An unfollow may be the other one's doing, who blocks.
    if (fact.kind === 'followed') this.#noteActs(reader, changeTime)
    if (author === reader.number) return
    const followed = reader.follows(author)
    const changed =
      fact.kind === 'followed'
        ? reader.follow(author, {
            coverage: this.#state.authors.coverageAtLink(author),
            hideReblogs: fact.hideReblogs,
            at: changeTime,
          })
        : reader.unfollow(author, changeTime)
    this.#state.noteChange(reader)
    if (!changed) return
    const follows = reader.follows(author)
    if (follows !== followed) {
      this.#followers.note({
        author,
        user: fact.user.key,
        version: at.offset,
        follows,
      })
    }
    this.#watch.graphChanged(reader, author)
  }

  #applyHidden(fact: Hidden, at: Place, changeTime: ChangeTime): void {
    const on = fact.kind === 'blocked' || fact.kind === 'muted'
    const isMute = fact.kind === 'muted' || fact.kind === 'unmuted'
    const options = { on, at: changeTime }
    const reader = this.#readerOf(fact.user, at)
    if (reader !== undefined) {
      const target = this.#names.numberOf(fact.target)
      this.#noteActs(reader, changeTime)
      const changed = reader.setHidden(target, isMute ? MUTED : BLOCKED, options)
      this.#state.noteChange(reader)
      if (changed) this.#watch.graphChanged(reader, target)
    }
    const blocked = isMute ? undefined : this.#readerOf(fact.target, at)
    if (blocked !== undefined) {
      const user = this.#names.numberOf(fact.user)
      const changed = blocked.setHidden(user, BLOCKED_BY, options)
      this.#state.noteChange(blocked)
      if (changed) this.#watch.graphChanged(blocked, user)
    }
  }

  #markRead(fact: ReadMarked, at: Place): void {
    const reader = this.#readerOf(fact.user, at)
    if (reader === undefined || !reader.markRead(hiOf(fact.postId), loOf(fact.postId))) return
    this.#state.noteChange(reader)
    this.#watch.markRead(reader)
  }

  /** Who imports says nothing about when somebody was there. */
  #noteActs(reader: Reader, { ms, imported }: ChangeTime): void {
    if (!imported) this.#state.noteSeen(reader, ms)
  }

  /** Undefined for a snapshot too old to be judged. */
  #timeOf(asOfMs: number | undefined, at: Place): ChangeTime | undefined {
    if (asOfMs === undefined) return { ms: at.nowMs, imported: false }
    const { limits, rebuilt } = this.#state
    const knownFromMs = rebuilt?.knownFromMs[at.partition] ?? 0
    if (asOfMs < Math.max(at.nowMs - limits.relationMemoryMs, knownFromMs)) return undefined
    return { ms: asOfMs, imported: true }
  }

  /** The reader, made if new; undefined when homed elsewhere, or when the stored row reflects this event already. */
  #readerOf(user: UserRef, at: Omit<Place, 'nowMs'>): Reader | undefined {
    const slot = this.#state.slotOfUser(user.key)
    if (slot === undefined || !concerns(slot, at)) return undefined
    const number = this.#names.numberOf(user)
    const known = slot.readers.get(number)
    if (known !== undefined) {
      const reflected = known.recoveredAt?.[at.partition] ?? 0
      return at.offset < reflected ? undefined : known
    }
    if (slot.away.has(number)) throw new Error(`reader ${number} is away`)
    const reader = new Reader({ number, slot: slot.slot })
    reader.linkSelf(this.#state.authors.coverageAtLink(number))
    this.#state.addReader(reader)
    const { startedMs, runningMaxMs } = this.#state
    // Of those whom the log tells of anew it is not known whether they have read since.
    this.#state.noteSeen(reader, Math.max(startedMs, runningMaxMs[at.partition] ?? 0))
    this.#state.noteChange(reader)
    // Who watches already does so as nobody's reader.
    this.#watch.graphChanged(reader, number)
    return reader
  }
}

function concerns(slot: Slot, { partition, offset, only }: Omit<Place, 'nowMs'>): boolean {
  if (only !== undefined) return only.has(slot)
  return offset >= (slot.attachedFrom?.[partition] ?? 0)
}
