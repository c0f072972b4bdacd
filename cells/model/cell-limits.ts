// Every bound of a cell has a name, a unit and a default here. Services fill it from their config.

import type { Costs } from './costs.ts'
import { DELIVERY_POLICY, type DeliveryPolicy } from './delivery-policy.ts'

export type CellLimits = {
  /** D: an event's id must lie within this of its append time, and is remembered as long. Milliseconds. */
  readonly repeatWindowMs: number
  /** A post whose id lies further below its append time does not enter the window: stored, author's coverage raised. */
  readonly windowIdLagMaxMs: number
  /** A post whose id lies further ahead of its append time is refused, by gateway and cell alike. */
  readonly idAheadMaxMs: number
  /** Changed or undone relations keep their time so long; imports with older snapshots are refused. */
  readonly relationMemoryMs: number
  /** Newer pages reach back so far, because another gateway's post may land late with a smaller id. */
  readonly clockSkewMs: number
  /** Posts in the window: what it keeps once they are written into inboxes, and what it never exceeds. */
  readonly windowPostsKept: number
  readonly windowPostsMax: number
  /** A generation is written after so many posts or so much time, whichever is first. */
  readonly generationPosts: number
  readonly generationMs: number
  /** A cell that lacks more events than this catches up before it writes inboxes, while the window has room. */
  readonly behindEvents: number
  readonly chunkEntriesMax: number
  readonly checkpointMs: number
  readonly checkpointEvents: number
  /** Posts not yet durable, in bytes: the cell stops applying while it holds more. */
  readonly pendingBytesMax: number
  readonly postBatchRows: number
  readonly fetchRecords: number
  /** Bodies kept in memory: one half for recent posts, one for those read before. */
  readonly bodyMemoryBytes: number
  /** Longest time a computation keeps the event loop. */
  readonly sliceMs: number
  readonly pageMax: number
  readonly pullBatch: number
  readonly chunkBatch: number
  readonly unreadCap: number
  readonly watchQueueMax: number
  readonly watchersMax: number
  readonly policy: DeliveryPolicy
  /** Costs that count instead of those measured. */
  readonly costs: Partial<Costs>
  /** A failing store is asked again after this, doubling up to the maximum. */
  readonly retryMs: number
  readonly retryMaxMs: number
  /** Stopping waits so long for a last checkpoint. */
  readonly stopMs: number
}

export const CELL_LIMITS: CellLimits = {
  repeatWindowMs: 120_000,
  windowIdLagMaxMs: 3_600_000,
  idAheadMaxMs: 600_000,
  relationMemoryMs: 30 * 86_400_000,
  clockSkewMs: 5_000,
  windowPostsKept: 1_000_000,
  windowPostsMax: 4_000_000,
  generationPosts: 1_000_000,
  generationMs: 3_600_000,
  behindEvents: 50_000,
  chunkEntriesMax: 4_096,
  checkpointMs: 10_000,
  checkpointEvents: 200_000,
  pendingBytesMax: 128 * 1024 * 1024,
  postBatchRows: 4_000,
  fetchRecords: 1_000,
  bodyMemoryBytes: 256 * 1024 * 1024,
  sliceMs: 1,
  pageMax: 200,
  pullBatch: 32,
  chunkBatch: 4,
  unreadCap: 1_000,
  watchQueueMax: 1_000,
  watchersMax: 100_000,
  policy: DELIVERY_POLICY,
  costs: {},
  retryMs: 50,
  retryMaxMs: 2_000,
  stopMs: 10_000,
}
