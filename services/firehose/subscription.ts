// One subscriber's way through the public topic: what is there, then what comes, in messages of bounded size, each with the
// place after it. Whoever reads slowly slows only this iteration: nothing is queued here beyond one batch.

import type { Position } from '../../cells/model/position.ts'
import type { Clock } from '../../cells/ports/clock.ts'
import type { Firehose, LogBatch, LogRecord } from '../../cells/ports/firehose.ts'
import type { FirehoseEvent } from '../../gen/cellfeed/v1/firehose_service.ts'
import { withTicks } from '../runtime/with-ticks.ts'
import { publicEvent } from './public-event.ts'

export type SubscriptionMessage = {
  /** Empty as a sign of life. */
  readonly events: readonly FirehoseEvent[]
  /** The place after these events. */
  readonly position: Position
}

export type SubscriptionOptions = {
  readonly signal: AbortSignal
  readonly recordsMax: number
  readonly messageBytesMax: number
  /** A sign of life is sent when nothing else was for so long. */
  readonly quietMs: number
}

export async function* subscription(
  parts: { readonly firehose: Firehose; readonly clock: Clock },
  from: Position,
  options: SubscriptionOptions,
): AsyncGenerator<SubscriptionMessage, void, void> {
  const { signal, recordsMax, messageBytesMax, quietMs } = options
  const position = [...from]
  const batches = parts.firehose.follow(from, { signal, recordsMax, topic: 'public' })
  // Two ticks without a message between them: quiet for at least one of the two halves.
  const ticked = withTicks(batches, { everyMs: quietMs / 2, clock: parts.clock, signal })
  let isQuiet = false
  for await (const next of ticked) {
    if (next.kind === 'tick') {
      if (isQuiet) yield { events: [], position: [...position] }
      isQuiet = true
      continue
    }
    for (const piece of inPieces(next.item, messageBytesMax)) {
      position[next.item.partition] = piece.nextOffset
      const events = piece.records
        .map((record) => publicEvent(next.item.partition, record))
        .filter((event) => event !== undefined)
      if (events.length === 0) continue
      isQuiet = false
      yield { events, position: [...position] }
    }
  }
}

function* inPieces(
  batch: LogBatch,
  bytesMax: number,
): Generator<{ readonly records: readonly LogRecord[]; readonly nextOffset: number }> {
  let records: LogRecord[] = []
  let bytes = 0
  for (const record of batch.records) {
    const size = sizeOf(record)
    if (records.length > 0 && bytes + size > bytesMax) {
      yield { records, nextOffset: record.offset }
      records = []
      bytes = 0
    }
    records.push(record)
    bytes += size
  }
  yield { records, nextOffset: batch.nextOffset }
}

/** Roughly what a record weighs on the wire. */
function sizeOf({ event: { fact } }: LogRecord): number {
  const body = 'content' in fact ? fact.content.length : 0
  return 256 + body
}
