// Puts into inboxes what pages have pulled often enough that it pays (model/pulled-pages.ts), and lowers the coverage after. In turn with
// generations: what was applied before the slot's reach is in the store then, and what came after is in the next generation, as its
// edge is covered.
//
//     posts read -> chunk durable -> coverage lowered in memory -> the reader's row, with the next checkpoint

import { ChunkEncoder } from '../model/chunk-encoder.ts'
import { coverFilled, FILL_MONTH, type FilledAuthor, fillableAuthors } from '../model/fill.ts'
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
import type { PostTable } from '../ports/post-table.ts'
import type { CellState, Slot } from './cell-state.ts'
import type { NameBook } from './name-book.ts'
import type { Persistence } from './persist.ts'
import type { PostBook } from './post-book.ts'

/** Numbered above all generations, and those of one boot above those of all boots before. */
const FILLS_FROM = 2 ** 52
const FILLS_PER_BOOT = 2 ** 30
/** Between two of such turns generations have theirs. */
const READERS_AT_ONCE = 16
const AUTHORS_AT_ONCE = 16
/** Readers of more go on pulling. */
const AUTHORS_MAX = 4_096
/** More of one author's posts stay where they are. */
const POSTS_MAX = 512

type Entry = { readonly author: number; readonly postId: PostId; readonly isReblog: boolean }

export class Filling {
  readonly #state: CellState
  readonly #table: InboxTable
  readonly #posts: Pick<PostTable, 'idsBelow'>
  readonly #names: NameBook
  readonly #book: Pick<PostBook, 'durableTo'>
  readonly #persistence: Persistence
  readonly #boot: number
  readonly #encoder = new ChunkEncoder()
  #fills = 0

  constructor(options: {
    state: CellState
    table: InboxTable
    posts: Pick<PostTable, 'idsBelow'>
    names: NameBook
    book: Pick<PostBook, 'durableTo'>
    persistence: Persistence
    boot: number
  }) {
    this.#state = options.state
    this.#table = options.table
    this.#posts = options.posts
    this.#names = options.names
    this.#book = options.book
    this.#persistence = options.persistence
    this.#boot = options.boot
  }

  get isWanted(): boolean {
    return this.#state.pulled.hasFillable
  }

  /** Some of those whom it pays for. Must not be called while a generation is written. */
  async run(): Promise<void> {
    for (const fillable of this.#state.pulled.take(READERS_AT_ONCE)) {
      // A store that fails is not asked again: pages go on pulling.
      await this.#persistence.tryFor(1, () => this.#fill(fillable))
    }
  }

  async #fill({ reader: number, second }: Fillable): Promise<void> {
    const state = this.#state
    const reader = state.readers.get(number)
    const slot = reader && state.slots.get(reader.slot)
    if (reader === undefined || slot === undefined || !this.#mayFill(reader, slot)) return
    const { authors } = state
    const fillable = fillableAuthors(reader, { authors, floor: slot.floor, second })
    if (fillable.length === 0 || fillable.length > AUTHORS_MAX) return
    const filled: FilledAuthor[] = []
    for (let from = 0; from < fillable.length; from += AUTHORS_AT_ONCE) {
      const some = fillable.slice(from, from + AUTHORS_AT_ONCE)
      filled.push(...(await Promise.all(some.map((each) => this.#read(each, second)))))
    }
    const entries = this.#inOrder(filled)
    if (entries.length > 0) await this.#put(slot, this.#chunksOf(number, entries))
    if (!this.#mayFill(reader, slot) || !coverFilled(reader, filled)) return
    state.entriesFilled += entries.length
    state.noteChange(reader)
  }

  /** Whether all that its inbox should have had by now is in the store. */
  #mayFill(reader: Reader, slot: Slot): boolean {
    if (this.#state.slots.get(slot.slot) !== slot || slot.readers.get(reader.number) !== reader) {
      return false
    }
    const isHere = slot.isOwned && slot.isComplete && !slot.isStandby
    return isHere && this.#book.durableTo >= slot.reachSeq
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

  async #put(slot: Slot, chunks: readonly Chunk[]): Promise<void> {
    await this.#names.flush()
    await this.#table.putChunks(slot, FILL_MONTH, chunks)
  }
}
