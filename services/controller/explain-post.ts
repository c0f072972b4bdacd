// ExplainPost: the verdict of the user's own cell, in the API's words and in one sentence.

import { eventsBetween } from '../../cells/model/position.ts'
import { firstIdAt, msOf } from '../../cells/model/post-id.ts'
import type { Explanation } from '../../cells/ports/cell-client.ts'
import {
  EntrySource,
  ExplainReason,
  type ExplainPostRequest,
  type ExplainPostResponse,
  ReaderClass,
} from '../../gen/cellfeed/admin/v1/admin_service.ts'
import type { CallContext } from '../gateway/front-desk.ts'
import { checkPost, checkUser } from '../gateway/validate.ts'
import { type AdminDesk, uint32 } from './admin-desk.ts'

const SOURCES = {
  window: EntrySource.WINDOW,
  inbox: EntrySource.INBOX,
  pulled: EntrySource.PULLED,
} as const

const CLASSES = {
  watcher: ReaderClass.WATCHER,
  dormant: ReaderClass.DORMANT,
  heavy: ReaderClass.HEAVY,
  regular: ReaderClass.REGULAR,
} as const

export async function explainPost(
  desk: AdminDesk,
  request: ExplainPostRequest,
  context: CallContext,
): Promise<ExplainPostResponse> {
  const reader = checkUser(request.userId, 'user_id')
  const { author, postId } = checkPost(request.post, 'post')
  const seen = desk.tokens.readAll(request.consistencyTokens)
  const call = { viewer: reader.key, seen, signal: context.signal }
  const { value, position } = await desk.reader.asViewer(call, async (cell, asked) => {
    const answer = await cell.explain(asked, { postId, author: author.key })
    if (answer.kind !== 'ok') return answer
    const status = await cell.status()
    return { ...answer, value: { explanation: answer.value, status } }
  })
  const { explanation, status } = value
  const { lagMs, coveredFromSecond } = explanation
  const told = tellingOf(explanation, { reader: reader.id, author: author.id })
  return {
    onDashboard: explanation.verdict === 'on-dashboard',
    reason: told.reason,
    sentence: told.sentence,
    facts: {
      cell: status.cell,
      slot: explanation.slot,
      epoch: BigInt(desk.router.placement.epoch),
      lagMs: uint32(lagMs),
      lagEvents: BigInt(eventsBetween(status.position, status.logEnd)),
      source:
        explanation.source === undefined ? EntrySource.UNSPECIFIED : SOURCES[explanation.source],
      coveredFromPostId:
        coveredFromSecond === undefined ? '' : String(firstIdAt(coveredFromSecond * 1000)),
      authorPulled: explanation.authorPulled,
      pairLeftOut: explanation.pairLeftOut,
      postCreatedAt: new Date(msOf(postId)),
      authorFigures: explanation.classFigures,
      pairFigures: explanation.pairFigures,
      readerClass:
        explanation.readerClass === undefined
          ? ReaderClass.UNSPECIFIED
          : CLASSES[explanation.readerClass],
    },
    consistencyToken: desk.tokens.write(position),
  }
}

type Telling = { readonly reason: ExplainReason; readonly sentence: string }

function tellingOf(
  { verdict, source, lagMs }: Explanation,
  { reader, author }: { readonly reader: string; readonly author: string },
): Telling {
  switch (verdict) {
    case 'not-applied-yet': {
      const sentence = `not applied yet: the cell of ${reader} is ${seconds(lagMs)} behind the firehose`
      return { reason: ExplainReason.NOT_APPLIED_YET, sentence }
    }
    case 'unknown-post': {
      const sentence = `${author} has no such post, as far as the cell of ${reader} knows`
      return { reason: ExplainReason.UNKNOWN_POST, sentence }
    }
    case 'deleted':
      return { reason: ExplainReason.POST_DELETED, sentence: 'the post was deleted' }
    case 'author-deleted':
      return { reason: ExplainReason.AUTHOR_DELETED, sentence: `${author} was deleted` }
    case 'reader-deleted':
      return { reason: ExplainReason.READER_DELETED, sentence: `${reader} was deleted` }
    case 'not-followed': {
      const sentence = `${reader} does not follow ${author}`
      return { reason: ExplainReason.NOT_FOLLOWED, sentence }
    }
    case 'muted':
      return { reason: ExplainReason.AUTHOR_MUTED, sentence: `${reader} muted ${author}` }
    case 'blocked':
      return { reason: ExplainReason.AUTHOR_BLOCKED, sentence: `${reader} blocked ${author}` }
    case 'blocked-by-author':
      return { reason: ExplainReason.READER_BLOCKED, sentence: `${author} blocked ${reader}` }
    case 'reblog-hidden': {
      const sentence = `the post is a reblog, and ${reader} hides the reblogs of ${author}`
      return { reason: ExplainReason.REBLOG_HIDDEN, sentence }
    }
    case 'on-dashboard': {
      const from = source === undefined ? '' : `, taken from ${SOURCE_WORDS[source]}`
      return reader === author
        ? { reason: ExplainReason.OWN_POST, sentence: `it is a post of ${reader}'s own${from}` }
        : {
            reason: ExplainReason.ON_DASHBOARD,
            sentence: `${reader} follows ${author}${from}`,
          }
    }
  }
}

const SOURCE_WORDS = {
  window: 'the window',
  inbox: 'the inbox',
  pulled: "the author's stored posts",
} as const

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
