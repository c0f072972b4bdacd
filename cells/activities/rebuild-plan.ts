// From where a cell that is rebuilt goes on, and whether a donor's checkpoint reaches there.
//
//      the cell's position P          log start S      donor's checkpoint V          log end
//   -----------|-------- gone -------------|------------------|---------------------------|----->
//              |  relations: never seen    |  relations: replayed from here on
//              |  posts: copied from the donor, as of V       |  posts: replayed from here on
//
// Where nothing is gone S is P. Where only ids of just before P are gone, S lies behind the records that may repeat them. Event ids
// from before S are forgotten, and a record after S may repeat one of them; where that could change a post (after V), the log
// must be read from before all ids that the donor remembered at V, or so much time must have passed that no such record is
// accepted any more.

import type { PartitionMemory } from '../model/event-memory.ts'
import type { GapPart } from '../model/gap.ts'
import { hasReached, type Position } from '../model/position.ts'
import type { CheckpointPicture } from '../model/rows.ts'
import { type Firehose, FirehoseGap, type LogBounds } from '../ports/firehose.ts'
import { judgeableFrom } from './judgeable.ts'
import { partitionsBehind } from './log-check.ts'

/** How far the clocks of a log's leaders, and the cell's own, may be apart. */
const CLOCKS_APART_MS = 300_000

/** The donor cannot help; another one, or the same one later, may. */
export class DonorUnusable extends Error {
  readonly code = 'DONOR_UNUSABLE'
  override readonly name = 'DonorUnusable'
}

export type RebuildPlan = {
  readonly position: Position
  readonly lastEventIds: readonly string[]
  readonly memory: readonly PartitionMemory[]
  readonly runningMaxMs: readonly number[]
  readonly postsFrom: Position
  readonly postsFromMs: readonly number[]
  readonly gap: readonly GapPart[]
  /** Repeats of lost records may change posts until then, Unix ms. */
  readonly repeatsUntilMs: number
}

/** Throws FirehoseGap if the log is another one, and DonorUnusable. */
export async function planRebuild(from: {
  readonly firehose: Firehose
  readonly own: CheckpointPicture
  readonly donor: CheckpointPicture
  /** D: ids are remembered for twice as long. */
  readonly repeatWindowMs: number
}): Promise<RebuildPlan> {
  const { firehose, own, donor, repeatWindowMs } = from
  const bounds = await firehose.bounds()
  const starts = await startsOf(firehose, { own, bounds, repeatWindowMs })
  await checkDonor(firehose, donor, { ...bounds, start: starts })
  const position = [...own.position]
  const lastEventIds = [...own.lastEventIds]
  const memory = [...own.memory]
  const runningMaxMs = own.memory.map((kept, i) => own.runningMaxMs?.[i] ?? kept.runningMaxMs)
  const donorMs = donor.memory.map((kept, i) => donor.runningMaxMs?.[i] ?? kept.runningMaxMs)
  const uncertainMs = 2 * repeatWindowMs + CLOCKS_APART_MS
  const gap: GapPart[] = []
  let repeatsUntilMs = 0
  for (const [partition, start] of starts.entries()) {
    if (start <= (own.position[partition] ?? 0)) continue
    const theirs = donor.memory[partition]
    const theirMs = donorMs[partition] ?? 0
    const firstMs =
      (await firstAppendMs(firehose, partition, { ...bounds, start: starts })) ?? theirMs
    const fromMs = runningMaxMs[partition] ?? 0
    const toMs = Math.max(firstMs, fromMs) + uncertainMs
    const fromOffset = position[partition] ?? 0
    gap.push({ partition, fromOffset, toOffset: start, fromMs, toMs })
    position[partition] = start
    lastEventIds[partition] = '0'
    // From the donor's place on records are judged as the donor judges them.
    const nextOffset = Math.max(start, theirs?.nextOffset ?? 0)
    memory[partition] = { nextOffset, runningMaxMs: theirMs, replayFromOffset: start }
    if ((theirs?.replayFromOffset ?? 0) < start) {
      repeatsUntilMs = Math.max(repeatsUntilMs, theirMs + uncertainMs)
    }
  }
  const postsFrom = [...donor.position]
  return {
    position,
    lastEventIds,
    memory,
    runningMaxMs,
    postsFrom,
    postsFromMs: donorMs,
    gap,
    repeatsUntilMs,
  }
}

/** From where on each partition can be read and judged. */
async function startsOf(
  firehose: Firehose,
  of: {
    readonly own: CheckpointPicture
    readonly bounds: LogBounds
    readonly repeatWindowMs: number
  },
): Promise<Position> {
  const { own, bounds } = of
  const behind = new Set(await partitionsBehind(firehose, own, bounds))
  return Promise.all(
    own.position.map(async (_, partition) => {
      if (behind.has(partition)) return bounds.start[partition] ?? 0
      return judgeableFrom(firehose, partition, of)
    }),
  )
}

async function checkDonor(
  firehose: Firehose,
  donor: CheckpointPicture,
  bounds: LogBounds,
): Promise<void> {
  if (!hasReached(donor.position, bounds.start)) {
    throw new DonorUnusable(
      `the donor's newest checkpoint, at ${donor.position.join()}, does not reach the start of the firehose, ${bounds.start.join()}: take another donor, or, if this one runs, try again after its next checkpoint, in some seconds`,
    )
  }
  try {
    await partitionsBehind(firehose, donor, bounds)
  } catch (cause) {
    if (!(cause instanceof FirehoseGap)) throw cause
    throw new DonorUnusable(`the donor has read another firehose: ${cause.message}`, { cause })
  }
}

/** When the oldest record kept was appended; undefined when none is. */
async function firstAppendMs(
  firehose: Firehose,
  partition: number,
  bounds: LogBounds,
): Promise<number | undefined> {
  let from = bounds.start[partition] ?? 0
  const end = bounds.end[partition] ?? 0
  while (from < end) {
    const batch = await firehose.fetch(partition, from, 1)
    const [first] = batch.records
    if (first !== undefined) return first.appendedAtMs
    if (batch.nextOffset <= from) return undefined
    from = batch.nextOffset
  }
  return undefined
}
