// Rows that carry a version, of which the greater stays: f64 boot | f64 count | bytes.

import type { Version } from '../../cells/ports/cell-store.ts'
import { isGreater } from '../in-process/version-order.ts'
import type { Table } from './table.ts'

type Versioned = { readonly version: Version; readonly bytes: Uint8Array }

const VERSION_BYTES = 16

/** In a commit: writes the row unless one of the same or a greater version stands there. */
export function putGreater(table: Table, key: Buffer, { version, bytes }: Versioned): void {
  const standing = table.latest(key)
  if (standing !== undefined && !isGreater(version, rowOf(standing).version)) return
  const value = Buffer.allocUnsafe(VERSION_BYTES + bytes.length)
  value.writeDoubleBE(version.boot, 0)
  value.writeDoubleBE(version.count, 8)
  value.set(bytes, VERSION_BYTES)
  table.put(key, value)
}

export function rowOf(value: Buffer): Versioned {
  const version = { boot: value.readDoubleBE(0), count: value.readDoubleBE(8) }
  return { version, bytes: value.subarray(VERSION_BYTES) }
}

export function bytesIn(rows: readonly { readonly bytes: Uint8Array }[]): number {
  return rows.reduce((sum, { bytes }) => sum + bytes.length + VERSION_BYTES, 0)
}
