// When a log can not be read from where a reader stands. Nothing is skipped: the reader ends, and the message says the way out.

import { FirehoseGap, type LogBounds } from '../../cells/ports/firehose.ts'
import type { LogPartitions } from './log-partitions.ts'

export const WAY_OUT =
  'A cell is rebuilt with `cellfeed cell --rebuild`; a subscriber starts again from earliest'

export function assertWithin(
  bounds: LogBounds,
  place: { readonly partitions: LogPartitions; readonly number: number; readonly offset: number },
): void {
  const { partitions, number, offset } = place
  const start = bounds.start[number] ?? 0
  const end = bounds.end[number] ?? 0
  const at = partitions.describe(number)
  if (offset < start) {
    throw new FirehoseGap(
      `${at}: offset ${offset} is gone, the log starts at ${start}: retention or an administrator removed it. ${WAY_OUT}`,
    )
  }
  if (offset > end) {
    throw new FirehoseGap(
      `${at}: offset ${offset} was never written, the log ends at ${end}: it lost its newest records or was made anew. ${WAY_OUT}`,
    )
  }
}
