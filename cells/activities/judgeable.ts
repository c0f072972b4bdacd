// From where on a cell can judge records, when the log has dropped ids that it should read again (event-memory.ts): what follows its
// place by less than 2 D may repeat one of them.

import { hiOf, loOf, msOfHalves } from '../model/post-id.ts'
import type { CheckpointPicture } from '../model/rows.ts'
import type { Firehose, LogBounds } from '../ports/firehose.ts'

const FETCH_RECORDS = 1_000

/** The cell's place if nothing there is unknown; else the first record behind all that may be. */
export async function judgeableFrom(
  firehose: Firehose,
  partition: number,
  of: {
    readonly own: CheckpointPicture
    readonly bounds: LogBounds
    readonly repeatWindowMs: number
  },
): Promise<number> {
  const { own, bounds, repeatWindowMs } = of
  const position = own.position[partition] ?? 0
  const kept = own.memory[partition]
  if (kept === undefined || kept.nextOffset === 0) return position
  if ((bounds.start[partition] ?? 0) <= kept.replayFromOffset) return position
  const unknownBeforeMs = kept.runningMaxMs + repeatWindowMs
  const end = bounds.end[partition] ?? 0
  let hasUnknown = false
  for (let from = position; from < end; ) {
    const batch = await firehose.fetch(partition, from, FETCH_RECORDS)
    for (const { offset, appendedAtMs, event } of batch.records) {
      if (appendedAtMs > unknownBeforeMs + repeatWindowMs) return hasUnknown ? offset : position
      if (msOfHalves(hiOf(event.id), loOf(event.id)) < unknownBeforeMs) hasUnknown = true
    }
    if (batch.nextOffset <= from) break
    from = batch.nextOffset
  }
  return hasUnknown ? end : position
}
