// Dashboards: pages, watching, read marks.

import {
  DashboardServiceService as methods,
  ResetReason,
  type WatchDashboardRequest,
  type WatchDashboardResponse,
} from '../../gen/cellfeed/v1/dashboard_service.ts'
import type { CellfeedError } from './cellfeed-error.ts'
import type { CallOptions } from './channel.ts'
import { type DashboardPost, type PostRef, toDashboardPost, toPostRef } from './post.ts'
import type { Session } from './session.ts'

export interface DashboardOptions extends CallOptions {
  /** Posts a page: 20 unless given, at most 200. */
  readonly limit?: number | undefined
  /** An `olderPageToken` or `newerPageToken` of an earlier page of this user. */
  readonly pageToken?: string | undefined
  /** Whether to count unread posts too. */
  readonly countUnread?: boolean | undefined
}

/** How many posts are newer than the read mark. */
export interface Unread {
  readonly count: number
  /** Whether there are more than `count`. */
  readonly capped: boolean
  /** The id up to which the user has read; undefined if nothing was ever marked. */
  readonly readMark: string | undefined
}

export interface DashboardPage {
  /** Newest first. */
  readonly posts: readonly DashboardPost[]
  /** Where older posts go on; undefined at the very end of the dashboard. */
  readonly olderPageToken: string | undefined
  /** Where newer posts will be: for a later `dashboard` or a `watch`. */
  readonly newerPageToken: string
  readonly readMark: string | undefined
  /** Set if asked for. */
  readonly unread: Unread | undefined
}

export interface WatchOptions {
  readonly signal?: AbortSignal | undefined
  /** Of a page, so that nothing is missed between it and the watch. Without: from now on. */
  readonly newerPageToken?: string | undefined
}

/** Something that happened to a watched dashboard. Posts may come twice: merge them by name. */
export type DashboardChange =
  | { readonly kind: 'added'; readonly post: DashboardPost }
  | { readonly kind: 'edited'; readonly post: DashboardPost }
  | ({ readonly kind: 'removed' } & PostRef)
  | { readonly kind: 'readMarkMoved'; readonly readMark: string }
  /** A sign of life, at the start and every 15 seconds, with a place to watch from later. */
  | { readonly kind: 'heartbeat'; readonly newerPageToken: string }
  /** More changed than can be told post by post: list the dashboard anew. */
  | {
      readonly kind: 'reset'
      readonly reason: 'followsChanged' | 'fellBehind' | 'moved' | 'reconnected' | 'other'
      /** The author whose posts came or went, if it is only one. */
      readonly authorId: string | undefined
    }

export interface DashboardCalls {
  /** One page of a user's dashboard: the newest, or where a page token points. */
  dashboard(userId: string, options?: DashboardOptions): Promise<DashboardPage>

  /** All pages from there to the very end, each asked for when the loop gets to it. */
  dashboardPages(
    userId: string,
    options?: DashboardOptions,
  ): AsyncGenerator<DashboardPage, void, void>

  /**
   * What changes on a dashboard, as it happens, until the loop is left or the signal fires. A broken
   * connection is opened again, for about a minute if need be; then nothing is left out, or a 'reset' says that
   * removals and edits may have been missed.
   */
  watch(userId: string, options?: WatchOptions): AsyncGenerator<DashboardChange, void, void>

  /** Marks everything up to and with this post id as read. An older mark changes nothing. */
  markRead(userId: string, postId: string, options?: CallOptions): Promise<void>

  /** Counts the posts above the read mark, to a cap (100 unless given, at most 1,000). */
  unread(userId: string, options?: CallOptions & { readonly cap?: number }): Promise<Unread>
}

export function dashboardCalls(session: Session): DashboardCalls {
  const dashboard = async (userId: string, options: DashboardOptions = {}) => {
    const page = await session.read(
      methods.listDashboard,
      {
        userId,
        pageSize: options.limit ?? 0,
        pageToken: options.pageToken ?? '',
        includeUnreadCount: options.countUnread ?? false,
      },
      { ...options, ofUser: userId },
    )
    const readMark = page.readMark || undefined
    return {
      posts: page.posts.map(toDashboardPost),
      olderPageToken: page.olderPageToken || undefined,
      newerPageToken: page.newerPageToken,
      readMark,
      unread:
        page.unreadCount === undefined
          ? undefined
          : { count: page.unreadCount, capped: page.unreadCountCapped, readMark },
    }
  }

  return {
    dashboard,

    async *dashboardPages(userId, options = {}) {
      let pageToken = options.pageToken
      do {
        const page: DashboardPage = await dashboard(userId, { ...options, pageToken })
        yield page
        pageToken = page.olderPageToken
      } while (pageToken !== undefined)
    },

    watch: (userId, options = {}) => watch(session, userId, options),

    async markRead(userId, postId, options) {
      await session.write(methods.markRead, { userId, postId }, options)
    },

    async unread(userId, options = {}) {
      const { cap = 0, ...callOptions } = options
      const answer = await session.read(
        methods.countUnread,
        { userId, cap },
        { ...callOptions, ofUser: userId },
      )
      return {
        count: answer.unreadCount,
        capped: answer.unreadCountCapped,
        readMark: answer.readMark || undefined,
      }
    },
  }
}

async function* watch(
  session: Session,
  userId: string,
  options: WatchOptions,
): AsyncGenerator<DashboardChange, void, void> {
  let newerPageToken = options.newerPageToken ?? ''
  // Of the last answer, when a cell sends its user elsewhere: that has told everything by then.
  let resumeToken = ''
  let lastToken = ''
  let isBack = false
  const consistencyTokens = await session.tokensForStream()
  const request = (): WatchDashboardRequest => {
    return { userId, newerPageToken, consistencyTokens, resumeToken }
  }
  const broke = ({ reason }: CellfeedError) => {
    resumeToken = reason === 'MOVED' ? lastToken : ''
  }
  const resumed = () => {
    isBack = true
  }
  const answers = session.stream(
    methods.watchDashboard,
    { request, broke, resumed },
    { ...options, ofUser: userId },
  )
  for await (const answer of answers) {
    if (isBack) {
      isBack = false
      if (!goesOn(answer)) yield { kind: 'reset', reason: 'reconnected', authorId: undefined }
    }
    lastToken = answer.consistencyToken
    const change = toChange(answer)
    if (change === undefined) continue
    if (change.kind === 'heartbeat') newerPageToken = change.newerPageToken
    yield change
  }
}

function goesOn({ event }: WatchDashboardResponse): boolean {
  return event?.$case === 'heartbeat' && event.value.resumed
}

const resetReasons = {
  [ResetReason.FOLLOWS_CHANGED]: 'followsChanged',
  [ResetReason.FELL_BEHIND]: 'fellBehind',
  [ResetReason.MOVED]: 'moved',
  [ResetReason.UNSPECIFIED]: 'other',
  [ResetReason.UNRECOGNIZED]: 'other',
} as const

/** Undefined for an event of a kind that this version does not know. */
function toChange({ event }: WatchDashboardResponse): DashboardChange | undefined {
  switch (event?.$case) {
    case 'added':
    case 'edited':
      return { kind: event.$case, post: toDashboardPost(event.value) }
    case 'removed':
      return { kind: 'removed', ...toPostRef(event.value) }
    case 'readMarkMoved':
      return { kind: 'readMarkMoved', readMark: event.value.readMark }
    case 'heartbeat':
      return { kind: 'heartbeat', newerPageToken: event.value.newerPageToken }
    case 'reset': {
      const reason = resetReasons[event.value.reason] ?? 'other'
      return { kind: 'reset', reason, authorId: event.value.authorId || undefined }
    }
    case undefined:
      return undefined
  }
}
