// One imported record as the events it means. The id of an imported post is made from its time and the product's own id
// alone, so a repeat names the same post; a relation counts as of its snapshot's time, so what changed since wins.

import type { PostName } from '../../cells/model/event.ts'
import { firstIdAt, type PostId } from '../../cells/model/post-id.ts'
import type {
  ImportedPost,
  ImportedReadMark,
  ImportRecord,
} from '../../gen/cellfeed/v1/import_service.ts'
import { ApiError } from './errors.ts'
import type { ProducedFact } from './event-writer.ts'
import { idOfImported } from './imported-id.ts'
import {
  checkAudience,
  checkContent,
  checkExternalId,
  checkNotAhead,
  checkNotItself,
  checkPair,
  checkPost,
  checkPostId,
  checkPresent,
  checkTime,
  checkUser,
} from './validate.ts'
import { encodeContent, encodeHead } from './wire.ts'

export type ImportTimes = {
  readonly nowMs: number
  /** Of the snapshot; undefined when the batch names none. */
  readonly asOfMs: number | undefined
  readonly aheadMaxMs: number
}
export type ImportedFacts = {
  readonly facts: readonly ProducedFact[]
  /** Of a post, in digits. */
  readonly postId: string
}

/** Throws an ApiError whose field is the path within the record. */
export function factsOfRecord(record: ImportRecord, times: ImportTimes): ImportedFacts {
  const kind = checkPresent(record.record, 'record')
  switch (kind.$case) {
    case 'post': {
      const fact = postFact(kind.value, times)
      return { facts: [fact], postId: String(fact.postId) }
    }
    case 'follow': {
      const { userId, authorId, hideReblogs } = kind.value
      const [user, author] = checkPair(
        { id: userId, field: 'follow.user_id' },
        { id: authorId, field: 'follow.author_id' },
      )
      const asOfMs = checkPresent(times.asOfMs, 'as_of')
      return relation([{ kind: 'followed', user, author, hideReblogs, asOfMs }])
    }
    case 'block': {
      const [user, target] = checkTarget(kind.value, 'block')
      const asOfMs = checkPresent(times.asOfMs, 'as_of')
      return relation([
        { kind: 'blocked', user, target, asOfMs },
        { kind: 'unfollowed', user, author: target, asOfMs },
        { kind: 'unfollowed', user: target, author: user, asOfMs },
      ])
    }
    case 'mute': {
      const [user, target] = checkTarget(kind.value, 'mute')
      const asOfMs = checkPresent(times.asOfMs, 'as_of')
      return relation([{ kind: 'muted', user, target, asOfMs }])
    }
    case 'unfollow': {
      const [user, author] = checkPair(
        { id: kind.value.userId, field: 'unfollow.user_id' },
        { id: kind.value.authorId, field: 'unfollow.author_id' },
      )
      const asOfMs = checkPresent(times.asOfMs, 'as_of')
      return relation([{ kind: 'unfollowed', user, author, asOfMs }])
    }
    case 'unblock': {
      const [user, target] = checkTarget(kind.value, 'unblock')
      const asOfMs = checkPresent(times.asOfMs, 'as_of')
      return relation([{ kind: 'unblocked', user, target, asOfMs }])
    }
    case 'unmute': {
      const [user, target] = checkTarget(kind.value, 'unmute')
      const asOfMs = checkPresent(times.asOfMs, 'as_of')
      return relation([{ kind: 'unmuted', user, target, asOfMs }])
    }
    case 'readMark': {
      const user = checkUser(kind.value.userId, 'read_mark.user_id')
      const postId = readMark(kind.value, times)
      return relation([{ kind: 'read-marked', user, postId }])
    }
  }
}

/** Whether the record counts as of a snapshot, whose time the batch then has to name. */
export function isRelation(record: ImportRecord): boolean {
  const kind = record.record?.$case
  return kind !== undefined && kind !== 'post' && kind !== 'readMark'
}

function postFact(post: ImportedPost, times: ImportTimes) {
  const author = checkUser(post.authorId, 'post.author_id')
  const externalId = checkExternalId(post.externalId, 'post.external_id', 1)
  const createdAtMs = checkPast(post.createdAt, 'post.created_at', times)
  const named = { author, postId: checkImportedId(createdAtMs, externalId, 'post.created_at') }
  const audience = checkAudience(post.audience, 'post.audience')
  const reblogOf = origin(post, times)
  checkNotItself(named, reblogOf, 'post.reblog_of')
  checkContent(post, 'post.')
  const editedAtMs =
    post.editedAt === undefined ? undefined : checkPast(post.editedAt, 'post.edited_at', times)
  return {
    kind: 'post-created' as const,
    ...named,
    head: encodeHead({ ...named, createdAtMs, audience, reblogOf, externalId }),
    content: encodeContent(post, editedAtMs),
    reblogOf,
    audience,
  }
}

function origin(post: ImportedPost, times: ImportTimes): PostName | undefined {
  switch (post.origin?.$case) {
    case undefined:
      return undefined
    case 'reblogOf':
      return checkPost(post.origin.value, 'post.reblog_of')
    case 'reblogOfImported': {
      const { authorId, externalId, createdAt } = post.origin.value
      const field = 'post.reblog_of_imported'
      const createdAtMs = checkPast(createdAt, `${field}.created_at`, times)
      checkExternalId(externalId, `${field}.external_id`, 1)
      return {
        author: checkUser(authorId, `${field}.author_id`),
        postId: checkImportedId(createdAtMs, externalId, `${field}.created_at`),
      }
    }
  }
}

function readMark({ mark }: ImportedReadMark, times: ImportTimes): PostId {
  const { nowMs, aheadMaxMs } = times
  const { $case, value } = checkPresent(mark, 'read_mark.mark')
  if ($case === 'readUntil') {
    const untilMs = checkPast(value, 'read_mark.read_until', times)
    return (firstIdAt(untilMs + 1) - 1n) as PostId
  }
  const field = 'read_mark.post_id'
  const postId = checkPostId(value, field)
  checkNotAhead(postId, { nowMs, aheadMaxMs, field })
  return postId
}

function relation(facts: readonly ProducedFact[]): ImportedFacts {
  return { facts, postId: '' }
}

function checkTarget(pair: { readonly userId: string; readonly targetId: string }, path: string) {
  return checkPair(
    { id: pair.userId, field: `${path}.user_id` },
    { id: pair.targetId, field: `${path}.target_id` },
  )
}

function checkPast(time: Date | undefined, field: string, times: ImportTimes): number {
  return checkTime(time, { field, nowMs: times.nowMs, aheadMaxMs: times.aheadMaxMs })
}

function checkImportedId(createdAtMs: number, externalId: string, field: string): PostId {
  const postId = idOfImported(createdAtMs, externalId)
  if (postId !== undefined) return postId
  // Of the first millisecond of 2000, one external id in four million has no post id.
  throw new ApiError('TIME_OUT_OF_RANGE', `${field}: this moment has no id left`, { field })
}
