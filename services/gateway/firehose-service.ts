// FirehoseService: the public topic for outside subscribers, from any place that retention still holds.

import type { Position } from '../../cells/model/position.ts'
import type { LogBounds } from '../../cells/ports/firehose.ts'
import {
  type FirehoseServiceService,
  type GetPositionsResponse,
  type PartitionOffsets,
  StartPoint,
  type SubscribeRequest,
  type SubscribeResponse,
} from '../../gen/cellfeed/v1/firehose_service.ts'
import { subscription } from '../firehose/subscription.ts'
import { ApiError } from './errors.ts'
import type { CallContext } from './front-desk.ts'
import type { GatewayDesk } from './gateway-desk.ts'
import type { Handlers } from './service-book.ts'

export function firehoseService(desk: GatewayDesk): Handlers<FirehoseServiceService> {
  const { front, limits } = desk
  return {
    subscribe: front.stream('Subscribe', limits.subscriptionsMax, (request, context) =>
      subscribe(desk, request, context),
    ),
    getPositions: front.unary('GetPositions', () => getPositions(desk)),
  }
}

async function* subscribe(
  desk: GatewayDesk,
  request: SubscribeRequest,
  context: CallContext,
): AsyncGenerator<SubscribeResponse, void, void> {
  const { firehose, clock, limits, tokens } = desk
  const bounds = await firehose.bounds()
  let position = await startOf(desk, request, bounds)
  checkWithin(position, bounds, partitionsOf(desk))
  const messages = subscription({ firehose, clock }, position, {
    signal: context.signal,
    recordsMax: limits.subscriptionFetchRecords,
    messageBytesMax: limits.subscriptionMessageBytes,
    quietMs: limits.heartbeatMs,
  })
  try {
    for await (const message of messages) {
      position = message.position
      yield {
        events: [...message.events],
        position: tokens.writePlace(position),
        consistencyToken: tokens.write(position.slice(0, partitionsOf(desk))),
      }
    }
  } catch (error) {
    if (!isGap(error)) throw error
    checkWithin(position, await firehose.bounds(), partitionsOf(desk))
    throw error
  }
}

async function getPositions(desk: GatewayDesk): Promise<GetPositionsResponse> {
  const { start, end } = await desk.firehose.bounds()
  const partitions = Array.from({ length: partitionsOf(desk) }, (_, partition) => ({
    partition,
    earliestOffset: BigInt(start[partition] ?? 0),
    latestOffset: BigInt(end[partition] ?? 0),
  }))
  return {
    logId: desk.tokens.logDigits,
    partitions,
    earliestPosition: desk.tokens.writePlace(start),
    latestPosition: desk.tokens.writePlace(end),
    consistencyToken: desk.tokens.write(end),
  }
}

/** The position to start from, with the private partitions at their end: nobody follows them here. */
async function startOf(
  desk: GatewayDesk,
  request: SubscribeRequest,
  { start, end }: LogBounds,
): Promise<Position> {
  const publicOnly = (position: Position) =>
    end.map((offset, index) => (index < partitionsOf(desk) ? (position[index] ?? 0) : offset))
  switch (request.start?.$case) {
    case undefined:
      return end
    case 'point':
      return publicOnly(pointOf(request.start.value) === 'earliest' ? start : end)
    case 'position': {
      const position = desk.tokens.readPlace(request.start.value, 'position')
      if (position !== undefined) return publicOnly(position)
      throw badPosition('position', 'this is no position of a server of this version')
    }
    case 'time': {
      const timeMs = request.start.value.getTime()
      if (!Number.isNaN(timeMs)) return publicOnly(await desk.firehose.offsetsAt(timeMs))
      throw new ApiError('TIME_OUT_OF_RANGE', 'time: this is no time', { field: 'time' })
    }
    case 'offsets':
      return offsetsOf(request.start.value, end, partitionsOf(desk))
  }
}

function pointOf(point: StartPoint): 'earliest' | 'latest' {
  switch (point) {
    case StartPoint.EARLIEST:
      return 'earliest'
    case StartPoint.UNSPECIFIED:
    case StartPoint.LATEST:
      return 'latest'
    case StartPoint.UNRECOGNIZED:
    default:
      throw new ApiError('ENUM_VALUE_UNKNOWN', `point: ${point} is no end of the log`, {
        field: 'point',
      })
  }
}

function offsetsOf({ offsets }: PartitionOffsets, end: Position, partitions: number): Position {
  const position = [...end]
  const named = new Set<number>()
  for (const [index, { partition, offset }] of offsets.entries()) {
    const field = `offsets.offsets[${index}].partition`
    if (partition >= partitions) throw badPosition(field, `there is no partition ${partition}`)
    if (named.has(partition)) throw badPosition(field, `partition ${partition} is named twice`)
    named.add(partition)
    position[partition] = Number(offset)
  }
  return position
}

function checkWithin(position: Position, { start, end }: LogBounds, partitions: number): void {
  for (const [partition, offset] of position.slice(0, partitions).entries()) {
    const earliest = start[partition] ?? 0
    const latest = end[partition] ?? 0
    if (offset >= earliest && offset <= latest) continue
    const message = `partition ${partition} holds offsets ${earliest} to ${latest}, not ${offset}`
    throw new ApiError('POSITION_OUT_OF_RANGE', message, {
      metadata: { partition, offset, earliest, latest },
    })
  }
}

function partitionsOf(desk: GatewayDesk): number {
  return desk.firehose.identity.partitionsPerTopic
}

function badPosition(field: string, what: string): ApiError {
  return new ApiError('POSITION_INVALID', `${field}: ${what}`, { field })
}

function isGap(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'FIREHOSE_GAP'
}
