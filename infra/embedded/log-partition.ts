// One partition of the embedded firehose: a table of its own, key = offset, so that appending fills pages to the brim and
// retention frees whole pages at the other end.
//
//     key    u48 offset
//     value  f64 append time | f64 running maximum of append times | event
//
// The clock may step back, so append times are not sorted; their running maximum is, and the first record at or after a time
// is the first whose running maximum is: found by bisection, without an index.

import type { LogRecord } from '../../cells/ports/firehose.ts'
import { decodeEvent } from '../wire/event-codec.ts'
import type { Table } from './table.ts'

const HEADER_BYTES = 16
/** A batch ends early once it holds so many bytes. */
const BATCH_BYTES_MAX = 4 * 1024 * 1024

export class LogPartition {
  readonly #table: Table
  readonly #meta: Table
  readonly #startKey: Buffer
  /** Oldest kept, and next to be written as readers may see it: durable. */
  #start: number
  #end: number
  #maxMs: number
  /** The same as of the commit in flight. */
  #startWritten: number
  #endWritten: number
  #maxMsWritten: number

  constructor(table: Table, meta: Table, partition: number) {
    this.#table = table
    this.#meta = meta
    this.#startKey = Buffer.from(`start ${partition}`)
    this.#start = meta.get(this.#startKey)?.readUIntBE(0, 6) ?? 0
    const [newest] = table.range({ start: LAST_KEY, end: BELOW_ALL, reverse: true, limit: 1 })
    this.#end = newest === undefined ? this.#start : newest.key.readUIntBE(0, 6) + 1
    this.#maxMs = newest?.value.readDoubleBE(8) ?? 0
    this.#startWritten = this.#start
    this.#endWritten = this.#end
    this.#maxMsWritten = this.#maxMs
  }

  get start(): number {
    return this.#start
  }

  get end(): number {
    return this.#end
  }

  /** In a commit: writes a record that `layOut` made; answers its offset. */
  append(record: Buffer, appendedAtMs: number): number {
    const offset = this.#endWritten++
    this.#maxMsWritten = Math.max(this.#maxMsWritten, appendedAtMs)
    record.writeDoubleBE(appendedAtMs, 0)
    record.writeDoubleBE(this.#maxMsWritten, 8)
    this.#table.append(offsetKey(offset), record)
    return offset
  }

  /** In a commit: removes the oldest records up to an offset. */
  dropTo(offset: number): void {
    for (let gone = this.#startWritten; gone < offset; gone++) this.#table.remove(offsetKey(gone))
    this.#startWritten = offset
    this.#meta.put(this.#startKey, offsetKey(offset))
  }

  /** After every commit: what was written is there for readers, or never was. */
  commitEnded(isCommitted: boolean): void {
    if (isCommitted) {
      this.#start = this.#startWritten
      this.#end = this.#endWritten
      this.#maxMs = this.#maxMsWritten
    } else {
      this.#startWritten = this.#start
      this.#endWritten = this.#end
      this.#maxMsWritten = this.#maxMs
    }
  }

  /** Consecutive records from an offset between start and end. */
  read(fromOffset: number, recordsMax: number): LogRecord[] {
    const records: LogRecord[] = []
    const to = Math.min(fromOffset + recordsMax, this.#end)
    let bytes = 0
    const range = { start: offsetKey(fromOffset), end: offsetKey(to) }
    for (const { key, value } of this.#table.range(range)) {
      records.push({
        offset: key.readUIntBE(0, 6),
        appendedAtMs: value.readDoubleBE(0),
        event: decodeEvent(value.subarray(HEADER_BYTES)),
      })
      bytes += value.length
      if (bytes >= BATCH_BYTES_MAX) break
    }
    return records
  }

  /** The first offset appended at or after the time; the end where there is none. */
  firstAt(timeMs: number): number {
    let low = this.#start
    let high = this.#end
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2)
      const maxMs = this.#table.get(offsetKey(middle))?.readDoubleBE(8) ?? 0
      if (maxMs < timeMs) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** A record with room for its times. */
export function layOut(event: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(HEADER_BYTES + event.length)
  record.set(event, HEADER_BYTES)
  return record
}

function offsetKey(offset: number): Buffer {
  const key = Buffer.allocUnsafe(6)
  key.writeUIntBE(offset, 0, 6)
  return key
}

/** Shorter than the key of offset 0, so below it: the end of a range is not included. */
const BELOW_ALL = Buffer.alloc(1)
const LAST_KEY = offsetKey(2 ** 48 - 1)
