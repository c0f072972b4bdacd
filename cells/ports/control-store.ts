// Small documents that all processes of a cluster agree on: placement, boot numbers, worker leases, secrets. Linearizable
// compare-and-set per key; values are bytes of at most 1 MiB.

/** `revision` grows with every change of the key; 0 means that the key is absent. */
export type ControlEntry = { readonly value: Uint8Array; readonly revision: number }

export interface ControlStore {
  get(key: string): Promise<ControlEntry | undefined>
  /** Writes if the key's revision is still `expected`. Answers the new revision, or undefined when it is not. */
  compareAndSet(key: string, expected: number, value: Uint8Array): Promise<number | undefined>
  /** Tells of every change of the key after it was called, at least of the latest one; ends when the signal aborts. */
  watch(key: string, signal: AbortSignal): AsyncIterable<ControlEntry>
}
