// The control store on LMDB, for a cluster in one process. Every change is fsynced with mode 'always': boot numbers and
// leases must not come back after a power loss.
//
//     entries  key in UTF-8  ->  u48 revision | value

import assert from 'node:assert/strict'
import type { ControlEntry, ControlStore } from '../../cells/ports/control-store.ts'
import { Bell } from '../in-process/bell.ts'
import { CONTROL_VALUE_BYTES_MAX } from '../in-process/control-limits.ts'
import { watchKey } from '../in-process/watch-key.ts'
import { Environment, type FsyncMode } from './environment.ts'
import { u48Key } from './keys.ts'
import type { Table } from './table.ts'

export type EmbeddedControlStoreOptions = { readonly path: string; readonly fsync?: FsyncMode }

export const CONTROL_STORE_FORMAT = 1
const REVISION_BYTES = 6

export class EmbeddedControlStore implements ControlStore {
  readonly #environment: Environment
  readonly #entries: Table
  readonly #bell: Bell

  static async open({ path, fsync = 'always' }: EmbeddedControlStoreOptions) {
    const bell = new Bell()
    const environment = await Environment.open({
      path,
      fsync,
      holds: 'control store',
      format: CONTROL_STORE_FORMAT,
      commitEnded: () => bell.ring(),
    })
    return new EmbeddedControlStore(environment, bell)
  }

  private constructor(environment: Environment, bell: Bell) {
    this.#environment = environment
    this.#entries = environment.table('entries')
    this.#bell = bell
  }

  async get(key: string): Promise<ControlEntry | undefined> {
    return this.#read(key)
  }

  async compareAndSet(
    key: string,
    expected: number,
    value: Uint8Array,
  ): Promise<number | undefined> {
    assert(value.length <= CONTROL_VALUE_BYTES_MAX, `control value of ${value.length} bytes`)
    return this.#environment.commit(value.length, () => {
      const name = Buffer.from(key)
      const standing = this.#entries.latest(name)?.readUIntBE(0, REVISION_BYTES) ?? 0
      if (standing !== expected) return undefined
      const revision = standing + 1
      this.#entries.put(name, Buffer.concat([u48Key(revision), value]))
      return revision
    })
  }

  watch(key: string, signal: AbortSignal): AsyncIterable<ControlEntry> {
    return watchKey(() => this.#read(key), this.#bell, signal)
  }

  /** What was accepted is committed first. Watches end with their signals. */
  close(): Promise<void> {
    return this.#environment.close()
  }

  #read(key: string): ControlEntry | undefined {
    const row = this.#entries.get(Buffer.from(key))
    if (row === undefined) return undefined
    return { value: row.subarray(REVISION_BYTES), revision: row.readUIntBE(0, REVISION_BYTES) }
  }
}
