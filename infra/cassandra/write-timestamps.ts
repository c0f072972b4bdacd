// Write timestamps, which decide in Cassandra which of two writes stays: the greater, cell by cell, whenever and in whatever
// order they land. They are never times here. Each table draws them from what orders its rows:
//
//     posts            offset in the author's partition; MARK_VERSION (2^53 - 1) of a mark
//     versioned rows   boot * 2^41 + count
//     insert-only rows a number that every write of the row agrees on
//     drops            2^63 - 2^41, above all of them: what was dropped stays so, also when a write lands after it
//
// Of two cells with one timestamp Cassandra keeps the greater value, column by column. So a row must never be written twice
// with one timestamp and different bytes, and every write of a row writes all of its columns.
//
// Kept as the 8 bytes that travel: a bigint for each row would cost more than the row's encoding.

import type { Version } from '../../cells/ports/cell-store.ts'

const COUNT_BITS = 41
const COUNT_MAX = 2 ** COUNT_BITS - 1
/** Boots are numbered through all cells of a cluster: four million starts. The last number is that of drops. */
const BOOT_MAX = 2 ** (63 - COUNT_BITS) - 2
const WORD = 2 ** 32
/** The part of the count that lies in the upper word. */
const COUNT_HIGH_VALUES = 2 ** COUNT_BITS / WORD

/** Above every timestamp that a row is written with. */
export const FINAL_TIMESTAMP = wordsOf((BOOT_MAX + 1) * COUNT_HIGH_VALUES, 0)

/** Of rows that are written once, or again with the same bytes. */
export const ONCE_TIMESTAMP = numberTimestamp(1)

/** For a whole number up to 2^53 - 1. */
export function numberTimestamp(number: number): Buffer {
  if (!Number.isSafeInteger(number) || number < 0) {
    throw new RangeError(`${number} cannot be a write timestamp`)
  }
  return wordsOf(Math.floor(number / WORD), number % WORD)
}

/** Keeps the order of versions. */
export function versionTimestamp({ boot, count }: Version): Buffer {
  if (!(boot >= 0 && boot <= BOOT_MAX && count >= 0 && count <= COUNT_MAX)) {
    throw new RangeError(`version ${boot}.${count} is beyond ${BOOT_MAX}.${COUNT_MAX}`)
  }
  return wordsOf(boot * COUNT_HIGH_VALUES + Math.floor(count / WORD), count % WORD)
}

/** The version that `versionTimestamp` made the timestamp of. */
export function versionOfTimestamp(timestamp: bigint): Version {
  return {
    boot: Number(timestamp >> BigInt(COUNT_BITS)),
    count: Number(BigInt.asUintN(COUNT_BITS, timestamp)),
  }
}

function wordsOf(high: number, low: number): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeUInt32BE(high, 0)
  bytes.writeUInt32BE(low, 4)
  return bytes
}
