// ImportService: history in batches. Valid records go to the firehose in bounded appends, in the order given; all others
// are listed with what is wrong. Whatever fails on the way, the whole batch may be sent again.

import { ErrorReason } from '../../gen/cellfeed/v1/errors.ts'
import {
  type ImportError,
  type ImportRecordsRequest,
  type ImportRecordsResponse,
  type ImportServiceService,
} from '../../gen/cellfeed/v1/import_service.ts'
import { ApiError } from './errors.ts'
import type { ProducedFact } from './event-writer.ts'
import type { CallContext } from './front-desk.ts'
import type { GatewayDesk } from './gateway-desk.ts'
import { factsOfRecord, isRelation, type ImportTimes } from './import-record.ts'
import type { Handlers } from './service-book.ts'
import { checkTime } from './validate.ts'

export const IMPORT_RECORDS_MAX = 1_000
const DAY_MS = 86_400_000

export function importService(desk: GatewayDesk): Handlers<ImportServiceService> {
  return {
    importRecords: desk.front.write('ImportRecords', (request, context) =>
      importRecords(desk, request, context),
    ),
  }
}

async function importRecords(
  desk: GatewayDesk,
  request: ImportRecordsRequest,
  context: CallContext,
): Promise<ImportRecordsResponse> {
  if (request.records.length > IMPORT_RECORDS_MAX) {
    const message = `records: at most ${IMPORT_RECORDS_MAX}, these are ${request.records.length}`
    throw new ApiError('BATCH_TOO_LARGE', message, {
      field: 'records',
      metadata: { limit: IMPORT_RECORDS_MAX, actual: request.records.length },
    })
  }
  const times = checkTimes(desk, request)
  const facts: ProducedFact[] = []
  const postIds: string[] = []
  const errors: ImportError[] = []
  for (const [recordIndex, record] of request.records.entries()) {
    try {
      const imported = factsOfRecord(record, times)
      facts.push(...imported.facts)
      postIds.push(imported.postId)
    } catch (error) {
      errors.push(importError(recordIndex, error))
      postIds.push('')
    }
  }
  const { token } = await desk.writer.writeInTurn(
    inPieces(facts, {
      events: desk.limits.importAppendEvents,
      bytes: desk.limits.importAppendBytes,
    }),
    context.signal,
  )
  const acceptedCount = request.records.length - errors.length
  return { acceptedCount, errors, postIds, consistencyToken: token }
}

function checkTimes(desk: GatewayDesk, request: ImportRecordsRequest): ImportTimes {
  const nowMs = desk.writer.nowMs()
  const aheadMaxMs = desk.cellLimits.idAheadMaxMs
  if (request.asOf === undefined) {
    if (!request.records.some(isRelation)) return { nowMs, aheadMaxMs, asOfMs: undefined }
    const message = 'as_of is missing: relations count as of the time of their snapshot'
    throw new ApiError('FIELD_REQUIRED', message, { field: 'as_of' })
  }
  const asOfMs = checkTime(request.asOf, { field: 'as_of', nowMs, aheadMaxMs: 0 })
  const { relationMemoryMs } = desk.cellLimits
  if (asOfMs < nowMs - relationMemoryMs) {
    const limitDays = Math.floor(relationMemoryMs / DAY_MS)
    const message = `as_of: a snapshot may be ${limitDays} days old, not older; take a new one`
    throw new ApiError('AS_OF_TOO_OLD', message, { metadata: { limit_days: limitDays } })
  }
  return { nowMs, aheadMaxMs, asOfMs }
}

function importError(recordIndex: number, error: unknown): ImportError {
  if (!(error instanceof ApiError)) throw error
  return {
    recordIndex,
    reason: ErrorReason[error.code],
    field: error.field ?? '',
    message: error.message,
  }
}

/** Splits the events, in order, so that no append has too many of them or too many bytes. */
function inPieces(
  facts: readonly ProducedFact[],
  max: { readonly events: number; readonly bytes: number },
): ProducedFact[][] {
  const pieces: ProducedFact[][] = []
  let piece: ProducedFact[] = []
  let bytes = 0
  for (const fact of facts) {
    const size = fact.kind === 'post-created' ? fact.head.length + fact.content.length : 0
    if (piece.length >= max.events || (piece.length > 0 && bytes + size > max.bytes)) {
      pieces.push(piece)
      piece = []
      bytes = 0
    }
    piece.push(fact)
    bytes += size
  }
  return piece.length === 0 ? pieces : [...pieces, piece]
}
