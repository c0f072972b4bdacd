// What a cell holds in memory, and the few questions that all activities ask of it. Changed by the applier and, while it starts,
// by recovery; everything here reflects exactly `position` whenever an activity awaits.

import { AuthorIndex } from '../model/author-index.ts'
import type { CellLimits } from '../model/cell-limits.ts'
import { CostMeter } from '../model/costs.ts'
import type { GapPart } from '../model/gap.ts'
import type { CellName, Pin, Placement, SlotRun, SlotTerm } from '../model/placement.ts'
import { findOwner, slotOf } from '../model/placement.ts'
import { hasReached, largerOf, type Position, zeroPosition } from '../model/position.ts'
import { hiOf, isAbove, loOf, msOfHalves } from '../model/post-id.ts'
import { Judgements } from '../model/judgements.ts'
import { Rates } from '../model/rates.ts'
import { NumberMap } from '../model/number-map.ts'
import { ReadRate } from '../model/read-rate.ts'
import { ReadVitals } from '../model/read-vitals.ts'
import { COVERED_FROM, type Reader, secondOf } from '../model/reader.ts'
import type { Rebuilt } from '../model/rows.ts'
import type { UserKey } from '../model/user-key.ts'
import { PulledPages } from '../model/pulled-pages.ts'
import { PostWindow } from '../model/window.ts'
import { WindowMarks } from '../model/window-marks.ts'
import type { GenerationRow } from '../ports/cell-store.ts'
import { Bell } from './bell.ts'

/** A slot that this cell keeps, and the users homed in it. */
export type Slot = SlotTerm & {
  readonly readers: Map<number, Reader>
  /** Numbers of readers of whom only the store knows more (away.ts), and which departure it was. */
  readonly away: NumberMap
  /** Everything in the window before this is in the slot's inboxes. */
  reachSeq: number
  /** Coverage of the whole slot starts at this second at the earliest. */
  floor: number
  /** By the placement that this cell knows. */
  isOwned: boolean
  /** It is held for another cell that may die: it gets no inboxes. */
  isStandby: boolean
  /** Everything of it is here: it may be read, written into inboxes, and named by checkpoints. */
  isComplete: boolean
  /** Checkpoints name it: what they stand for is in the store, or written by them. */
  isNamed: boolean
  /** A durable checkpoint names it. */
  isDurable: boolean
  /** The move that brought it here; 0 of one that was here from the beginning. */
  move: number
  /** Its readers' edges are all in the index of followers. */
  isIndexed: boolean
  /**
   * Per partition: what the log holds before this offset is, or will be, in the readers as they were copied; from there on the
   * cell's own events count for them. Undefined of a slot that is followed from its beginning.
   */
  attachedFrom: number[] | undefined
  /** What was copied may hold everything before this: nobody reads it earlier. Undefined once that is applied. */
  reflects: Position | undefined
  /** Reads under way, and how many there are a second. */
  reads: number
  readonly readRate: ReadRate
}

/** A generation that may have chunks: all its entries are at or above `min`, those of it and of older ones at or below `max`. */
export type KnownGeneration = {
  readonly generation: number
  readonly month: number
  readonly minHi: number
  readonly minLo: number
  readonly maxHi: number
  readonly maxLo: number
}

const READERS_SAMPLED = 256
/** Of the time after which a reader is dormant: what a row need not be told. */
const SEEN_PARTS = 32

export class CellState {
  readonly cell: CellName
  #placement: Placement
  #pins: ReadonlyMap<UserKey, Pin>
  readonly limits: CellLimits
  readonly authors = new AuthorIndex()
  readonly window = new PostWindow(this.authors)
  readonly marks = new WindowMarks()
  /** Those that are kept: owned, on their way here, or given away not long ago. */
  readonly slots = new Map<number, Slot>()
  readonly readers = new Map<number, Reader>()
  readonly position: number[]
  /** Running maximum of append time per partition, Unix ms. */
  readonly runningMaxMs: number[]
  readonly lastEventIds: bigint[]
  /** Oldest first. Replaced as a whole where some are put in between: reads go on with what they began with. */
  generations: readonly KnownGeneration[] = []
  /** Readers changed since the last checkpoint took them. */
  dirtyReaders = new Set<Reader>()
  readonly moved = new Bell()
  /** Rings when the placement or what is kept of it has changed. */
  readonly replaced = new Bell()
  /** Undefined of a cell that was never rebuilt. */
  rebuilt: Rebuilt | undefined
  readonly vitals = new ReadVitals()
  readonly startedMs: number
  readonly costs: CostMeter
  readonly rates: Rates
  /** Of the records that this process has passed. */
  judgements: Judgements
  /** By moves to here, since the start. */
  readersCopied = 0
  bytesCopied = 0
  entriesDelivered = 0
  /** Put into inboxes after they were pulled. */
  entriesFilled = 0
  readonly pulled = new PulledPages()
  eventsApplied = 0
  eventsRefused = 0
  eventsRepeated = 0
  #departures = 0

  constructor(options: {
    cell: CellName
    placement: Placement
    limits: CellLimits
    partitions: number
    nowMs: number
  }) {
    this.cell = options.cell
    this.startedMs = options.nowMs
    this.#placement = options.placement
    this.#pins = pinsOf(options.placement)
    this.limits = options.limits
    this.costs = new CostMeter(options.limits.costs)
    this.rates = new Rates({ timeConstantMs: options.limits.policy.rateMs, nowMs: options.nowMs })
    this.position = zeroPosition(options.partitions)
    this.judgements = new Judgements(this.position)
    this.runningMaxMs = zeroPosition(options.partitions)
    this.lastEventIds = new Array<bigint>(options.partitions).fill(0n)
  }

  get placement(): Placement {
    return this.#placement
  }

  /** Learns a newer placement; false when it is none. */
  place(placement: Placement): boolean {
    if (placement.epoch <= this.#placement.epoch) return false
    this.#placement = placement
    this.#pins = pinsOf(placement)
    for (const slot of this.slots.values()) this.#placed(slot)
    this.replaced.ring()
    return true
  }

  /** Whether this cell is the owner of a slot that it keeps, as far as it knows. */
  owns({ slot, term }: SlotTerm): boolean {
    const owner = findOwner(this.#placement, slot)
    return owner?.cell === this.cell && owner.term === term
  }

  #placed(slot: Slot): void {
    slot.isOwned = this.owns(slot)
    const { moves } = this.#placement
    slot.isStandby =
      !slot.isOwned && moves.some(({ id, isStandby }) => isStandby && id === slot.move)
  }

  /** Says which move brought a slot here. */
  cameBy(slot: Slot, move: number): void {
    slot.move = move
    this.#placed(slot)
  }

  /** Of what is kept. A user who is pinned, or about to be, is in an older copy of the other users' slot, too. */
  slotOfUser(key: UserKey): Slot | undefined {
    const shared = this.slots.get(slotOf(key, this.#placement.slots))
    const pin = this.#pins.get(key)
    if (pin === undefined) return shared
    const isOlder = shared !== undefined && shared.term < pin.term
    return this.slots.get(pin.slot) ?? (isOlder ? shared : undefined)
  }

  /** Users whose own slots these are. */
  pinnedIn(slots: readonly SlotRun[]): UserKey[] {
    return this.#placement.pins
      .filter(({ slot }) => slots.some(({ first, last }) => first <= slot && slot <= last))
      .map(({ user }) => user)
  }

  /** Keeps a slot from now on; what it holds is loaded, or comes with the log. */
  keep({ slot, term }: SlotTerm): Slot {
    const kept: Slot = {
      slot,
      term,
      readers: new Map(),
      away: new NumberMap(),
      reachSeq: 0,
      floor: 0,
      isOwned: this.owns({ slot, term }),
      isStandby: false,
      isComplete: true,
      isNamed: true,
      isDurable: true,
      move: 0,
      isIndexed: true,
      attachedFrom: undefined,
      reflects: undefined,
      reads: 0,
      readRate: new ReadRate(),
    }
    this.slots.set(slot, kept)
    return kept
  }

  /** Forgets a slot and its readers. What the store holds of it stays. */
  forget(slot: Slot): void {
    if (this.slots.get(slot.slot) !== slot) return
    this.slots.delete(slot.slot)
    for (const reader of slot.readers.values()) {
      // An older copy may hold a user who has a slot of their own here.
      if (this.readers.get(reader.number) === reader) this.readers.delete(reader.number)
      this.dirtyReaders.delete(reader)
    }
    this.replaced.ring()
  }

  /** As of now: a copied one may hold what this cell has still to apply. */
  isReadable(slot: Slot | undefined): boolean {
    return slot?.isComplete === true && hasReached(this.position, slot.reflects ?? [])
  }

  /** From here on everybody whom this cell owns now can be read. */
  get reflectedByOwned(): Position {
    let reflected: Position = zeroPosition(this.position.length)
    for (const { isComplete, isOwned, reflects } of this.slots.values()) {
      if (isComplete && isOwned && reflects !== undefined) reflected = largerOf(reflected, reflects)
    }
    return reflected
  }

  /** The slots that may be read, and written into inboxes. */
  get complete(): Slot[] {
    return [...this.slots.values()].filter(({ isComplete }) => isComplete)
  }

  addReader(reader: Reader): void {
    const slot = this.slots.get(reader.slot)
    if (slot === undefined) throw new Error(`slot ${reader.slot} is not kept by ${this.cell}`)
    this.readers.set(reader.number, reader)
    slot.readers.set(reader.number, reader)
    if (reader.seenS > 0) return
    // Of whom nothing is known may have been here just now.
    reader.seenS = secondOf(this.startedMs)
    this.noteChange(reader)
  }

  /** To be told of each change of a reader: the next checkpoint writes the row. */
  noteChange(reader: Reader): void {
    reader.revision++
    this.dirtyReaders.add(reader)
  }

  /** From now on the reader's row is all there is. */
  letGo(reader: Reader, slot: Slot): void {
    if (this.readers.get(reader.number) === reader) this.readers.delete(reader.number)
    slot.readers.delete(reader.number)
    this.stayAway(reader.number, slot)
  }

  /** Somebody of whom the row is all there is. */
  stayAway(number: number, slot: Slot): void {
    slot.away.set(number, ++this.#departures)
  }

  /** That a reader reads, or changes something. */
  noteSeen(reader: Reader, atMs: number): void {
    const seenS = secondOf(atMs)
    if ((seenS - reader.seenS) * 1_000 <= this.limits.policy.dormantMs / SEEN_PARTS) return
    reader.seenS = seenS
    this.noteChange(reader)
  }

  get readersAway(): number {
    let away = 0
    for (const slot of this.slots.values()) away += slot.away.size
    return away
  }

  /** Unix ms in which the window's oldest post was made. */
  get windowStartsAtMs(): number | undefined {
    const { window } = this
    if (window.size === 0) return undefined
    const oldest = window.tail >>> 0
    return msOfHalves(window.hiAt(oldest), window.loAt(oldest))
  }

  /** Memory of all readers, estimated from some of them. */
  get readersBytes(): number {
    let sampled = 0
    let bytes = 0
    for (const reader of this.readers.values()) {
      bytes += reader.bytes
      if (++sampled === READERS_SAMPLED) break
    }
    return sampled === 0 ? 0 : Math.round((bytes / sampled) * this.readers.size)
  }

  get eventsSeen(): number {
    return this.eventsApplied + this.eventsRefused + this.eventsRepeated
  }

  addGeneration(row: GenerationRow): void {
    this.addGenerations([row])
  }

  /** Those that are known already are passed over. */
  addGenerations(rows: readonly GenerationRow[]): void {
    const known = new Set(this.generations.map(({ generation }) => generation))
    const added = rows
      .filter(({ generation }) => !known.has(generation))
      .map(({ generation, month, minId, maxId }) => {
        const min = { minHi: hiOf(minId), minLo: loOf(minId) }
        return { generation, month, ...min, maxHi: hiOf(maxId), maxLo: loOf(maxId) }
      })
    const all = [...this.generations, ...added].sort((a, b) => a.generation - b.generation)
    let [maxHi, maxLo] = [0, 0]
    this.generations = all.map((each) => {
      if (isAbove(each.maxHi, each.maxLo, maxHi, maxLo)) [maxHi, maxLo] = [each.maxHi, each.maxLo]
      return { ...each, maxHi, maxLo }
    })
  }

  /** Resolves true once everything before `seen` is applied, false when the signal aborts first. */
  async reached(seen: Position, signal: AbortSignal): Promise<boolean> {
    while (!hasReached(this.position, seen)) {
      if (signal.aborted) return false
      await this.moved.wait(signal)
    }
    return true
  }

  /** What nobody saw of relations, and nobody has said since. */
  get openGap(): readonly GapPart[] {
    return this.rebuilt?.openGap ?? []
  }

  /** The earliest sequence number that some slot's inboxes do not have yet; of those that get inboxes. */
  leastReach(): number {
    return this.#least((slot) => !slot.isStandby)
  }

  /** The earliest one that something here stands for. */
  leastKept(): number {
    return this.#least(() => true)
  }

  #least(counts: (slot: Slot) => boolean): number {
    let least = this.window.head
    for (const slot of this.slots.values()) {
      if (slot.isComplete && counts(slot)) least = Math.min(least, slot.reachSeq)
    }
    return least
  }
}
/** Who has a slot of their own, and who is about to get one: until that counts, all copies are older. */
function pinsOf({ pins, moves }: Placement): ReadonlyMap<UserKey, Pin> {
  const wanted = moves.flatMap((move) => move.pins)
  const all = [...wanted.map((pin) => ({ ...pin, term: Number.POSITIVE_INFINITY })), ...pins]
  return new Map(all.map((pin) => [pin.user, pin]))
}

/** The same slot, for who reads in nobody's place. */
export function lookedAt(slot: Slot): Slot {
  return Object.create(slot) as Slot
}

/** The same, and of its inboxes nothing is known. */
export function uncovered(slot: Slot): Slot {
  return Object.assign(lookedAt(slot), { floor: COVERED_FROM })
}
