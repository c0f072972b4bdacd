// ListRelations and CloseGap: what a rebuilt cell holds of its users, and the statement that it misses nothing any more.

import type { GapPart } from '../../cells/model/gap.ts'
import type {
  CloseGapRequest,
  CloseGapResponse,
  GapPart as WireGapPart,
  ListRelationsRequest,
  ListRelationsResponse,
} from '../../gen/cellfeed/admin/v1/admin_service.ts'
import { keyOfBytes, bytesOfKey } from '../cell/cell-messages.ts'
import { ApiError } from '../gateway/errors.ts'
import type { CallContext } from '../gateway/front-desk.ts'
import { checkUser } from '../gateway/validate.ts'
import type { AdminDesk } from './admin-desk.ts'

const LIMIT_MAX = 1_000

export async function listRelations(
  desk: AdminDesk,
  request: ListRelationsRequest,
  { signal }: CallContext,
): Promise<ListRelationsResponse> {
  const user = checkUser(request.userId, 'user_id')
  const seen = desk.tokens.readAll(request.consistencyTokens)
  const limit = Math.min(Math.max(1, request.limit), LIMIT_MAX)
  const query = { after: keyOfBytes(Buffer.from(request.after)), limit }
  const call = { viewer: user.key, seen, signal }
  const read = await desk.reader.asViewer(call, (cell, asked) => cell.relations(asked, query))
  const { related, readMark, next } = read.value
  return {
    related: related.map(({ id, follows, hideReblogs, blocks, mutes, blockedBy }) => {
      return { userId: id, follows, hideReblogs, blocks, mutes, blockedBy }
    }),
    next: bytesOfKey(next),
    readMarkPostId: readMark === undefined ? '' : String(readMark),
    consistencyToken: desk.tokens.write(read.position),
  }
}

export async function closeGap(
  desk: AdminDesk,
  request: CloseGapRequest,
  { signal }: CallContext,
): Promise<CloseGapResponse> {
  if (request.cell === '')
    throw new ApiError('FIELD_REQUIRED', 'cell is missing', { field: 'cell' })
  const seen = desk.tokens.readAll(request.consistencyTokens)
  const { value } = await desk.reader.atCell(request.cell, { seen, signal }, (cell) =>
    cell.closeGap({ seen, signal }),
  )
  return value
}

export function wireGap(part: GapPart, partitionsPerTopic: number): WireGapPart {
  const { partition, fromOffset, toOffset, fromMs, toMs } = part
  return {
    partition: partition % partitionsPerTopic,
    private: partition >= partitionsPerTopic,
    fromOffset: BigInt(fromOffset),
    toOffset: BigInt(toOffset),
    from: new Date(fromMs),
    to: new Date(toMs),
  }
}
