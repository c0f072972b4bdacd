// GraphService: follows, blocks, mutes, and lists of them. Every change is one event, keyed by the user it is about; only a
// block is three: itself, and the end of the follows both ways, each decided in its own partition.

import { largerOf } from '../../cells/model/position.ts'
import type { UserRef } from '../../cells/model/user-key.ts'
import {
  type FollowRequest,
  type GraphServiceService,
  type ListFollowersRequest,
  type ListFollowersResponse,
  type ListFollowingRequest,
  type ListFollowingResponse,
} from '../../gen/cellfeed/v1/graph_service.ts'
import type { ProducedFact } from './event-writer.ts'
import type { CallContext } from './front-desk.ts'
import { type GatewayDesk, seenBefore } from './gateway-desk.ts'
import type { Handlers } from './service-book.ts'
import { checkPageSize, checkPair, checkUser } from './validate.ts'

type Changed = { consistencyToken: string }
type AuthorPair = Pick<FollowRequest, 'userId' | 'authorId'>
type TargetPair = { readonly userId: string; readonly targetId: string }

export function graphService(desk: GatewayDesk): Handlers<GraphServiceService> {
  const { front } = desk
  return {
    follow: front.write('Follow', (request, context) => {
      const [user, author] = checkAuthorPair(request)
      const { hideReblogs } = request
      const fact = { kind: 'followed', user, author, hideReblogs, asOfMs: undefined } as const
      return write(desk, [[fact]], context)
    }),
    unfollow: front.write('Unfollow', (request, context) => {
      const [user, author] = checkAuthorPair(request)
      return write(desk, [[unfollowed(user, author)]], context)
    }),
    block: front.write('Block', (request, context) => {
      const [user, target] = checkTargetPair(request)
      const ends = [unfollowed(user, target), unfollowed(target, user)]
      return write(desk, [[hidden('blocked', user, target)], ends], context)
    }),
    unblock: front.write('Unblock', (request, context) => {
      const [user, target] = checkTargetPair(request)
      return write(desk, [[hidden('unblocked', user, target)]], context)
    }),
    mute: front.write('Mute', (request, context) => {
      const [user, target] = checkTargetPair(request)
      return write(desk, [[hidden('muted', user, target)]], context)
    }),
    unmute: front.write('Unmute', (request, context) => {
      const [user, target] = checkTargetPair(request)
      return write(desk, [[hidden('unmuted', user, target)]], context)
    }),
    listFollowing: front.unary('ListFollowing', (request, context) =>
      listFollowing(desk, request, context),
    ),
    listFollowers: front.unary('ListFollowers', (request, context) =>
      listFollowers(desk, request, context),
    ),
  }
}

async function write(
  desk: GatewayDesk,
  steps: readonly (readonly ProducedFact[])[],
  context: CallContext,
): Promise<Changed> {
  const { token } = await desk.writer.writeInTurn(steps, context.signal)
  return { consistencyToken: token }
}

async function listFollowing(
  desk: GatewayDesk,
  request: ListFollowingRequest,
  context: CallContext,
): Promise<ListFollowingResponse> {
  const viewer = checkUser(request.userId, 'user_id').key
  const limit = checkPageSize(request.pageSize)
  const owner = { call: 'following', user: viewer } as const
  const opened = desk.pages.open(request.pageToken, owner)
  const seen = seenBefore(desk, request.consistencyTokens, opened)
  const { value: page, position } = await desk.reader.asViewer(
    { viewer, seen, signal: context.signal },
    (cell, call) => cell.following(call, { after: opened?.author, limit }),
  )
  return {
    authors: page.following.map(({ id, hideReblogs }) => ({ authorId: id, hideReblogs })),
    nextPageToken: page.next === undefined ? '' : desk.pages.sealUser(owner, page.next, position),
    consistencyToken: desk.tokens.write(position),
  }
}

/** Every cell stores the followers homed in it; their pages are merged in the order of keys. */
async function listFollowers(
  desk: GatewayDesk,
  request: ListFollowersRequest,
  context: CallContext,
): Promise<ListFollowersResponse> {
  const author = checkUser(request.userId, 'user_id').key
  const limit = checkPageSize(request.pageSize)
  const owner = { call: 'followers', user: author } as const
  const opened = desk.pages.open(request.pageToken, owner)
  const seen = seenBefore(desk, request.consistencyTokens, opened)
  const read = { seen, signal: context.signal }
  const query = { author, after: opened?.author, limit }
  const answers = await desk.reader.ofAllCells(read, (cell) => cell.followersHere(read, query))
  // While a user moves, two cells may hold them.
  const byKey = new Map(
    answers.flatMap(({ value }) => value.followers.map((each) => [each.user, each])),
  )
  const all = [...byKey.values()].sort((a, b) => (a.user < b.user ? -1 : 1))
  const shown = all.slice(0, limit)
  const last = shown.at(-1)
  const hasMore = all.length > limit || answers.some(({ value }) => value.next !== undefined)
  // The greatest, so that a later page never falls behind any of the cells of this one.
  const position = answers.map((answer) => answer.position).reduce(largerOf)
  return {
    followerIds: shown.map(({ id }) => id),
    nextPageToken:
      hasMore && last !== undefined ? desk.pages.sealUser(owner, last.user, position) : '',
    consistencyToken: desk.tokens.write(position),
  }
}

function unfollowed(user: UserRef, author: UserRef): ProducedFact {
  return { kind: 'unfollowed', user, author, asOfMs: undefined }
}

function hidden(
  kind: 'blocked' | 'unblocked' | 'muted' | 'unmuted',
  user: UserRef,
  target: UserRef,
): ProducedFact {
  return { kind, user, target, asOfMs: undefined }
}

function checkAuthorPair(request: AuthorPair): [UserRef, UserRef] {
  return checkPair(
    { id: request.userId, field: 'user_id' },
    { id: request.authorId, field: 'author_id' },
  )
}

function checkTargetPair(request: TargetPair): [UserRef, UserRef] {
  return checkPair(
    { id: request.userId, field: 'user_id' },
    { id: request.targetId, field: 'target_id' },
  )
}
