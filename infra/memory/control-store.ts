// A control store in memory.

import assert from 'node:assert/strict'
import type { ControlEntry, ControlStore } from '../../cells/ports/control-store.ts'
import { Bell } from '../in-process/bell.ts'
import { CONTROL_VALUE_BYTES_MAX } from '../in-process/control-limits.ts'
import { watchKey } from '../in-process/watch-key.ts'

export class MemoryControlStore implements ControlStore {
  readonly #entries = new Map<string, ControlEntry>()
  readonly #bell = new Bell()

  async get(key: string): Promise<ControlEntry | undefined> {
    return this.#entries.get(key)
  }

  async compareAndSet(
    key: string,
    expected: number,
    value: Uint8Array,
  ): Promise<number | undefined> {
    assert(value.length <= CONTROL_VALUE_BYTES_MAX, `control value of ${value.length} bytes`)
    const standing = this.#entries.get(key)?.revision ?? 0
    if (standing !== expected) return undefined
    this.#entries.set(key, { value: value.slice(), revision: standing + 1 })
    this.#bell.ring()
    return standing + 1
  }

  watch(key: string, signal: AbortSignal): AsyncIterable<ControlEntry> {
    return watchKey(() => this.#entries.get(key), this.#bell, signal)
  }
}
