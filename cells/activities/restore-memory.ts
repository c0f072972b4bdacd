// The event ids that a cell remembered at a checkpoint, read from the log again: whoever goes on from there judges records as it did.

import { EventMemory } from '../model/event-memory.ts'
import { hiOf, loOf } from '../model/post-id.ts'
import type { CheckpointPicture } from '../model/rows.ts'
import type { Clock } from '../ports/clock.ts'
import { type Firehose, FirehoseGap, type LogBatch } from '../ports/firehose.ts'

/** Others have their turn after so many. */
const FETCH_RECORDS = 1_000

/** Ids whose records retention has dropped cannot be read: what may repeat them is `unknown`. */
export async function restoreMemory(
  { firehose, clock }: { readonly firehose: Firehose; readonly clock: Clock },
  picture: Pick<CheckpointPicture, 'memory' | 'position'>,
  repeatWindowMs: number,
): Promise<EventMemory> {
  const memory = EventMemory.restore(picture.memory, { repeatWindowMs })
  for (const [partition, end] of picture.position.entries()) {
    const replayFrom = picture.memory[partition]?.replayFromOffset ?? 0
    let from = await keptFrom(firehose, partition, replayFrom)
    if (from > replayFrom) memory.missPart(partition)
    while (from < end) {
      const batch = await fetchKept(firehose, partition, from)
      if (batch !== undefined && batch.nextOffset > from) {
        feed(memory, batch, end)
        from = batch.nextOffset
        // A log in this process is read without waiting for anything.
        await clock.yield()
        continue
      }
      const kept = await keptFrom(firehose, partition, from)
      memory.missPart(partition)
      if (kept === from) {
        throw new FirehoseGap(`partition ${partition}: nothing to read at ${from}, before ${end}`)
      }
      from = kept
    }
  }
  return memory
}

/** Undefined when the log no longer reaches back so far: retention may have gone on since the bounds were read. */
async function fetchKept(
  firehose: Firehose,
  partition: number,
  from: number,
): Promise<LogBatch | undefined> {
  try {
    return await firehose.fetch(partition, from, FETCH_RECORDS)
  } catch (error) {
    if (error instanceof FirehoseGap) return undefined
    throw error
  }
}

async function keptFrom(firehose: Firehose, partition: number, offset: number): Promise<number> {
  const { start } = await firehose.bounds()
  return Math.max(offset, start[partition] ?? 0)
}

function feed(memory: EventMemory, batch: LogBatch, end: number): void {
  for (const record of batch.records) {
    if (record.offset >= end) return
    memory.admit({
      partition: batch.partition,
      offset: record.offset,
      appendedAtMs: record.appendedAtMs,
      idHi: hiOf(record.event.id),
      idLo: loOf(record.event.id),
    })
  }
}

/** The log goes on from the checkpoint, but does not reach back far enough to tell repeats. */
export function repeatUnknown(partition: number, offset: number): FirehoseGap {
  return new FirehoseGap(
    `partition ${partition}, offset ${offset}: whether it repeats an earlier record can not be told, as the firehose has dropped those just before; bring the cell back from another one with: cellfeed cell --rebuild`,
  )
}
