// A cell's own store, wide-column shaped: everything but the posts (post-table.ts). Common rules: a write resolves when it is
// durable; rows of one call may become durable one by one, in any order; a write that failed or timed out may still land, also
// after later writes, so every row that changes carries a version and the greater version stays. Keys of `inbox`, `readers`
// and `reach` begin with (slot, term), so a slot's stay is read and dropped whole. A store that does not answer rejects with an error of
// code STORE_UNAVAILABLE: a read may be repeated.

import type { SlotTerm } from '../model/placement.ts'
import type { PostId } from '../model/post-id.ts'
import type { UserKey } from '../model/user-key.ts'
import type { PostTable } from './post-table.ts'

/** Orders writes of one cell: its boot number (unique, growing, from the control store), then a counter within the boot. */
export type Version = { readonly boot: number; readonly count: number }

export type Chunk = {
  readonly reader: number
  /** Up to 2^53 - 1: unique for ever, later ones greater. */
  readonly generation: number
  /** A generation's chunk of one reader may be split; parts are 0, 1, ... newest entries first. */
  readonly part: number
  readonly bytes: Uint8Array
}
/** Written before any chunk of the generation: `month` places its chunks, `minId` and `maxId` bound their entries. */
export type GenerationRow = {
  readonly generation: number
  readonly month: number
  readonly minId: PostId
  readonly maxId: PostId
}

/** Chunks are insert-only: written once per (slot, term, reader, generation, part), or again with the same bytes. */
export interface InboxTable {
  putGeneration(row: GenerationRow): Promise<void>
  generations(): Promise<GenerationRow[]>
  /** All chunks of one call belong to one slot and month. */
  putChunks(at: SlotTerm, month: number, chunks: readonly Chunk[]): Promise<void>
  /**
   * A reader's chunks of one month with generation < `below`, newest generation first, then by part. At least `limit` chunks
   * unless the month has no more: all parts of a generation come together, so the next call goes on below the last one.
   */
  chunksBelow(
    at: SlotTerm,
    month: number,
    reader: number,
    below: number,
    limit: number,
  ): Promise<Chunk[]>
  /** All chunks of a stay's month, each once, in bounded batches. One that is added meanwhile may be missed. */
  chunksOf(at: SlotTerm, month: number): AsyncIterable<readonly Chunk[]>
  /** Bytes and rows kept, for operators. */
  size(): Promise<{ chunks: number; bytes: number }>
}

export type ReachRow = SlotTerm & { readonly version: Version; readonly bytes: Uint8Array }
export type ReaderRow = SlotTerm & {
  readonly reader: number
  readonly version: Version
  readonly bytes: Uint8Array
}

export interface ReaderTable {
  put(rows: readonly ReaderRow[]): Promise<void>
  get(at: SlotTerm, reader: number): Promise<ReaderRow | undefined>
  /** All readers of a slot's stay, in batches. */
  ofSlot(at: SlotTerm): AsyncIterable<readonly ReaderRow[]>
  putReach(rows: readonly ReachRow[]): Promise<void>
  reach(): Promise<ReachRow[]>
  /** Drops readers, chunks and reach of a slot's stay; the reach last, so that one that is dropped by half can be found. */
  dropTerm(at: SlotTerm): Promise<void>
}

/**
 * `version` is the offset of the event in the author's partition; of a row made from the edges of a reader, at least the greatest
 * offset that the reader reflects. So every follower has a row, and some who are none may: the reader itself decides. `follows`
 * false is a tombstone.
 */
export type FollowerRow = {
  readonly author: number
  readonly user: UserKey
  readonly version: number
  readonly follows: boolean
}

export interface FollowerTable {
  put(rows: readonly FollowerRow[]): Promise<void>
  /** Followers of the author with key > `after`, in key order, at most `limit`. */
  after(author: number, after: UserKey | undefined, limit: number): Promise<UserKey[]>
}

/** Facts of an author that are durable at once and never overwritten by a checkpoint's older picture. */
export type AuthorRow = {
  readonly author: number
  readonly version: Version
  readonly bytes: Uint8Array
}
/** Greatest ids of authors `block * AUTHORS_PER_BLOCK ...`, packed. */
export type GreatestBlock = {
  readonly block: number
  readonly version: Version
  readonly bytes: Uint8Array
}

export interface AuthorTable {
  put(rows: readonly AuthorRow[]): Promise<void>
  all(): AsyncIterable<readonly AuthorRow[]>
  putGreatest(blocks: readonly GreatestBlock[]): Promise<void>
  greatest(): AsyncIterable<readonly GreatestBlock[]>
}

export type NameRow = { readonly number: number; readonly key: UserKey; readonly id: string }

export interface NameTable {
  /** Raises the reserved end of numbers; a lower value changes nothing. */
  reserve(end: number): Promise<void>
  reservedEnd(): Promise<number>
  /** An empty `id` is final: the user was erased. */
  put(rows: readonly NameRow[]): Promise<void>
  /** Every name; of two numbers with one key the greater counts. */
  all(): AsyncIterable<readonly { readonly number: number; readonly key: UserKey }[]>
  get(numbers: readonly number[]): Promise<(NameRow | undefined)[]>
}

export type WindowBlockName = { readonly boot: number; readonly count: number }
export type WindowBlock = { readonly name: WindowBlockName; readonly bytes: Uint8Array }

/** Index blocks of the window: insert-only, dropped once no checkpoint names them. */
export interface WindowTable {
  put(blocks: readonly WindowBlock[]): Promise<void>
  get(names: readonly WindowBlockName[]): Promise<(WindowBlock | undefined)[]>
  drop(names: readonly WindowBlockName[]): Promise<void>
}

/**
 * Claims tell a process that slept that another one has taken over its cell. Who recovers claims first and reads after it; who
 * relies on being alone makes a row durable first and asks after it. So either the one is seen by who asks, or the row by who
 * reads: `claim` and `claimedBy` must be as strong as reads and writes of the other tables.
 */
export interface CheckpointTable {
  /** One row; the greater version stays. */
  put(row: { readonly version: Version; readonly bytes: Uint8Array }): Promise<void>
  get(): Promise<{ readonly version: Version; readonly bytes: Uint8Array } | undefined>
  /** Claims the store for a boot; the greatest claim stays. */
  claim(boot: number): Promise<void>
  /** The greatest boot that ever claimed; 0 when none has. */
  claimedBy(): Promise<number>
}

export interface CellStore {
  readonly posts: PostTable
  readonly inbox: InboxTable
  readonly readers: ReaderTable
  readonly followers: FollowerTable
  readonly authors: AuthorTable
  readonly names: NameTable
  readonly window: WindowTable
  readonly checkpoints: CheckpointTable
}
