// A cell's cache of post bodies. Only a cache: it may forget anything at any time, and losing it loses nothing. It must not
// bring back what `remove` took out: a failed remove is answered by `renew`, after which no older entry is ever returned. Nor does
// it give a process what another one set since the last `renew`: an older process of the cell may go on writing.

import type { PostKey } from './post-table.ts'

export interface BodyCache {
  /** In the order of the keys; undefined where it does not know. Never rejects: a broken cache is an empty one. */
  getMany(keys: readonly PostKey[]): Promise<(Uint8Array | undefined)[]>
  /** A `remove` or `renew` called later than this is not undone by it. */
  setMany(entries: readonly { readonly key: PostKey; readonly value: Uint8Array }[]): Promise<void>
  /** Rejects when it cannot be sure that the entries are gone. */
  remove(keys: readonly PostKey[]): Promise<void>
  /** Starts a new cache epoch: everything set before is gone. Resolves when that is sure. */
  renew(): Promise<void>
}
