// The store of another cell, as a cell that is rebuilt reads it: its newest checkpoint, and the posts of everybody. The donor goes on
// meanwhile. Every cell's store is one.

import type { AuthorTable, CheckpointTable, NameTable } from './cell-store.ts'
import type { PostTable } from './post-table.ts'

export type Donor = {
  readonly checkpoints: Pick<CheckpointTable, 'get'>
  readonly names: Pick<NameTable, 'get'>
  readonly authors: Pick<AuthorTable, 'all'>
  readonly posts: Pick<PostTable, 'allPosts'>
}
