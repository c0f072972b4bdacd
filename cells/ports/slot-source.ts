// The store of another cell, as one reads it to which some of its slots move: its newest checkpoint, and all that it holds of a
// slot's stay. The source may go on meanwhile, or be dead. Every cell's store is one.

import type {
  AuthorTable,
  CheckpointTable,
  InboxTable,
  NameTable,
  ReaderTable,
} from './cell-store.ts'

export type SlotSource = {
  readonly checkpoints: Pick<CheckpointTable, 'get'>
  readonly names: Pick<NameTable, 'get'>
  readonly authors: Pick<AuthorTable, 'all'>
  readonly readers: Pick<ReaderTable, 'ofSlot' | 'reach'>
  readonly inbox: Pick<InboxTable, 'generations' | 'chunksOf'>
}
