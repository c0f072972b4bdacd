// A body cache in this process, bounded by the bytes of its bodies; what was not read for longest goes first. A new epoch is
// a new map: nothing of the old one can be returned, and emptying it costs nothing.

import { LRUCache } from 'lru-cache'
import type { BodyCache } from '../../cells/ports/body-cache.ts'
import type { PostKey } from '../../cells/ports/post-table.ts'

/** What an entry costs beside its body: key string, map slot, list links. */
const ENTRY_BYTES = 160

export class MemoryBodyCache implements BodyCache {
  readonly #bytesMax: number
  #bodies: LRUCache<string, Uint8Array>

  constructor({ bytesMax }: { readonly bytesMax: number }) {
    this.#bytesMax = bytesMax
    this.#bodies = emptyCache(bytesMax)
  }

  /** Bytes in use, of `bytesMax`. */
  get bytes(): number {
    return this.#bodies.calculatedSize
  }

  async getMany(keys: readonly PostKey[]): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => this.#bodies.get(nameOf(key)))
  }

  async setMany(
    entries: readonly { readonly key: PostKey; readonly value: Uint8Array }[],
  ): Promise<void> {
    for (const { key, value } of entries) this.#bodies.set(nameOf(key), value)
  }

  async remove(keys: readonly PostKey[]): Promise<void> {
    for (const key of keys) this.#bodies.delete(nameOf(key))
  }

  async renew(): Promise<void> {
    this.#bodies = emptyCache(this.#bytesMax)
  }
}

function emptyCache(bytesMax: number): LRUCache<string, Uint8Array> {
  return new LRUCache({
    maxSize: bytesMax,
    sizeCalculation: (body) => body.length + ENTRY_BYTES,
  })
}

function nameOf(key: PostKey): string {
  return `${key.author}/${key.postId}`
}
