// Records as Kafka gives them -> records of the log. The offsets of these topics have no holes, as nothing compacts them and
// nobody uses transactions on them: a hole is lost events, and never passed over.

import type { Unreadable } from '../../cells/model/event.ts'
import { FirehoseGap, type LogBatch, type LogRecord } from '../../cells/ports/firehose.ts'
import { decodeEvent } from '../wire/event-codec.ts'
import type { RawRecord } from './broker-link.ts'
import { WAY_OUT } from './log-gap.ts'
import type { LogPartitions } from './log-partitions.ts'

const NO_BYTES = new Uint8Array(0)

/** Some 2 us a record. */
export function decodeBatch(
  raw: readonly RawRecord[],
  at: { readonly partitions: LogPartitions; readonly number: number; readonly offset: number },
): LogBatch {
  const records: LogRecord[] = []
  let expected = at.offset
  for (const record of raw) {
    const offset = Number(record.offset)
    if (offset !== expected) {
      throw new FirehoseGap(
        `${at.partitions.describe(at.number)}: offset ${expected} is missing, the next record is ${offset}: ` +
          `is the topic compacted? ${WAY_OUT}`,
      )
    }
    expected++
    if (record.isControlRecord !== true) records.push(decodeRecord(record, offset))
  }
  return { partition: at.number, records, nextOffset: expected }
}

export function decodeRecord(raw: RawRecord, offset: number): LogRecord {
  const appendedAtMs = Number(raw.timestamp)
  return { offset, appendedAtMs, event: decodeEvent(raw.value ?? NO_BYTES) }
}

/** The fact of a record that is no event at all; one that a newer version wrote is for its reader to judge. */
export function deadFact({ event }: LogRecord): Unreadable | undefined {
  const { fact } = event
  return fact.kind === 'unreadable' && !fact.isNewer ? fact : undefined
}
