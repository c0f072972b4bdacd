// Copies what another cell's store holds of some slots into this one, with this cell's own numbers, under a term of their own: readers
// into memory, chunks into the store. The source may go on meanwhile, so the order counts:
//
//     checkpoint V -> readers, reach -> chunks -> floors and classes
//
// The reach is read before the chunks: all that it says is written is there. Floors and classes are read after them: what the source
// took out of inboxes, or left out, while it was copied, it has said before. A reader's row may be newer than V; it names what it
// reflects.

import { ChunkCursor } from '../model/chunk.ts'
import { ChunkRenumbering } from '../model/chunk-renumber.ts'
import { FILL_MONTH } from '../model/fill.ts'
import { NumberMap } from '../model/number-map.ts'
import type { SlotTerm, WantedPin } from '../model/placement.ts'
import { largerOf, type Position, zeroPosition } from '../model/position.ts'
import { COVERED_FROM, NOT_COVERED, Reader } from '../model/reader.ts'
import { decodeAuthorFacts, decodeReach, decodeReader, type Reach } from '../model/rows.ts'
import type { CellStore, Chunk, GenerationRow } from '../ports/cell-store.ts'
import type { SlotSource } from '../ports/slot-source.ts'
import type { Clock } from '../ports/clock.ts'
import type { CellState, Slot } from './cell-state.ts'
import type { NameBook } from './name-book.ts'
import type { Persistence } from './persist.ts'
import { TheirNumbers } from './their-numbers.ts'
import type { Throttle } from './throttle.ts'

const CHANGES_PER_USER = 4
const SLOTS_AT_ONCE = 16
/** Between two of such parts others have their turn; so many make a full step of the pace. */
const READERS_AT_ONCE = 16
const READERS_A_STEP = 64
const CHUNKS_AT_ONCE = 16
const CHUNKS_A_STEP = 128
const TRIES_MAX = 5
const RETRY_MS = 100
/** Maps of more entries are renumbered one by one. Keys, of less than 2^33, times this are exact. */
const PLACES = 2 ** 20

/** A slot of this cell, and the stay in the source that it is copied from. */
export type Copied = {
  readonly slot: Slot
  readonly from: SlotTerm
  /** What the copied inboxes hold, and from where on. */
  reach: Reach
  /** Whether the chunks up to it are here already, of a copy that was broken off. */
  readonly hasChunks: boolean
}

/** How much of the slots is here, from 0 to 1, and what was copied. */
export type CopyProgress = {
  readonly part: number
  readonly readers: number
  readonly bytes: number
}

export class SlotCopy {
  readonly #state: CellState
  readonly #source: SlotSource
  readonly #store: CellStore
  readonly #names: NameBook
  readonly #persistence: Persistence
  readonly #clock: Clock
  readonly #throttle: Throttle
  readonly #numbers: TheirNumbers
  readonly #pins: readonly WantedPin[]
  readonly #noteWhole: (copied: Copied, reach: Reach) => Promise<void>
  readonly #renumbering = new ChunkRenumbering()
  #order = new Float64Array(0)
  /** Slots whose readers, or chunks, are here, of how many in all. */
  #done = 0
  #toDo = 1
  #readers = 0
  #bytes = 0

  constructor(options: {
    state: CellState
    source: SlotSource
    store: CellStore
    names: NameBook
    persistence: Persistence
    clock: Clock
    throttle: Throttle
    /** Who goes to a slot of their own. */
    pins: readonly WantedPin[]
    /** All chunks of a slot that reach so far are durable. */
    noteWhole: (copied: Copied, reach: Reach) => Promise<void>
  }) {
    this.#state = options.state
    this.#source = options.source
    this.#store = options.store
    this.#names = options.names
    this.#persistence = options.persistence
    this.#clock = options.clock
    this.#throttle = options.throttle
    this.#pins = options.pins
    this.#noteWhole = options.noteWhole
    const { source, names: ourNames, persistence, throttle } = options
    const inTurn = { yield: () => throttle.turn() }
    this.#numbers = new TheirNumbers({ names: source.names, ourNames, persistence, clock: inTurn })
  }

  get progress(): CopyProgress {
    return { part: this.#done / this.#toDo, readers: this.#readers, bytes: this.#bytes }
  }

  /** `asOf`: the source's checkpoint, read before. Answers the generations that the chunks are of; a standby gets none. */
  async run(
    copied: readonly Copied[],
    { asOf, isStandby }: { readonly asOf: Position; readonly isStandby: boolean },
  ): Promise<readonly GenerationRow[]> {
    const reached = isStandby ? new Map<number, Reach>() : await this.#reach(copied)
    const unreached = { floor: 0, position: zeroPosition(this.#state.position.length) }
    for (const each of copied) {
      if (!each.hasChunks) each.reach = reached.get(each.from.slot) ?? unreached
    }
    const chunkless = isStandby ? [] : copied.filter(({ hasChunks }) => !hasChunks)
    this.#toDo = copied.length + chunkless.length
    await this.#eachOf(copied, (each) => this.#copyReaders(each, asOf))
    const generations = isStandby ? [] : await this.#source.inbox.generations()
    for (const row of generations) {
      await this.#persistence.untilDurable(() => this.#store.inbox.putGeneration(row))
    }
    const months = [...new Set(generations.map(({ month }) => month))]
    await this.#eachOf(chunkless, async (each) => {
      for (const month of months) await this.#copyChunks(each, month)
      await this.#noteWhole(each, each.reach)
    })
    // Also of slots that are whole: a row says what the inbox was filled with, and it may be newer than they are.
    const isFilled = ({ slot }: Copied) => [...slot.readers.values()].some(wasFilled)
    const filled = isStandby ? [] : copied.filter(isFilled)
    this.#toDo += filled.length
    await this.#eachOf(filled, (each) => this.#copyChunks(each, FILL_MONTH))
    const later = await this.#reach(copied)
    for (const each of copied) {
      const { position, floor } = each.reach
      each.reach = { position, floor: Math.max(floor, later.get(each.from.slot)?.floor ?? 0) }
    }
    await this.#shrink(copied)
    return generations
  }

  /** Slot after slot, some at a time: a store has several to read and to write at once. None goes on when one has failed. */
  async #eachOf(copied: readonly Copied[], copy: (each: Copied) => Promise<void>): Promise<void> {
    const left = [...copied]
    const some = async (): Promise<void> => {
      for (let each = left.shift(); each !== undefined; each = left.shift()) {
        const now = each
        await this.#insist(() => copy(now)).catch((error: unknown) => {
          left.length = 0
          throw error
        })
        this.#done++
      }
    }
    const workers = Array.from({ length: SLOTS_AT_ONCE }, some)
    // Not before all have ended: what they write would be met again.
    const ends = await Promise.allSettled(workers)
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  /** What is copied of a slot when its source fails is copied over: there is little of it, and much of the others. */
  async #insist(copy: () => Promise<void>): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await copy()
        return
      } catch (error) {
        if (!(error instanceof SourceFailed) || tries === TRIES_MAX) throw error
        // Rejects when the copy is given up.
        await this.#throttle.step()
        await this.#clock.sleep(RETRY_MS * 2 ** tries)
      }
    }
  }

  async #reach(copied: readonly Copied[]): Promise<Map<number, Reach>> {
    const terms = new Map(copied.map(({ from }) => [from.slot, from.term]))
    const found = new Map<number, Reach>()
    for (const { slot, term, bytes } of await this.#source.readers.reach()) {
      if (terms.get(slot) === term) found.set(slot, decodeReach(bytes))
    }
    return found
  }

  /** Whether a user of the source's slot goes to this one. */
  #belongs(theirs: number, { slot, from }: Copied): boolean {
    if (this.#pins.length === 0) return true
    const key = this.#numbers.keyOf(theirs)
    const to = this.#pins.find(({ user }) => user === key)?.slot ?? from.slot
    return to === slot.slot
  }

  async #copyReaders(copied: Copied, asOf: Position): Promise<void> {
    const { from, slot } = copied
    for await (const all of read(this.#source.readers.ofSlot(from))) {
      for (const rows of inParts(all, READERS_AT_ONCE)) {
        await this.#throttle.step(rows.length / READERS_A_STEP)
        const theirs = rows.map((row) =>
          decodeReader({ number: row.reader, slot: from.slot }, row.bytes),
        )
        await this.#numbers.learn(this.#strangersIn(theirs))
        for (const their of theirs) {
          if (!this.#belongs(their.number, copied)) continue
          const reader = this.#inOurNumbers(their, slot)
          reader.recoveredAt = largerOf(their.recoveredAt ?? [], asOf)
          this.#state.addReader(reader)
        }
        this.#count(rows, rows.length)
      }
    }
  }

  #count(rows: readonly { readonly bytes: Uint8Array }[], readers: number): void {
    const size = rows.reduce((sum, { bytes }) => sum + bytes.length, 0)
    this.#readers += readers
    this.#bytes += size
    this.#state.readersCopied += readers
    this.#state.bytesCopied += size
  }

  #inOurNumbers(their: Reader, { slot }: Slot): Reader {
    const reader = new Reader({
      number: this.#ours(their.number),
      slot,
      edges: this.#renumbered(their.edges, 1) ?? new NumberMap(),
      hidden: this.#renumbered(their.hidden, 1),
      changes: this.#renumbered(their.changes, CHANGES_PER_USER),
    })
    reader.markRead(their.readMarkHi, their.readMarkLo)
    reader.filledBelow = their.filledBelow
    reader.seenS = their.seenS
    return reader
  }

  /** Keys are `number * per + what`. */
  #renumbered(map: NumberMap | undefined, per: number): NumberMap | undefined {
    if (map === undefined) return undefined
    map.compact()
    const { size } = map
    const oursAt = (i: number): number => {
      const key = map.keys[i] as number
      return per === 1 ? this.#ours(key) : this.#ours(Math.floor(key / per)) * per + (key % per)
    }
    if (size > PLACES) {
      const renumbered = new NumberMap()
      for (let i = 0; i < size; i++) renumbered.set(oursAt(i), map.words[i] as number)
      return renumbered
    }
    // Our key and the place it comes from, in one number each: sorted, they are the new map.
    if (this.#order.length < size) this.#order = new Float64Array(size * 2)
    const order = this.#order.subarray(0, size)
    for (let i = 0; i < size; i++) order[i] = oursAt(i) * PLACES + i
    order.sort()
    const keys = new Uint32Array(size)
    const words = new Uint32Array(size)
    for (let i = 0; i < size; i++) {
      const both = order[i] as number
      keys[i] = Math.floor(both / PLACES)
      words[i] = map.words[both % PLACES] as number
    }
    return new NumberMap(keys, words)
  }

  async #copyChunks(copied: Copied, month: number): Promise<void> {
    const { slot, from } = copied
    for await (const all of read(this.#source.inbox.chunksOf(from, month))) {
      for (const some of inParts(all, CHUNKS_AT_ONCE)) {
        await this.#throttle.step(some.length / CHUNKS_A_STEP)
        await this.#numbers.learn(some.map(({ reader }) => reader))
        const theirs = some.filter(({ reader }) => this.#belongs(reader, copied))
        const cursors = theirs.map(({ bytes }) => new ChunkCursor(bytes))
        await this.#numbers.learn(this.#strangersOf(cursors))
        const chunks = theirs.map(({ reader, generation, part, bytes }, i): Chunk => {
          const renumbered = this.#renumbering.renumber(
            bytes,
            cursors[i] as ChunkCursor,
            this.#ours,
          )
          return { reader: this.#ours(reader), generation, part, bytes: renumbered }
        })
        await this.#names.flush()
        await this.#persistence.untilDurable(() => this.#store.inbox.putChunks(slot, month, chunks))
        this.#count(theirs, 0)
      }
    }
  }

  /** Who has no number here yet. Nearly all have, so they are not collected first. */
  #strangersIn(readers: readonly Reader[]): Set<number> {
    const strangers = new Set<number>()
    for (const { number, edges, hidden, changes } of readers) {
      if (this.#numbers.ours(number) === 0) strangers.add(number)
      this.#addStrangers(edges, 1, strangers)
      this.#addStrangers(hidden, 1, strangers)
      this.#addStrangers(changes, CHANGES_PER_USER, strangers)
    }
    return strangers
  }

  /** Keys are `number * per + what`. */
  #addStrangers(map: NumberMap | undefined, per: number, to: Set<number>): void {
    if (map === undefined) return
    map.compact()
    for (let i = 0; i < map.size; i++) {
      const key = map.keys[i] as number
      const number = per === 1 ? key : Math.floor(key / per)
      if (this.#numbers.ours(number) === 0) to.add(number)
    }
  }

  #strangersOf(chunks: readonly ChunkCursor[]): Set<number> {
    const strangers = new Set<number>()
    for (const { authors } of chunks) {
      for (let i = 0; i < authors.length; i++) {
        const number = authors[i] as number
        if (this.#numbers.ours(number) === 0) strangers.add(number)
      }
    }
    return strangers
  }

  /** What no inbox of the source holds is given its place when the slot is attached. Takes away what the source's classes, floors and raises say is not in its inboxes. */
  async #shrink(copied: readonly Copied[]): Promise<void> {
    const lost = new Map<number, number>()
    for await (const rows of this.#source.authors.all()) {
      await this.#clock.yield()
      for (const { author, bytes } of rows) {
        const { raised, pulled } = decodeAuthorFacts(bytes)
        const ours = this.#numbers.ours(author)
        if (ours !== 0) lost.set(ours, pulled ? NOT_COVERED : raised)
      }
    }
    if (lost.size === 0) return
    for (const { slot } of copied) {
      await this.#clock.yield()
      for (const { edges } of slot.readers.values()) {
        edges.compact()
        for (let i = 0; i < edges.size; i++) {
          const word = edges.words[i] as number
          const covered = Math.max(word & COVERED_FROM, lost.get(edges.keys[i] as number) ?? 0)
          edges.words[i] = ((word & ~COVERED_FROM) | covered) >>> 0
        }
      }
    }
  }

  readonly #ours = (theirs: number): number => {
    const ours = this.#numbers.ours(theirs)
    if (ours === 0) throw new Error(`number ${theirs} of the source has no name there`)
    return ours
  }
}

function wasFilled({ filledBelow }: Reader): boolean {
  return filledBelow > 0
}

class SourceFailed extends Error {
  readonly code = 'SOURCE_FAILED'
  override readonly name = 'SourceFailed'
}

/** What a store gives; throws SourceFailed. */
async function* read<T>(rows: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* rows
  } catch (cause) {
    throw new SourceFailed('the store of the source failed', { cause })
  }
}

function* inParts<T>(rows: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < rows.length; from += size) yield rows.slice(from, from + size)
}
