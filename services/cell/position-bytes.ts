// Positions between processes: one unsigned varint for each partition, one after the other. 0.3 us for 16 partitions; as
// `repeated uint64` the generated code makes a big integer for each.

import type { Position } from '../../cells/model/position.ts'
import { FieldReader, writeVarint } from '../runtime/protobuf-fields.ts'

const VARINT_BYTES_MAX = 8

export function bytesOfPosition(position: Position): Buffer {
  const bytes = Buffer.allocUnsafe(position.length * VARINT_BYTES_MAX)
  let at = 0
  for (const offset of position) at = writeVarint(bytes, at, offset)
  return bytes.subarray(0, at)
}

/** Throws CorruptMessage. */
export function positionOfBytes(bytes: Buffer): number[] {
  const reader = new FieldReader(bytes)
  const position: number[] = []
  while (!reader.isAtEnd) position.push(reader.varint())
  return position
}
