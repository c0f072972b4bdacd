// Which batches go out together: for each leader that is free one request, with the next batch of as many lanes as fit.

import type { AppendBatch, AppendLane, ProducerSession } from './append-lane.ts'
import type { KafkaLimits } from './kafka-limits.ts'

export type ProduceRequest = {
  readonly leader: number
  readonly session: ProducerSession
  readonly batches: readonly AppendBatch[]
}

type Growing = {
  readonly session: ProducerSession
  readonly batches: AppendBatch[]
  records: number
  bytes: number
  isFull: boolean
}

export function gatherRequests(
  lanes: readonly AppendLane[],
  given: {
    /** Undefined while the lane's leader takes no further request. */
    readonly leaderOf: (lane: AppendLane) => number | undefined
    /** Batches that were not numbered yet go out under this producer id. */
    readonly session: ProducerSession
    readonly limits: Pick<KafkaLimits, 'batchBytesMax' | 'requestBytesMax' | 'requestRecordsMax'>
  },
): ProduceRequest[] {
  const requests = new Map<number, Growing>()
  for (const lane of lanes) {
    if (lane.isEmpty || lane.batch?.isFlying === true) continue
    const leader = given.leaderOf(lane)
    if (leader === undefined) continue
    const request = requests.get(leader)
    if (request?.isFull === true) continue
    const batch = lane.batch ?? formWithin(lane, request, given.limits)
    if (batch === undefined) continue
    if (request === undefined) {
      const { records, bytes, isAlone } = batch
      requests.set(leader, {
        session: lane.number(batch, given.session),
        batches: [batch],
        records: records.length,
        bytes,
        isFull: isAlone,
      })
    } else if (mayJoin(batch, request, given.session)) {
      lane.number(batch, request.session)
      request.batches.push(batch)
      request.records += batch.records.length
      request.bytes += batch.bytes
    }
  }
  return [...requests].map(([leader, { session, batches }]) => ({ leader, session, batches }))
}

function formWithin(
  lane: AppendLane,
  request: Growing | undefined,
  limits: Pick<KafkaLimits, 'batchBytesMax' | 'requestBytesMax' | 'requestRecordsMax'>,
): AppendBatch | undefined {
  const recordsMax = limits.requestRecordsMax - (request?.records ?? 0)
  const bytesLeft = limits.requestBytesMax - (request?.bytes ?? 0)
  if (recordsMax <= 0 || bytesLeft <= 0) return undefined
  return lane.form({ recordsMax, bytesMax: Math.min(limits.batchBytesMax, bytesLeft) })
}

/** A request carries one producer id; a batch that was numbered keeps its own. */
function mayJoin(batch: AppendBatch, request: Growing, current: ProducerSession): boolean {
  const session = batch.numbered?.session ?? current
  return !batch.isAlone && session === request.session
}
