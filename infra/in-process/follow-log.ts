// Following a log that lives in this process: partitions in turn while there is something to read, then asleep until an
// append rings. The place of each partition is checked against start and end at every step, so a reader whom retention
// overtakes is told so (FirehoseGap) instead of skipping.

import type { Position } from '../../cells/model/position.ts'
import {
  FirehoseGap,
  type FollowOptions,
  type LogBatch,
  type LogBounds,
} from '../../cells/ports/firehose.ts'
import type { Bell } from './bell.ts'

export type LocalLog = {
  readonly partitionsPerTopic: number
  /** Rings after every change of the bounds. */
  readonly bell: Bell
  /** Start and end as readers may see them now. Throws when the log is closed. */
  currentBounds(): LogBounds
  fetch(partition: number, fromOffset: number, recordsMax: number): Promise<LogBatch>
}

export function followLog(
  log: LocalLog,
  from: Position,
  options: FollowOptions,
): AsyncIterable<LogBatch> {
  const topics = options.topic === 'public' ? 1 : 2
  const next = Array.from({ length: log.partitionsPerTopic * topics }, (_, p) => from[p] ?? 0)
  return batches(log, next, options)
}

async function* batches(
  log: LocalLog,
  next: number[],
  { signal, recordsMax }: FollowOptions,
): AsyncGenerator<LogBatch> {
  while (!signal.aborted) {
    const heard = log.bell.rings
    let read = 0
    for (let partition = 0; partition < next.length; partition++) {
      const offset = next[partition] ?? 0
      const bounds = log.currentBounds()
      assertInside(bounds, partition, offset)
      if (offset === bounds.end[partition]) continue
      const batch = await log.fetch(partition, offset, recordsMax)
      if (signal.aborted) return
      next[partition] = batch.nextOffset
      read++
      yield batch
      if (signal.aborted) return
    }
    if (read === 0) await log.bell.rungSince(heard, signal)
  }
}

/** Throws FirehoseGap when the offset is before the partition's start or beyond its end. */
export function assertInside(bounds: LogBounds, partition: number, offset: number): void {
  const start = bounds.start[partition] ?? 0
  const end = bounds.end[partition] ?? 0
  if (offset < start) {
    throw new FirehoseGap(
      `partition ${partition}: offset ${offset} is gone, the log starts at ${start}`,
    )
  }
  if (offset > end) {
    throw new FirehoseGap(
      `partition ${partition}: offset ${offset} was never written, the log ends at ${end}`,
    )
  }
}
