// How a cell's state looks in its store: readers, author facts, reach, window blocks and the checkpoint. Every row begins with a
// format byte, so that a newer row is refused by name instead of misread.

import { ByteReader, ByteWriter, CorruptRow } from './byte-writer.ts'
import { EventMemory, type PartitionMemory } from './event-memory.ts'
import type { GapPart } from './gap.ts'
import { NumberMap } from './number-map.ts'
import {
  FIRST_TERM,
  type Placement,
  type SlotRun,
  slotsIn,
  type SlotTerm,
  slotsOf,
} from './placement.ts'
import { type Position, zeroPosition } from './position.ts'
import { Reader } from './reader.ts'

const FORMAT = 1
/** Of a reader: knows whether the inbox was filled, without which posts are missed, and, the newest, when the reader was seen. */
const FORMAT_FILLED = 2
const FORMAT_SEEN = 3
/** At most what a row takes beside its maps, for all but very many partitions; and of each entry of them. */
const ROW_BYTES = 256
const ENTRY_BYTES = 8

/** About 8 bytes an edge. `position` is what the row reflects. */
export function encodeReader(reader: Reader, position: Position): Uint8Array {
  const { edges, hidden, changes } = reader
  const entries = edges.size + (hidden?.size ?? 0) + (changes?.size ?? 0)
  const to = new ByteWriter(ROW_BYTES + entries * ENTRY_BYTES)
  to.u8(FORMAT_SEEN).varints(position)
  to.u32(reader.readMarkHi).u32(reader.readMarkLo)
  for (const map of [edges, hidden, changes]) writeMap(to, map)
  return to.varint(reader.filledBelow).u32(reader.seenS).finish()
}

export function decodeReader(of: { number: number; slot: number }, bytes: Uint8Array): Reader {
  const from = open(bytes, 'reader', FORMAT_SEEN)
  const position = from.varints()
  const readMarkHi = from.u32()
  const readMarkLo = from.u32()
  const edges = readMap(from) ?? new NumberMap()
  const reader = new Reader({ ...of, edges, hidden: readMap(from), changes: readMap(from) })
  reader.readMarkHi = readMarkHi
  reader.readMarkLo = readMarkLo
  reader.recoveredAt = position
  const format = bytes[0] as number
  if (format >= FORMAT_FILLED) reader.filledBelow = from.varint()
  if (format >= FORMAT_SEEN) reader.seenS = from.u32()
  return reader
}

export type AuthorFacts = {
  readonly raised: number
  readonly pulled: boolean
  readonly deleted: boolean
}

export function encodeAuthorFacts(facts: AuthorFacts): Uint8Array {
  return new ByteWriter()
    .u8(FORMAT)
    .u32(facts.raised)
    .u8((facts.pulled ? 1 : 0) | (facts.deleted ? 2 : 0))
    .finish()
}

export function decodeAuthorFacts(bytes: Uint8Array): AuthorFacts {
  const from = open(bytes, 'author')
  const raised = from.u32()
  const flags = from.u8()
  return { raised, pulled: (flags & 1) !== 0, deleted: (flags & 2) !== 0 }
}

/** `floor`: coverage of the whole slot starts at this second at the earliest. */
export type Reach = {
  readonly floor: number
  readonly position: Position
  /** Of a slot that is being copied. */
  readonly copied?: CopiedSoFar
}
/** By which move, from which stay in its source, and whether all chunks up to the reach are here. */
export type CopiedSoFar = {
  readonly move: number
  readonly fromTerm: number
  readonly hasChunks: boolean
}

export function encodeReach({ floor, position, copied }: Reach): Uint8Array {
  const to = new ByteWriter().u8(FORMAT).u32(floor).varints(position)
  if (copied === undefined) return to.finish()
  return to
    .varint(copied.move)
    .varint(copied.fromTerm)
    .u8(copied.hasChunks ? 1 : 0)
    .finish()
}

export function decodeReach(bytes: Uint8Array): Reach {
  const from = open(bytes, 'reach')
  const reach = { floor: from.u32(), position: from.varints() }
  if (from.isAtEnd) return reach
  const copied = { move: from.varint(), fromTerm: from.varint(), hasChunks: from.u8() === 1 }
  return { ...reach, copied }
}

/** Entries of the window in the order they were applied, all at positions before `end`. */
export type WindowRun = {
  readonly end: Position
  readonly hi: Uint32Array
  readonly lo: Uint32Array
  /** author * 2 + (1 if it is a reblog). */
  readonly authorReblog: Uint32Array
}

export function encodeWindowRun(run: WindowRun): Uint8Array {
  const to = new ByteWriter().u8(FORMAT).varints(run.end).varint(run.hi.length)
  for (const words of [run.hi, run.lo, run.authorReblog]) to.words(words, words.length)
  return to.finish()
}

export function decodeWindowRun(bytes: Uint8Array): WindowRun {
  const from = open(bytes, 'window')
  const end = from.varints()
  const length = from.varint()
  return { end, hi: from.words(length), lo: from.words(length), authorReblog: from.words(length) }
}

/** What a restart begins with. */
export type CheckpointPicture = {
  readonly logId: string
  readonly position: Position
  /** Id of the last record applied in each partition, as digits; '0' where there is none. */
  readonly lastEventIds: readonly string[]
  readonly memory: readonly PartitionMemory[]
  /** Index blocks that make up the window, oldest first. */
  readonly windowBlocks: readonly { readonly boot: number; readonly count: number }[]
  readonly droppedHi: number
  readonly droppedLo: number
  readonly entriesDelivered: number
  /** Running maxima of append times at the position; where it is absent, those of `memory`. */
  readonly runningMaxMs?: readonly number[]
  readonly rebuilt?: Rebuilt
  /** Absent: every name that the store holds counts. */
  readonly names?: NamesKept
  /** The slots that the store holds, as of the position. Absent: those that the placement gave the cell when it was made. */
  readonly kept?: readonly KeptSlots[]
}

/**
 * Which names count: of numbers below `start` only these runs, from the first to the last of each. One that is not among them landed after
 * a process had read all names that it goes on from: who wrote it was superseded, and nobody has used it.
 */
export type NamesKept = {
  readonly start: number
  readonly runs: readonly (readonly [first: number, last: number])[]
}

export type KeptSlots = SlotRun & {
  readonly term: number
  /** The move that brought them here. */
  readonly move?: number
  /** Not all of their readers' edges are in the index of followers. */
  readonly unindexed?: true
}

/** A slot that a store holds by its checkpoint. */
export type KeptSlot = SlotTerm & { readonly move: number; readonly isIndexed: boolean }

/** What a cell must know whose posts were copied from another cell, because the log no longer had them. */
export type Rebuilt = {
  /** Posts, edits, marks and deletions of users before this are in the store. Of the log's records there, only relations count. */
  readonly postsFrom: Position
  /** Running maxima of append times there. */
  readonly postsFromMs: readonly number[]
  /** Per partition: changes before this may have been missed, so older snapshots cannot be judged and are refused. */
  readonly knownFromMs: readonly number[]
  /** Empty once it is closed. */
  readonly openGap: readonly GapPart[]
}

/** What a cell begins with that has never run. */
export function firstCheckpoint(log: {
  readonly logId: string
  readonly partitionsPerTopic: number
}): CheckpointPicture {
  const partitions = log.partitionsPerTopic * 2
  return {
    logId: log.logId,
    position: zeroPosition(partitions),
    lastEventIds: new Array<string>(partitions).fill('0'),
    memory: new EventMemory({ partitions }).snapshot(),
    windowBlocks: [],
    droppedHi: 0,
    droppedLo: 0,
    entriesDelivered: 0,
  }
}

/** What the store of a cell holds by its checkpoint. */
export function slotsKept(
  { kept }: CheckpointPicture,
  of: { readonly placement: Placement; readonly cell: string },
): KeptSlot[] {
  if (kept === undefined) {
    return slotsOf(of.placement, of.cell)
      .filter(({ term }) => term === FIRST_TERM)
      .map((slot) => ({ ...slot, move: 0, isIndexed: true }))
  }
  return kept.flatMap((run) =>
    slotsIn([run]).map((slot) => ({
      slot,
      term: run.term,
      move: run.move ?? 0,
      isIndexed: run.unindexed !== true,
    })),
  )
}

/** Slots as a checkpoint names them. */
export function keptSlots(slots: readonly KeptSlot[]): KeptSlots[] {
  const runs: { first: number; last: number; like: KeptSlot }[] = []
  for (const slot of [...slots].sort((a, b) => a.slot - b.slot)) {
    const before = runs.at(-1)
    if (before?.last === slot.slot - 1 && isAlike(before.like, slot)) before.last = slot.slot
    else runs.push({ first: slot.slot, last: slot.slot, like: slot })
  }
  return runs.map(({ first, last, like: { term, move, isIndexed } }) => ({
    first,
    last,
    term,
    ...(move === 0 ? {} : { move }),
    ...(isIndexed ? {} : { unindexed: true }),
  }))
}

function isAlike(a: KeptSlot, b: KeptSlot): boolean {
  return a.term === b.term && a.move === b.move && a.isIndexed === b.isIndexed
}

export function encodeCheckpoint(picture: CheckpointPicture): Uint8Array {
  const json = JSON.stringify(picture)
  return new ByteWriter()
    .u8(FORMAT)
    .run(new Uint8Array(Buffer.from(json)))
    .finish()
}

export function decodeCheckpoint(bytes: Uint8Array): CheckpointPicture {
  const from = open(bytes, 'checkpoint')
  return JSON.parse(Buffer.from(from.run()).toString()) as CheckpointPicture
}

function open(bytes: Uint8Array, what: string, newest = FORMAT): ByteReader {
  const from = new ByteReader(bytes)
  const format = from.u8()
  if (format < FORMAT || format > newest) {
    throw new CorruptRow(`${what} row of format ${format}; this version reads ${newest}`)
  }
  return from
}

function writeMap(to: ByteWriter, map: NumberMap | undefined): void {
  map?.compact()
  to.varint(map?.size ?? 0)
  if (map === undefined) return
  to.words(map.keys, map.size).words(map.words, map.size)
}

function readMap(from: ByteReader): NumberMap | undefined {
  const size = from.varint()
  return size === 0 ? undefined : new NumberMap(from.words(size), from.words(size))
}
