// Whether the log is still the one that a checkpoint was taken of, and goes on from there: same identity, the last record of each
// partition still there with the id it had, and nothing missing in between.

import type { CheckpointPicture } from '../model/rows.ts'
import { type Firehose, FirehoseGap, type LogBounds } from '../ports/firehose.ts'

const REBUILD = 'bring the cell back from another one with: cellfeed cell --rebuild'
const ANEW = 'begin the cell anew with an empty store; docs/operations.md says how'

/**
 * Throws FirehoseGap when the log cannot be read on from the checkpoint. Answers the partitions whose next records are gone, of
 * which posts can be had from another cell.
 */
export async function partitionsBehind(
  firehose: Firehose,
  picture: CheckpointPicture,
  bounds: LogBounds,
): Promise<number[]> {
  const { logId } = firehose.identity
  if (picture.logId !== logId) {
    throw new FirehoseGap(
      `the firehose is ${logId}, but the checkpoint was taken of ${picture.logId}; ${ANEW}`,
    )
  }
  const behind: number[] = []
  for (const [partition, offset] of picture.position.entries()) {
    const start = bounds.start[partition] ?? 0
    const end = bounds.end[partition] ?? 0
    if (offset > end) {
      throw new FirehoseGap(
        `partition ${partition}: the cell is at offset ${offset}, the firehose ends at ${end}; ${ANEW}`,
      )
    }
    if (offset < start) behind.push(partition)
    else if (offset > start) await checkLastRecord(firehose, partition, picture)
  }
  return behind
}

/** The same, and every record must be there. */
export async function checkLog(firehose: Firehose, picture: CheckpointPicture): Promise<void> {
  const bounds = await firehose.bounds()
  const [partition] = await partitionsBehind(firehose, picture, bounds)
  if (partition === undefined) return
  const offset = picture.position[partition] ?? 0
  throw new FirehoseGap(
    `partition ${partition}: the cell is at offset ${offset}, the firehose begins at ${bounds.start[partition]}; ${REBUILD}`,
  )
}

async function checkLastRecord(
  firehose: Firehose,
  partition: number,
  picture: CheckpointPicture,
): Promise<void> {
  const offset = picture.position[partition] ?? 0
  const expected = picture.lastEventIds[partition] ?? '0'
  if (expected === '0') return
  const batch = await firehose.fetch(partition, offset - 1, 1)
  const last = batch.records[0]
  if (last === undefined || last.offset !== offset - 1) return
  if (String(last.event.id) === expected) return
  throw new FirehoseGap(
    `partition ${partition}, offset ${last.offset}: another record than the one applied, the firehose was made anew; ${ANEW}`,
  )
}
