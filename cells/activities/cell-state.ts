// What a cell holds in memory, and the few questions that all activities ask of it. Changed by the applier and, while it starts,
// by recovery; everything here reflects exactly `position` whenever an activity awaits.

import { AuthorIndex } from '../model/author-index.ts'
import type { CellLimits } from '../model/cell-limits.ts'
import type { GapPart } from '../model/gap.ts'
import type { CellName, Placement, SlotTerm } from '../model/placement.ts'
import { slotOf, slotsOf } from '../model/placement.ts'
import { hasReached, type Position, zeroPosition } from '../model/position.ts'
import { hiOf, isAbove, loOf, msOfHalves } from '../model/post-id.ts'
import type { Reader } from '../model/reader.ts'
import type { Rebuilt } from '../model/rows.ts'
import type { UserKey } from '../model/user-key.ts'
import { PostWindow } from '../model/window.ts'
import type { GenerationRow } from '../ports/cell-store.ts'
import { Bell } from './bell.ts'

/** A slot that this cell owns, and the users homed in it. */
export type Slot = SlotTerm & {
  readonly readers: Map<number, Reader>
  /** Everything in the window before this is in the slot's inboxes. */
  reachSeq: number
  /** Coverage of the whole slot starts at this second at the earliest. */
  floor: number
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

export class CellState {
  readonly cell: CellName
  readonly placement: Placement
  readonly limits: CellLimits
  readonly authors = new AuthorIndex()
  readonly window = new PostWindow(this.authors)
  readonly slots = new Map<number, Slot>()
  readonly readers = new Map<number, Reader>()
  readonly position: number[]
  /** Running maximum of append time per partition, Unix ms. */
  readonly runningMaxMs: number[]
  readonly lastEventIds: bigint[]
  /** Oldest first. */
  readonly generations: KnownGeneration[] = []
  /** Readers changed since the last checkpoint took them. */
  dirtyReaders = new Set<Reader>()
  readonly moved = new Bell()
  /** Undefined of a cell that was never rebuilt. */
  rebuilt: Rebuilt | undefined
  entriesDelivered = 0
  eventsApplied = 0
  eventsRefused = 0
  eventsRepeated = 0

  constructor(options: {
    cell: CellName
    placement: Placement
    limits: CellLimits
    partitions: number
  }) {
    this.cell = options.cell
    this.placement = options.placement
    this.limits = options.limits
    this.position = zeroPosition(options.partitions)
    this.runningMaxMs = zeroPosition(options.partitions)
    this.lastEventIds = new Array<bigint>(options.partitions).fill(0n)
    for (const { slot, term } of slotsOf(options.placement, options.cell)) {
      this.slots.set(slot, { slot, term, readers: new Map(), reachSeq: 0, floor: 0 })
    }
  }

  slotOfUser(key: UserKey): Slot | undefined {
    return this.slots.get(slotOf(key, this.placement.slots))
  }

  addReader(reader: Reader): void {
    const slot = this.slots.get(reader.slot)
    if (slot === undefined) throw new Error(`slot ${reader.slot} is not owned by ${this.cell}`)
    this.readers.set(reader.number, reader)
    slot.readers.set(reader.number, reader)
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

  addGeneration({ generation, month, minId, maxId }: GenerationRow): void {
    const before = this.generations.at(-1)
    let maxHi = hiOf(maxId)
    let maxLo = loOf(maxId)
    if (before !== undefined && isAbove(before.maxHi, before.maxLo, maxHi, maxLo)) {
      maxHi = before.maxHi
      maxLo = before.maxLo
    }
    const min = { minHi: hiOf(minId), minLo: loOf(minId) }
    this.generations.push({ generation, month, ...min, maxHi, maxLo })
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

  /** The earliest sequence number that some slot's inboxes do not have yet. */
  leastReach(): number {
    let least = this.window.head
    for (const slot of this.slots.values()) least = Math.min(least, slot.reachSeq)
    return least
  }
}
