// DashboardService: a user's page, the watch on it, the read mark. A page's posts are passed on as the cell encoded them.

import type { Page, Place } from '../../cells/ports/cell-client.ts'
import {
  type CountUnreadRequest,
  type CountUnreadResponse,
  DashboardServiceService,
  type ListDashboardRequest,
  ListDashboardResponse,
  type MarkReadRequest,
  type MarkReadResponse,
} from '../../gen/cellfeed/v1/dashboard_service.ts'
import { encoded } from '../runtime/encoded.ts'
import { PLACE_BEFORE_ALL } from './dashboard-places.ts'
import type { CallContext } from './front-desk.ts'
import { type DashboardDesk, type GatewayDesk, seenBefore } from './gateway-desk.ts'
import type { Read } from './cell-reader.ts'
import { asEncoded, type Handlers } from './service-book.ts'
import { checkCount, checkNotAhead, checkPageSize, checkPostId, checkUser } from './validate.ts'
import { watchDashboard } from './watch-dashboard.ts'
import { encodePosts, whatFits } from './wire.ts'

const UNREAD_CAP_DEFAULT = 100
const UNREAD_CAP_MAX = 1_000

const { listDashboard: list, watchDashboard: watch, countUnread: count } = DashboardServiceService

/** What a cell answers for its own users; all of it reads. */
export const dashboardReadsDefinition = {
  listDashboard: { ...list, responseSerialize: asEncoded },
  watchDashboard: { ...watch, responseSerialize: asEncoded },
  countUnread: count,
}
export const dashboardServiceDefinition = {
  ...DashboardServiceService,
  ...dashboardReadsDefinition,
}

export function dashboardReads(desk: DashboardDesk): Handlers<typeof dashboardReadsDefinition> {
  const { front } = desk
  return {
    listDashboard: front.unary('ListDashboard', (request, context) =>
      listDashboard(desk, request, context),
    ),
    watchDashboard: front.stream('WatchDashboard', desk.limits.watchesMax, (request, context) =>
      watchDashboard(desk, request, context),
    ),
    countUnread: front.unary('CountUnread', (request, context) =>
      countUnread(desk, request, context),
    ),
  }
}

export function dashboardService(desk: GatewayDesk): Handlers<typeof dashboardServiceDefinition> {
  return {
    ...dashboardReads(desk),
    markRead: desk.front.write('MarkRead', (request, context) => markRead(desk, request, context)),
  }
}

async function listDashboard(
  desk: DashboardDesk,
  request: ListDashboardRequest,
  context: CallContext,
): Promise<Buffer> {
  const viewer = checkUser(request.userId, 'user_id').key
  const limit = checkPageSize(request.pageSize)
  const opened = desk.pages.open(request.pageToken, { call: 'dashboard', user: viewer })
  const seen = seenBefore(desk, request.consistencyTokens, opened)
  const from =
    opened?.postId === undefined
      ? undefined
      : {
          direction: opened.direction,
          place: { postId: opened.postId, author: opened.author },
        }
  const ask = (posts: number): Promise<Read<Page>> =>
    desk.reader.asViewer({ viewer, seen, signal: context.signal }, (cell, call) =>
      cell.dashboard(call, {
        limit: posts,
        from,
        countUnreadTo: request.includeUnreadCount ? UNREAD_CAP_DEFAULT : undefined,
      }),
    )
  const { value: page, position } = await whatFits(ask, limit, desk.limits.pageBytesMax)
  const sealed = (direction: 'older' | 'newer', at: Place) =>
    desk.pages.sealPlace({ call: 'dashboard', user: viewer }, direction, at, position)
  const rest = encoded(ListDashboardResponse, {
    posts: [],
    olderPageToken: page.older === undefined ? '' : sealed('older', page.older),
    newerPageToken: sealed('newer', page.newer ?? from?.place ?? PLACE_BEFORE_ALL),
    consistencyToken: desk.tokens.write(position),
    readMark: page.readMark === undefined ? '' : String(page.readMark),
    unreadCount: page.unread?.count,
    unreadCountCapped: page.unread?.capped ?? false,
  })
  return encodePosts(page.posts, rest)
}

async function markRead(
  desk: GatewayDesk,
  request: MarkReadRequest,
  context: CallContext,
): Promise<MarkReadResponse> {
  const user = checkUser(request.userId, 'user_id')
  const postId = checkPostId(request.postId, 'post_id')
  const nowMs = desk.writer.nowMs()
  checkNotAhead(postId, { nowMs, aheadMaxMs: desk.cellLimits.idAheadMaxMs, field: 'post_id' })
  const fact = { kind: 'read-marked', user, postId } as const
  const { token } = await desk.writer.write([fact], context.signal)
  return { consistencyToken: token }
}

async function countUnread(
  desk: DashboardDesk,
  request: CountUnreadRequest,
  context: CallContext,
): Promise<CountUnreadResponse> {
  const viewer = checkUser(request.userId, 'user_id').key
  const cap = checkCount(request.cap, {
    field: 'cap',
    whenZero: UNREAD_CAP_DEFAULT,
    max: UNREAD_CAP_MAX,
  })
  const seen = seenBefore(desk, request.consistencyTokens)
  // A page brings count and read mark of one moment; the count alone would leave the mark to a second call.
  const { value, position } = await desk.reader.asViewer(
    { viewer, seen, signal: context.signal },
    (cell, call) => cell.dashboard(call, { limit: 1, from: undefined, countUnreadTo: cap }),
  )
  return {
    unreadCount: value.unread?.count ?? 0,
    unreadCountCapped: value.unread?.capped ?? false,
    readMark: value.readMark === undefined ? '' : String(value.readMark),
    consistencyToken: desk.tokens.write(position),
  }
}
