// Bringing a product's history in.

import {
  type ImportedPost as WireImportedPost,
  type ImportRecord as WireImportRecord,
  ImportServiceService as methods,
} from '../../gen/cellfeed/v1/import_service.ts'
import { ErrorReason } from '../../gen/cellfeed/v1/errors.ts'
import type { CallOptions } from './channel.ts'
import {
  type Audience,
  fromAudience,
  fromPayload,
  fromPostRef,
  type PostContent,
  type PostRef,
} from './post.ts'
import type { Session } from './session.ts'

/** A post with its original time. The same post always gets the same id, and never replaces one. */
export interface ImportedPost extends Partial<PostContent> {
  readonly authorId: string
  /** The product's own id of the post, 1-128 bytes. */
  readonly externalId: string
  readonly createdAt: Date
  readonly editedAt?: Date | undefined
  readonly audience?: Audience | undefined
  /** Makes it a reblog of a post whose id is known ... */
  readonly reblogOf?: PostRef | undefined
  /** ... or of one that is imported too, before or after this one. */
  readonly reblogOfImported?: ImportedPostRef | undefined
}

/** The name of an imported post by what the product knows of it. */
export interface ImportedPostRef {
  readonly authorId: string
  readonly externalId: string
  readonly createdAt: Date
}

export interface ImportedFollow {
  readonly userId: string
  readonly authorId: string
  readonly hideReblogs?: boolean | undefined
}

export interface ImportedUnfollow {
  readonly userId: string
  readonly authorId: string
}

/** A block or a mute. */
export interface ImportedRelation {
  readonly userId: string
  readonly targetId: string
}

/** How far a user has read: up to a post id, or up to a time. */
export type ImportedReadMark = { readonly userId: string } & (
  | { readonly postId: string }
  | { readonly readUntil: Date }
)

export type ImportRecord =
  | { readonly post: ImportedPost }
  | { readonly follow: ImportedFollow }
  | { readonly block: ImportedRelation }
  | { readonly mute: ImportedRelation }
  | { readonly readMark: ImportedReadMark }
  /** The end of a relation: of what the snapshot does not have. */
  | { readonly unfollow: ImportedUnfollow }
  | { readonly unblock: ImportedRelation }
  | { readonly unmute: ImportedRelation }

/** Why a record was not accepted. */
export interface ImportProblem {
  /** Its place in the batch, from 0. */
  readonly index: number
  /** As for the single call, for example 'SELF_RELATION'. */
  readonly reason: string
  /** The path of the bad field within the record, for example 'post.text'. */
  readonly field: string
  readonly message: string
}

export interface ImportResult {
  readonly acceptedCount: number
  readonly problems: readonly ImportProblem[]
  /** One for each record: of an accepted post its id, else empty. */
  readonly postIds: readonly string[]
}

export interface ImportCalls {
  /**
   * Imports up to 1,000 records (at most 4 MiB). What is wrong with single records is in the result;
   * the others are accepted. Repeating a batch changes nothing.
   */
  importRecords(
    records: readonly ImportRecord[],
    options: CallOptions & {
      /** When the snapshot was taken that the records come from; not older than 30 days. */
      readonly asOf: Date
    },
  ): Promise<ImportResult>
}

export function importCalls(session: Session): ImportCalls {
  return {
    async importRecords(records, options) {
      const { asOf, ...callOptions } = options
      const request = { asOf, records: records.map(fromRecord) }
      const answer = await session.write(methods.importRecords, request, callOptions)
      return {
        acceptedCount: answer.acceptedCount,
        problems: answer.errors.map(({ recordIndex, reason, field, message }) => ({
          index: recordIndex,
          reason: nameOf(reason),
          field,
          message,
        })),
        postIds: answer.postIds,
      }
    },
  }
}

const reasonNames = new Map<number, string>(
  Object.entries(ErrorReason).map(([name, number]) => [number, name]),
)

function nameOf(reason: ErrorReason): string {
  return reasonNames.get(reason) ?? 'UNKNOWN'
}

function fromRecord(record: ImportRecord): WireImportRecord {
  if ('post' in record) return { record: { $case: 'post', value: fromPost(record.post) } }
  if ('follow' in record) {
    const { userId, authorId, hideReblogs = false } = record.follow
    return { record: { $case: 'follow', value: { userId, authorId, hideReblogs } } }
  }
  if ('block' in record) return { record: { $case: 'block', value: { ...record.block } } }
  if ('mute' in record) return { record: { $case: 'mute', value: { ...record.mute } } }
  if ('unfollow' in record) return { record: { $case: 'unfollow', value: { ...record.unfollow } } }
  if ('unblock' in record) return { record: { $case: 'unblock', value: { ...record.unblock } } }
  if ('unmute' in record) return { record: { $case: 'unmute', value: { ...record.unmute } } }
  const mark = record.readMark
  const value =
    'postId' in mark
      ? ({ $case: 'postId', value: mark.postId } as const)
      : ({ $case: 'readUntil', value: mark.readUntil } as const)
  return { record: { $case: 'readMark', value: { userId: mark.userId, mark: value } } }
}

function fromPost(post: ImportedPost): WireImportedPost {
  return {
    authorId: post.authorId,
    externalId: post.externalId,
    createdAt: post.createdAt,
    editedAt: post.editedAt,
    audience: fromAudience(post.audience),
    origin: originOf(post),
    text: post.text ?? '',
    tags: [...(post.tags ?? [])],
    payload: fromPayload(post.payload),
  }
}

function originOf({ reblogOf, reblogOfImported }: ImportedPost): WireImportedPost['origin'] {
  if (reblogOf) return { $case: 'reblogOf', value: fromPostRef(reblogOf) }
  if (reblogOfImported) return { $case: 'reblogOfImported', value: { ...reblogOfImported } }
  return undefined
}
