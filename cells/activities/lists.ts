// Whom a reader follows, blocks and mutes, and which of an author's followers are homed here. All in key order, so that cells can be
// merged.

import type { NumberMap } from '../model/number-map.ts'
import { BLOCKED, BLOCKED_BY, HIDE_REBLOGS, MUTED, type Reader } from '../model/reader.ts'
import type { UserKey } from '../model/user-key.ts'
import type {
  FollowersPage,
  FollowingPage,
  ReadersPage,
  ReadersQuery,
  RelationsPage,
} from '../ports/cell-client.ts'
import type { Away } from './away.ts'
import type { CellState, Slot } from './cell-state.ts'
import { readMarkOf } from './dashboard-reader.ts'
import type { FollowerIndex } from './follower-index.ts'
import type { NameBook } from './name-book.ts'

type After<Key> = { readonly after: Key | undefined; readonly limit: number }

const ROWS_AT_ONCE = 200

export class Lists {
  readonly #state: CellState
  readonly #names: NameBook
  readonly #followers: FollowerIndex
  readonly #away: Pick<Away, 'look'>

  constructor(options: {
    state: CellState
    names: NameBook
    followers: FollowerIndex
    away: Pick<Away, 'look'>
  }) {
    this.#state = options.state
    this.#names = options.names
    this.#followers = options.followers
    this.#away = options.away
  }

  async following(reader: Reader | undefined, query: After<UserKey>): Promise<FollowingPage> {
    const after = query.after ?? ''
    const all: { number: number; key: UserKey; hideReblogs: boolean }[] = []
    const isGone = reader !== undefined && this.#state.authors.isDeleted(reader.number)
    const edges = isGone ? undefined : reader?.edges
    edges?.compact()
    const size = edges?.size ?? 0
    for (let i = 0; i < size; i++) {
      const number = edges?.keys[i] as number
      const key = this.#names.table.keyOf(number)
      if (key === undefined || number === reader?.number || this.#state.authors.isDeleted(number))
        continue
      all.push({ number, key, hideReblogs: (edges?.words[i] as number) >= HIDE_REBLOGS })
    }
    const rest = all.filter(({ key }) => key > after).sort((a, b) => (a.key < b.key ? -1 : 1))
    const page = rest.slice(0, query.limit)
    const ids = await this.#names.idsOf(page.map(({ number }) => number))
    return {
      following: page.map(({ key, hideReblogs }, i) => ({
        author: key,
        id: ids[i] ?? '',
        hideReblogs,
      })),
      next: rest.length > page.length ? page.at(-1)?.key : undefined,
    }
  }

  /**
   * All relations of the viewer with others. With users who were deleted there are none. A comparison of copies does without the
   * `id`s, each of which is a read of the store.
   */
  async relations(
    reader: Reader | undefined,
    query: After<UserKey>,
    withIds = true,
  ): Promise<RelationsPage> {
    if (reader === undefined || this.#state.authors.isDeleted(reader.number)) {
      return { related: [], readMark: undefined, next: undefined }
    }
    const { edges, hidden } = reader
    const found: { number: number; key: UserKey }[] = []
    for (const number of new Set([...numbersIn(edges), ...numbersIn(hidden)])) {
      const key = this.#names.table.keyOf(number)
      if (number === reader.number || this.#state.authors.isDeleted(number)) continue
      if (key !== undefined && key > (query.after ?? '')) found.push({ number, key })
    }
    const page = found.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, query.limit)
    const related = page.map(({ number, key }) => ({
      user: key,
      follows: edges.has(number),
      hideReblogs: (edges.get(number) ?? 0) >= HIDE_REBLOGS,
      blocks: (reader.hiddenBits(number) & BLOCKED) !== 0,
      mutes: (reader.hiddenBits(number) & MUTED) !== 0,
      blockedBy: (reader.hiddenBits(number) & BLOCKED_BY) !== 0,
    }))
    const ids = withIds ? await this.#names.idsOf(page.map(({ number }) => number)) : []
    return {
      related: related.map((each, i) => ({ ...each, id: ids[i] ?? '' })),
      readMark: readMarkOf(reader),
      next: found.length > page.length ? page.at(-1)?.key : undefined,
    }
  }

  async readersOf(slot: Slot, { after, limit, withIds }: ReadersQuery): Promise<ReadersPage> {
    const numbers = [...slot.readers.keys(), ...numbersIn(slot.away)]
    const keys = numbers.flatMap((number) => this.#names.table.keyOf(number) ?? [])
    const rest = keys.filter((key) => key > (after ?? '')).sort((a, b) => (a < b ? -1 : 1))
    const readers = rest.slice(0, limit)
    const withNumbers = withIds === true ? readers.map((key) => this.#names.lookup(key)) : []
    const ids = await this.#names.idsOf(withNumbers)
    return { readers, ids, next: rest.length > readers.length ? readers.at(-1) : undefined }
  }

  async followersHere(
    query: After<UserKey> & { readonly author: UserKey },
  ): Promise<FollowersPage> {
    const author = this.#names.lookup(query.author)
    if (author === 0 || this.#state.authors.isDeleted(author)) {
      return { followers: [], next: undefined }
    }
    const users: UserKey[] = []
    // Of some nobody follows any more.
    const atOnce = Math.max(query.limit + 1, ROWS_AT_ONCE)
    let after = query.after
    while (users.length <= query.limit) {
      const keys = await this.#followers.after(author, after, atOnce)
      // Deleted meanwhile: follows that came after it are no follows.
      if (this.#state.authors.isDeleted(author)) return { followers: [], next: undefined }
      const end = keys.length < atOnce ? undefined : keys.at(-1)
      const candidates = new Set([...keys, ...this.#notIndexed(author, after, end)])
      const away = await this.#lookAt(candidates)
      const found = [...candidates].filter((key) => this.#isFollowerHere(key, author, away))
      users.push(...found.sort((a, b) => (a < b ? -1 : 1)))
      after = end
      if (end === undefined) break
    }
    const page = users.slice(0, query.limit)
    const ids = await this.#names.idsOf(page.map((key) => this.#names.lookup(key)))
    return {
      followers: page.map((user, i) => ({ user, id: ids[i] ?? '' })),
      next: users.length > page.length ? page.at(-1) : undefined,
    }
  }

  /** Followers whom the index need not have yet, with keys above `after` up to `end`. */
  #notIndexed(author: number, after: UserKey | undefined, end: UserKey | undefined): UserKey[] {
    const found: UserKey[] = []
    for (const slot of this.#state.slots.values()) {
      if (slot.isIndexed || !slot.isComplete) continue
      for (const reader of slot.readers.values()) {
        const key = reader.follows(author) ? this.#names.table.keyOf(reader.number) : undefined
        if (key !== undefined && key > (after ?? '') && (end === undefined || key <= end))
          found.push(key)
      }
    }
    return found
  }

  /** The index may say too much. */
  #isFollowerHere(user: UserKey, author: number, away: ReadonlyMap<number, Reader>): boolean {
    const number = this.#names.lookup(user)
    // One's own posts are on one's dashboard, but nobody is their own follower.
    if (number === author || this.#state.authors.isDeleted(number)) return false
    const slot = this.#state.slotOfUser(user)
    if (slot === undefined || !this.#state.isReadable(slot)) return false
    const reader = slot.readers.get(number) ?? away.get(number)
    return reader?.follows(author) === true
  }

  /** Rows of those users who are away, all of whom are when it answers. */
  async #lookAt(users: Iterable<UserKey>): Promise<ReadonlyMap<number, Reader>> {
    const known = new Map<number, Reader>()
    for (;;) {
      const missing = [...users].flatMap((user) => {
        const number = this.#names.lookup(user)
        const slot = known.has(number) ? undefined : this.#awaySlotOf(user, number)
        return slot === undefined ? [] : [{ number, slot }]
      })
      if (missing.length === 0) return known
      await Promise.all(
        missing.map(async ({ number, slot }) => {
          const reader = await this.#away.look(number, slot)
          if (reader !== undefined) known.set(number, reader)
        }),
      )
    }
  }

  #awaySlotOf(user: UserKey, number: number): Slot | undefined {
    const slot = this.#state.slotOfUser(user)
    return slot?.away.has(number) === true ? slot : undefined
  }
}

function numbersIn(map: NumberMap | undefined): Iterable<number> {
  map?.compact()
  return map?.keys.subarray(0, map.size) ?? []
}
