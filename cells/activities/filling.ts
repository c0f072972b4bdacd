// Puts into inboxes what pages have pulled often enough that it pays (model/pulled-pages.ts), and lowers the coverage after. In turn with
// generations, and when everything applied so far is in the store: what comes after is in the next generation, as its edge is covered.
//
//     posts durable -> read -> chunk durable -> coverage lowered in memory -> the reader's row, with the next checkpoint

import { ChunkEncoder } from '../model/chunk-encoder.ts'
import {
  coverFilled,
  coversMore,
  FILL_MONTH,
  type FilledAuthor,
  fillableAuthors,
} from '../model/fill.ts'
import {
  firstIdAt,
  hiOf,
  ID_EPOCH_MS,
  loOf,
  type PostId,
  secondOfHalves,
} from '../model/post-id.ts'
import type { Fillable } from '../model/pulled-pages.ts'
import type { Reader } from '../model/reader.ts'
import type { Chunk, InboxTable } from '../ports/cell-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { PostTable } from '../ports/post-table.ts'
import type { CellState, Slot } from './cell-state.ts'
import type { NameBook } from './name-book.ts'
import type { Persistence } from './persist.ts'
import type { PostBook } from './post-book.ts'

/** Numbered above all generations, and those of one boot above those of all boots before. */
const FILLS_FROM = 2 ** 52
const FILLS_PER_BOOT = 2 ** 30
const AUTHORS_AT_ONCE = 16
/** More of one author's posts, or of all authors', stay where they are. */
const POSTS_MAX = 512
const ENTRIES_MAX = 16_384

type Entry = { readonly author: number; readonly postId: PostId; readonly isReblog: boolean }

export class Filling {
  readonly #state: CellState
  readonly #table: InboxTable
  readonly #posts: Pick<PostTable, 'idsBelow'>
  readonly #names: NameBook
  readonly #book: Pick<PostBook, 'settle'>
  readonly #persistence: Persistence
  readonly #clock: Pick<Clock, 'yield'>
  readonly #boot: number
  readonly #encoder = new ChunkEncoder()
  #fills = 0

  constructor(options: {
    state: CellState
    table: InboxTable
    posts: Pick<PostTable, 'idsBelow'>
    names: NameBook
    book: Pick<PostBook, 'settle'>
    persistence: Persistence
    clock: Pick<Clock, 'yield'>
    boot: number
  }) {
    this.#state = options.state
    this.#table = options.table
    this.#posts = options.posts
    this.#names = options.names
    this.#book = options.book
    this.#persistence = options.persistence
    this.#clock = options.clock
    this.#boot = options.boot
  }

  get isWanted(): boolean {
    return this.#state.pulled.hasFillable
  }

  /** The inbox of the next one for whom it pays. Must not be called while a generation is written. */
  async next(): Promise<void> {
    const fillable = this.#state.pulled.next()
    // A store that fails is not asked again: pages go on pulling.
    if (fillable !== undefined) await this.#persistence.tryFor(1, () => this.#fill(fillable))
  }

  async #fill({ reader: number, second }: Fillable): Promise<void> {
    const state = this.#state
    const reader = state.readers.get(number)
    const slot = reader && state.slots.get(reader.slot)
    if (reader === undefined || slot === undefined || !this.#mayFill(reader, slot)) return
    const { authors } = state
    const fillable = fillableAuthors(reader, { authors, floor: slot.floor, second })
    if (fillable.length === 0) return
    await this.#book.settle()
    const filled: FilledAuthor[] = []
    let found = 0
    for (let from = 0; from < fillable.length && found < ENTRIES_MAX; from += AUTHORS_AT_ONCE) {
      const some = fillable.slice(from, from + AUTHORS_AT_ONCE)
      const read = await Promise.all(some.map((each) => this.#read(each, second)))
      filled.push(...read.filter(coversMore))
      found += read.reduce((sum, { postIds }) => sum + postIds.length, 0)
      await this.#clock.yield()
    }
    const entries = this.#inOrder(filled)
    await this.#names.flush()
    // Rows of a stay that was dropped meanwhile would be found by nobody.
    if (!this.#mayFill(reader, slot)) return
    const chunks = this.#chunksOf(number, entries)
    if (chunks.length > 0) await this.#table.putChunks(slot, FILL_MONTH, chunks)
    if (!this.#mayFill(reader, slot) || !coverFilled(reader, filled)) return
    state.entriesFilled += entries.length
    state.noteChange(reader)
  }

  #mayFill(reader: Reader, slot: Slot): boolean {
    if (this.#state.slots.get(slot.slot) !== slot || slot.readers.get(reader.number) !== reader) {
      return false
    }
    return slot.isOwned && slot.isComplete && !slot.isStandby
  }

  /** The author's posts before the coverage, down to the second. */
  async #read(
    { author, coveredFrom }: { readonly author: number; readonly coveredFrom: number },
    second: number,
  ): Promise<FilledAuthor> {
    const limit = this.#state.limits.pullBatch
    const postIds: PostId[] = []
    const reblogs: boolean[] = []
    let below: PostId | undefined = firstIdAt(ID_EPOCH_MS + coveredFrom * 1_000)
    for (;;) {
      const batch = await this.#posts.idsBelow(author, below, limit)
      postIds.push(...batch.postIds)
      reblogs.push(...batch.reblogs)
      below = batch.postIds.at(-1)
      const isWhole = batch.postIds.length < limit
      const isDeep = below === undefined || secondOfHalves(hiOf(below), loOf(below)) < second
      if (isWhole || isDeep || postIds.length >= POSTS_MAX) {
        return { author, coveredFrom, postIds, reblogs, isWhole }
      }
    }
  }

  #inOrder(filled: readonly FilledAuthor[]): Entry[] {
    const entries = filled.flatMap(({ author, postIds, reblogs }) =>
      postIds.map((postId, i) => ({ author, postId, isReblog: reblogs[i] === true })),
    )
    const { table } = this.#names
    return entries.sort((a, b) => {
      if (a.postId !== b.postId) return a.postId > b.postId ? -1 : 1
      return table.compareKeys(a.author, b.author)
    })
  }

  #chunksOf(reader: number, entries: readonly Entry[]): Chunk[] {
    const generation = FILLS_FROM + this.#boot * FILLS_PER_BOOT + ++this.#fills
    const { chunkEntriesMax } = this.#state.limits
    const chunks: Chunk[] = []
    for (let from = 0; from < entries.length; from += chunkEntriesMax) {
      const some = entries.slice(from, from + chunkEntriesMax)
      const columns = {
        hi: Uint32Array.from(some, ({ postId }) => hiOf(postId)),
        lo: Uint32Array.from(some, ({ postId }) => loOf(postId)),
        authorReblog: Uint32Array.from(
          some,
          ({ author, isReblog }) => author * 2 + (isReblog ? 1 : 0),
        ),
      }
      const bytes = this.#encoder.encode(columns, some.length).slice()
      chunks.push({ reader, generation, part: chunks.length, bytes })
    }
    return chunks
  }
}
