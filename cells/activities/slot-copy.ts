// Copies what another cell's store holds of some slots into this one, with this cell's own numbers, under a term of their own: readers
// into memory, chunks into the store. The source may go on meanwhile, so the order counts:
//
//     checkpoint V -> readers, reach -> chunks -> floors and classes
//
// The reach is read before the chunks: all that it says is written is there. Floors and classes are read after them: what the source
// took out of inboxes, or left out, while it was copied, it has said before. A reader's row may be newer than V; it names what it
// reflects.

import { decodeChunk } from '../model/chunk.ts'
import { ChunkEncoder } from '../model/chunk-encoder.ts'
import { NumberMap } from '../model/number-map.ts'
import type { SlotTerm } from '../model/placement.ts'
import { largerOf, type Position, zeroPosition } from '../model/position.ts'
import { COVERED_FROM, Reader } from '../model/reader.ts'
import { decodeAuthorFacts, decodeReach, decodeReader, type Reach } from '../model/rows.ts'
import type { CellStore, Chunk, GenerationRow } from '../ports/cell-store.ts'
import type { SlotSource } from '../ports/slot-source.ts'
import type { CellState, Slot } from './cell-state.ts'
import type { NameBook } from './name-book.ts'
import type { Persistence } from './persist.ts'
import { TheirNumbers } from './their-numbers.ts'

/** Coverage of what no inbox of the source holds; it is given its place when the slot is attached. */
export const NOT_COVERED = COVERED_FROM

const CHANGES_PER_USER = 4

/** A slot of this cell, and the stay in the source that it is copied from. */
export type Copied = {
  readonly slot: Slot
  readonly from: SlotTerm
  /** What the copied inboxes hold, and from where on. */
  reach: Reach
}

export class SlotCopy {
  readonly #state: CellState
  readonly #source: SlotSource
  readonly #store: CellStore
  readonly #names: NameBook
  readonly #persistence: Persistence
  readonly #signal: AbortSignal
  readonly #numbers: TheirNumbers
  readonly #encoder = new ChunkEncoder()

  constructor(options: {
    state: CellState
    source: SlotSource
    store: CellStore
    names: NameBook
    persistence: Persistence
    signal: AbortSignal
  }) {
    this.#state = options.state
    this.#source = options.source
    this.#store = options.store
    this.#names = options.names
    this.#persistence = options.persistence
    this.#signal = options.signal
    const { source, names, persistence } = options
    this.#numbers = new TheirNumbers({ names: source.names, ourNames: names, persistence })
  }

  /** `asOf`: the source's checkpoint, read before. Answers the generations that the chunks are of. */
  async run(copied: readonly Copied[], asOf: Position): Promise<readonly GenerationRow[]> {
    await this.#numbers.load()
    const reached = await this.#reach(copied)
    for (const each of copied) await this.#copyReaders(each, asOf)
    const generations = await this.#source.inbox.generations()
    for (const row of generations) {
      await this.#persistence.untilDurable(() => this.#store.inbox.putGeneration(row))
    }
    const months = [...new Set(generations.map(({ month }) => month))]
    for (const each of copied) for (const month of months) await this.#copyChunks(each, month)
    const later = await this.#reach(copied)
    for (const each of copied) {
      const [first, last] = [reached.get(each.slot.slot), later.get(each.slot.slot)]
      const position = first?.position ?? zeroPosition(this.#state.position.length)
      each.reach = { position, floor: Math.max(first?.floor ?? 0, last?.floor ?? 0) }
    }
    await this.#shrink(copied)
    return generations
  }

  async #reach(copied: readonly Copied[]): Promise<Map<number, Reach>> {
    const terms = new Map(copied.map(({ from }) => [from.slot, from.term]))
    const found = new Map<number, Reach>()
    for (const { slot, term, bytes } of await this.#source.readers.reach()) {
      if (terms.get(slot) === term) found.set(slot, decodeReach(bytes))
    }
    return found
  }

  async #copyReaders({ from }: Copied, asOf: Position): Promise<void> {
    for await (const rows of this.#source.readers.ofSlot(from)) {
      this.#signal.throwIfAborted()
      const theirs = rows.map((row) =>
        decodeReader({ number: row.reader, slot: from.slot }, row.bytes),
      )
      await this.#learn(theirs.flatMap(usersIn))
      for (const their of theirs) {
        const reader = this.#inOurNumbers(their)
        reader.recoveredAt = largerOf(their.recoveredAt ?? [], asOf)
        this.#state.addReader(reader)
      }
    }
  }

  #inOurNumbers(their: Reader): Reader {
    const reader = new Reader({
      number: this.#ours(their.number),
      slot: their.slot,
      edges: this.#renumbered(their.edges, 1) ?? new NumberMap(),
      hidden: this.#renumbered(their.hidden, 1),
      changes: this.#renumbered(their.changes, CHANGES_PER_USER),
    })
    reader.markRead(their.readMarkHi, their.readMarkLo)
    return reader
  }

  /** Keys are `number * per + what`. */
  #renumbered(map: NumberMap | undefined, per: number): NumberMap | undefined {
    if (map === undefined) return undefined
    map.compact()
    const renumbered = new NumberMap()
    for (let i = 0; i < map.size; i++) {
      const key = map.keys[i] as number
      const ours = this.#ours(Math.floor(key / per)) * per + (key % per)
      renumbered.set(ours, map.words[i] as number)
    }
    renumbered.compact()
    return renumbered
  }

  async #copyChunks({ slot, from }: Copied, month: number): Promise<void> {
    for await (const theirs of this.#source.inbox.chunksOf(from, month)) {
      this.#signal.throwIfAborted()
      const decoded = theirs.map((chunk) => ({ ...chunk, entries: decodeChunk(chunk.bytes) }))
      await this.#learn(
        decoded.flatMap(({ reader, entries }) => [reader, ...authorsIn(entries.authorReblog)]),
      )
      const chunks = decoded.map(({ reader, generation, part, entries }): Chunk => {
        const authorReblog = entries.authorReblog.map(
          (word) => this.#ours(word >>> 1) * 2 + (word & 1),
        )
        const bytes = this.#encoder.encode({ ...entries, authorReblog }, entries.length)
        return { reader: this.#ours(reader), generation, part, bytes }
      })
      await this.#names.flush()
      await this.#persistence.untilDurable(() => this.#store.inbox.putChunks(slot, month, chunks))
    }
  }

  /** Takes away what the source's classes, floors and raises say is not in its inboxes. */
  async #shrink(copied: readonly Copied[]): Promise<void> {
    const lost = new Map<number, number>()
    for await (const rows of this.#source.authors.all()) {
      for (const { author, bytes } of rows) {
        const { raised, pulled } = decodeAuthorFacts(bytes)
        const ours = this.#numbers.ours(author)
        if (ours !== undefined) lost.set(ours, pulled ? NOT_COVERED : raised)
      }
    }
    if (lost.size === 0) return
    for (const { slot } of copied) {
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

  /** A number that is not known was given after their names were read. */
  async #learn(theirs: readonly number[]): Promise<void> {
    if (theirs.some((number) => this.#numbers.keyOf(number) === undefined)) {
      await this.#numbers.load()
    }
    await this.#numbers.learn(theirs)
  }

  #ours(theirs: number): number {
    const ours = this.#numbers.ours(theirs)
    if (ours === undefined) throw new Error(`number ${theirs} of the source has no name there`)
    return ours
  }
}

function usersIn({ number, edges, hidden, changes }: Reader): number[] {
  const users = [number]
  for (const map of [edges, hidden]) {
    map?.compact()
    if (map !== undefined) users.push(...map.keys.subarray(0, map.size))
  }
  changes?.compact()
  for (const key of changes?.keys.subarray(0, changes.size) ?? []) {
    users.push(Math.floor(key / CHANGES_PER_USER))
  }
  return users
}

function authorsIn(authorReblog: Uint32Array): Set<number> {
  return new Set(Array.from(authorReblog, (word) => word >>> 1))
}
