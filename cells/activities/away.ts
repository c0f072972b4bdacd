// Readers who are away are not in memory: of whom no inbox holds anything (policy.ts), and who have not read for long. What is known of
// them is their row in the store. They come back with their first read, or with the first event about them; their dashboard is
// whole at once, as pages pull what no inbox covers.
//
// A row is what a reader goes away with: everything that changed before is durable, and nothing has changed since. While a call that may
// use the reader is under way, in this slot, the reader stays.

import { hasReached } from '../model/position.ts'
import type { Reader } from '../model/reader.ts'
import { decodeReader } from '../model/rows.ts'
import type { ReaderRow, ReaderTable } from '../ports/cell-store.ts'
import type { Clock } from '../ports/clock.ts'
import type { CellState, Slot } from './cell-state.ts'
import type { Claim } from './claim.ts'
import type { Persistence } from './persist.ts'
import type { ReaderClasses } from './reader-classes.ts'

const SWEEP_MAX_MS = 60_000
const READERS_PER_STEP = 1_024
/** Who goes at a time: each is looked at twice. */
const LEAVING_MAX = 100_000

export type Absent = { readonly number: number; readonly slot: Slot }
type Read = () => Promise<ReaderRow | undefined>
type Leaving = { readonly reader: Reader; readonly revision: number }

export class Away {
  readonly #state: CellState
  readonly #table: Pick<ReaderTable, 'get'>
  readonly #persistence: Persistence
  readonly #claim: Pick<Claim, 'confirm'>
  readonly #classes: ReaderClasses
  readonly #checkpoint: () => Promise<void>
  readonly #clock: Clock
  readonly #signal: AbortSignal

  constructor(options: {
    state: CellState
    table: Pick<ReaderTable, 'get'>
    persistence: Persistence
    claim: Pick<Claim, 'confirm'>
    classes: ReaderClasses
    /** Takes one that begins now. */
    checkpoint: () => Promise<void>
    clock: Clock
    signal: AbortSignal
  }) {
    this.#state = options.state
    this.#table = options.table
    this.#persistence = options.persistence
    this.#claim = options.claim
    this.#classes = options.classes
    this.#checkpoint = options.checkpoint
    this.#clock = options.clock
    this.#signal = options.signal
  }

  /** The reader, in memory from now on. Undefined when nobody of this number lives in the slot, or the slot is not kept any more. */
  async bring(number: number, slot: Slot): Promise<Reader | undefined> {
    for (;;) {
      const here = slot.readers.get(number)
      if (here !== undefined || !slot.away.has(number)) return here
      await this.#come(number, slot, () => this.#table.get(slot, number))
      if (this.#state.slots.get(slot.slot) !== slot) return undefined
    }
  }

  /** Until nobody of them is away, whatever the store does. */
  async bringAll(who: () => readonly Absent[]): Promise<void> {
    for (let absent = who(); absent.length > 0; absent = who()) {
      this.#state.moved.ring()
      for (const { number, slot } of absent) {
        await this.#come(number, slot, () =>
          this.#persistence.untilDurable(() => this.#table.get(slot, number)),
        )
      }
    }
  }

  /** What the row says of somebody who is away, and stays away; undefined when all of the stay was dropped meanwhile. */
  async look(number: number, slot: Slot): Promise<Reader | undefined> {
    const reader = readerOf(await this.#table.get(slot, number), slot)
    if (reader === undefined) await this.#assertDropped(number, slot)
    return reader
  }

  async #assertDropped(number: number, slot: Slot): Promise<void> {
    // By a successor of this process, which has given the slot away.
    await this.#claim.confirm()
    if (this.#state.slots.get(slot.slot) !== slot) return
    throw new Error(`reader ${number} of slot ${slot.slot} has no row`)
  }

  async #come(number: number, slot: Slot, read: Read): Promise<void> {
    const departure = slot.away.get(number)
    const reader = readerOf(await read(), slot)
    // Who came back and went again has a newer row.
    const isHere = departure === undefined || slot.away.get(number) !== departure
    if (this.#state.slots.get(slot.slot) !== slot || isHere) return
    if (reader === undefined) return this.#assertDropped(number, slot)
    // A row may be ahead of a cell that recovers.
    if (hasReached(this.#state.position, reader.recoveredAt ?? [])) reader.recoveredAt = undefined
    // What was left out when the reader went is what the inbox went without since.
    reader.leavesOut = true
    slot.away.delete(number)
    this.#state.addReader(reader)
  }

  /** Lets go of who is away, until the cell stops. */
  async run(): Promise<void> {
    const { dormantMs } = this.#state.limits.policy
    const sweepMs = Math.min(SWEEP_MAX_MS, Math.max(1_000, dormantMs / 4))
    while (!this.#signal.aborted) {
      await this.#clock.sleep(sweepMs, this.#signal)
      if (!this.#signal.aborted) await this.sweep()
    }
  }

  /** Lets go of everybody who may go now. */
  async sweep(): Promise<void> {
    const leaving = await this.#leaving()
    if (leaving.length === 0) return
    await this.#checkpoint()
    for (const { reader, revision } of leaving) {
      const slot = this.#state.slots.get(reader.slot)
      if (slot === undefined || reader.revision !== revision || !this.#mayGo(reader, slot)) continue
      this.#state.letGo(reader, slot)
    }
  }

  async #leaving(): Promise<Leaving[]> {
    const leaving: Leaving[] = []
    let looked = 0
    for (const slot of this.#state.complete) {
      for (const reader of slot.readers.values()) {
        if (++looked % READERS_PER_STEP === 0) await this.#clock.yield()
        if (leaving.length === LEAVING_MAX) return leaving
        const nowMs = this.#clock.nowMs()
        // For whoever watches on and on, and never reads.
        const readerClass = this.#classes.of(reader, slot, nowMs)
        if (readerClass === 'watcher') this.#state.noteSeen(reader, nowMs)
        if (readerClass !== 'dormant' || !this.#mayGo(reader, slot)) continue
        leaving.push({ reader, revision: reader.revision })
      }
    }
    return leaving
  }

  #mayGo(reader: Reader, slot: Slot): boolean {
    if (!slot.isDurable || !slot.isIndexed || slot.isStandby || slot.reads > 0) return false
    if (slot.readers.get(reader.number) !== reader || reader.recoveredAt !== undefined) return false
    if (this.#classes.of(reader, slot, this.#clock.nowMs()) !== 'dormant') return false
    return reader.leavesOut && reader.lacksAllCoverage
  }
}

function readerOf(row: ReaderRow | undefined, { slot }: Slot): Reader | undefined {
  return row === undefined ? undefined : decodeReader({ number: row.reader, slot }, row.bytes)
}
