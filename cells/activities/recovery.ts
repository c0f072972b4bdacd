// Brings a cell back from its store: names, authors, readers and window as of the last checkpoint and later, then the event ids that
// are still remembered. After that the log is replayed from the checkpoint; the cell serves when it has reached where the log
// ended when it started, or what it showed before could vanish from a page.
//
// The log must be the one the checkpoint was taken of: same identity, the last record of each partition still there with the
// id it had, and nothing missing in between. Otherwise the cell refuses to run.

import { EventMemory } from '../model/event-memory.ts'
import { hiOf, loOf } from '../model/post-id.ts'
import { hasReached, type Position } from '../model/position.ts'
import {
  type CheckpointPicture,
  decodeAuthorFacts,
  decodeCheckpoint,
  decodeReach,
  decodeReader,
  decodeWindowRun,
  type Reach,
} from '../model/rows.ts'
import type { CellStore } from '../ports/cell-store.ts'
import { type Firehose, FirehoseGap, type LogBatch } from '../ports/firehose.ts'
import type { CellState } from './cell-state.ts'
import type { NameBook } from './name-book.ts'

export type RecoveredBlock = {
  readonly boot: number
  readonly count: number
  readonly from: number
  readonly to: number
}

export type Recovered = {
  readonly memory: EventMemory
  readonly blocks: readonly RecoveredBlock[]
}

const FETCH_RECORDS = 10_000

export class Recovery {
  readonly #state: CellState
  readonly #store: CellStore
  readonly #names: NameBook
  readonly #firehose: Firehose

  constructor(options: {
    state: CellState
    store: CellStore
    names: NameBook
    firehose: Firehose
  }) {
    this.#state = options.state
    this.#store = options.store
    this.#names = options.names
    this.#firehose = options.firehose
  }

  async run(): Promise<Recovered> {
    const stored = await this.#store.checkpoints.get()
    const picture = stored === undefined ? undefined : decodeCheckpoint(stored.bytes)
    const end = await this.#checkLog(picture)
    await this.#names.load()
    this.#state.authors.reserve(this.#names.end)
    await this.#loadAuthors()
    for (const row of (await this.#store.inbox.generations()).sort(
      (a, b) => a.generation - b.generation,
    )) {
      this.#state.addGeneration(row)
    }
    const reached = await this.#reached(end)
    for (const slot of this.#state.slots.values()) slot.floor = reached.get(slot.slot)?.floor ?? 0
    const blocks = picture === undefined ? [] : await this.#loadWindow(picture, reached)
    await this.#loadReaders(end)
    const memory = await this.#restoreMemory(picture)
    return { memory, blocks }
  }

  /** Answers where the log ends. */
  async #checkLog(picture: CheckpointPicture | undefined): Promise<Position> {
    const { logId } = this.#firehose.identity
    const { start, end } = await this.#firehose.bounds()
    if (picture === undefined) {
      const lost = start.findIndex((offset) => offset > 0)
      if (lost >= 0) {
        throw new FirehoseGap(
          `partition ${lost} of the firehose begins at offset ${start[lost]}: a cell without a checkpoint needs it from 0`,
        )
      }
      return end
    }
    if (picture.logId !== logId) {
      throw new FirehoseGap(
        `the firehose is ${logId}, but the checkpoint was taken of ${picture.logId}`,
      )
    }
    for (const [partition, offset] of picture.position.entries()) {
      await this.#checkPartition(partition, offset, picture, {
        start: start[partition] ?? 0,
        end: end[partition] ?? 0,
      })
    }
    return end
  }

  async #checkPartition(
    partition: number,
    offset: number,
    picture: CheckpointPicture,
    bounds: { start: number; end: number },
  ): Promise<void> {
    if (offset < bounds.start || offset > bounds.end) {
      throw new FirehoseGap(
        `partition ${partition}: the cell is at offset ${offset}, the firehose holds ${bounds.start} to ${bounds.end}`,
      )
    }
    const expected = picture.lastEventIds[partition] ?? '0'
    if (offset <= bounds.start || expected === '0') return
    const batch = await this.#firehose.fetch(partition, offset - 1, 1)
    const last = batch.records[0]
    if (last === undefined || last.offset !== offset - 1) return
    if (String(last.event.id) !== expected) {
      throw new FirehoseGap(
        `partition ${partition}, offset ${last.offset}: another record than the one applied; the firehose was made anew`,
      )
    }
  }

  async #loadAuthors(): Promise<void> {
    const { authors } = this.#state
    for await (const blocks of this.#store.authors.greatest()) {
      for (const { block, bytes } of blocks) authors.loadBlock(block, bytes)
    }
    for await (const rows of this.#store.authors.all()) {
      for (const row of rows) {
        const facts = decodeAuthorFacts(row.bytes)
        authors.raise(row.author, facts.raised)
        if (facts.deleted) authors.setDeleted(row.author)
        if (!facts.pulled) continue
        authors.pull(row.author)
        authors.setLeftOut(row.author, true)
      }
    }
  }

  /** Loads the window's blocks and finds from where on each slot's inboxes lack what is in it. */
  async #loadWindow(
    picture: CheckpointPicture,
    reached: ReadonlyMap<number, Reach>,
  ): Promise<RecoveredBlock[]> {
    const state = this.#state
    const behind = new Set(state.slots.values())
    const blocks: RecoveredBlock[] = []
    for (const [i, block] of (await this.#store.window.get(picture.windowBlocks)).entries()) {
      const name = picture.windowBlocks[i]
      if (block === undefined || name === undefined) {
        throw new Error(
          `window block ${name?.boot}.${name?.count} that the checkpoint names is gone`,
        )
      }
      const run = decodeWindowRun(block.bytes)
      const from = state.window.head
      for (let at = 0; at < run.hi.length; at++) {
        const authorReblog = run.authorReblog[at] as number
        const author = authorReblog >>> 1
        state.window.insert(
          author,
          run.hi[at] as number,
          run.lo[at] as number,
          (authorReblog & 1) === 1,
        )
      }
      for (const slot of behind) {
        const reach = reached.get(slot.slot)
        if (reach !== undefined && hasReached(reach.position, run.end)) {
          slot.reachSeq = state.window.head
        } else behind.delete(slot)
      }
      blocks.push({ boot: name.boot, count: name.count, from, to: state.window.head })
    }
    state.window.noteDropped(picture.droppedHi, picture.droppedLo)
    state.entriesDelivered = picture.entriesDelivered
    for (const [partition, offset] of picture.position.entries()) {
      state.position[partition] = offset
      state.runningMaxMs[partition] = picture.memory[partition]?.runningMaxMs ?? 0
      state.lastEventIds[partition] = BigInt(picture.lastEventIds[partition] ?? '0')
    }
    return blocks
  }

  async #reached(end: Position): Promise<Map<number, Reach>> {
    const rows = await this.#store.readers.reach()
    const own = rows.filter((row) => this.#state.slots.get(row.slot)?.term === row.term)
    const reached = own.map((row) => [row.slot, decodeReach(row.bytes)] as const)
    for (const [, { position }] of reached) assertWithin(position, end)
    return new Map(reached)
  }

  async #loadReaders(end: Position): Promise<void> {
    const state = this.#state
    for (const slot of state.slots.values()) {
      for await (const rows of this.#store.readers.ofSlot(slot)) {
        for (const row of rows) {
          const reader = decodeReader({ number: row.reader, slot: slot.slot }, row.bytes)
          assertWithin(reader.recoveredAt ?? [], end)
          state.addReader(reader)
        }
      }
    }
  }

  /** Reads the ids again that were remembered at the checkpoint. */
  async #restoreMemory(picture: CheckpointPicture | undefined): Promise<EventMemory> {
    const { repeatWindowMs } = this.#state.limits
    if (picture === undefined) {
      return new EventMemory({ partitions: this.#state.position.length, repeatWindowMs })
    }
    const memory = EventMemory.restore(picture.memory, { repeatWindowMs })
    for (const [partition, end] of picture.position.entries()) {
      let from = await this.#keptFrom(partition, picture.memory[partition]?.replayFromOffset ?? 0)
      while (from < end) {
        const batch = await this.#fetchKept(partition, from)
        if (batch !== undefined && batch.nextOffset > from) {
          feed(memory, batch, end)
          from = batch.nextOffset
          continue
        }
        const kept = await this.#keptFrom(partition, from)
        if (kept === from) {
          throw new FirehoseGap(`partition ${partition}: nothing to read at ${from}, before ${end}`)
        }
        from = kept
      }
    }
    return memory
  }

  /** Undefined when the log no longer reaches back so far: retention may have gone on since the bounds were read. */
  async #fetchKept(partition: number, from: number): Promise<LogBatch | undefined> {
    try {
      return await this.#firehose.fetch(partition, from, FETCH_RECORDS)
    } catch (error) {
      if (error instanceof FirehoseGap) return undefined
      throw error
    }
  }

  async #keptFrom(partition: number, offset: number): Promise<number> {
    const { start } = await this.#firehose.bounds()
    return Math.max(offset, start[partition] ?? 0)
  }
}

/** Rows run ahead of the checkpoint. One that is ahead of the log is of records that the log has lost. */
function assertWithin(position: Position, end: Position): void {
  if (hasReached(end, position)) return
  throw new FirehoseGap(
    `the cell has applied records up to ${position.join()}, but the firehose ends at ${end.join()}: its newest are lost`,
  )
}

function feed(memory: EventMemory, batch: LogBatch, end: number): void {
  for (const record of batch.records) {
    if (record.offset >= end) return
    memory.admit({
      partition: batch.partition,
      offset: record.offset,
      appendedAtMs: record.appendedAtMs,
      idHi: hiOf(record.event.id),
      idLo: loOf(record.event.id),
    })
  }
}
