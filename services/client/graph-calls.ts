// Who follows, blocks and mutes whom; and users.

import {
  GraphServiceService as methods,
  type ListFollowersRequest,
} from '../../gen/cellfeed/v1/graph_service.ts'
import { UserServiceService } from '../../gen/cellfeed/v1/user_service.ts'
import type { CallOptions } from './channel.ts'
import type { Session } from './session.ts'

export interface RelationsOptions extends CallOptions {
  /** Users a page: 20 unless given, at most 200. */
  readonly limit?: number | undefined
  /** The `nextPageToken` of an earlier page of this user. */
  readonly pageToken?: string | undefined
}

/** Someone whom a user follows. */
export interface FollowedAuthor {
  readonly authorId: string
  readonly hideReblogs: boolean
}

export interface FollowingPage {
  readonly authors: readonly FollowedAuthor[]
  /** Undefined at the end. */
  readonly nextPageToken: string | undefined
}

export interface FollowersPage {
  readonly followerIds: readonly string[]
  /** Undefined at the end. */
  readonly nextPageToken: string | undefined
}

/** Every change may be repeated; following twice, or unfollowing a stranger, succeeds. */
export interface GraphCalls {
  /** Follows an author: all their posts, also old ones, are on the user's dashboard. */
  follow(
    userId: string,
    authorId: string,
    options?: CallOptions & { readonly hideReblogs?: boolean },
  ): Promise<void>

  unfollow(userId: string, authorId: string, options?: CallOptions): Promise<void>

  /** Neither sees the other's posts, and the follows between them, both ways, end. */
  block(userId: string, targetId: string, options?: CallOptions): Promise<void>

  /** Ends a block. The follows that it ended do not come back. */
  unblock(userId: string, targetId: string, options?: CallOptions): Promise<void>

  /** Hides a user's posts from the one who mutes. Follows stay. */
  mute(userId: string, targetId: string, options?: CallOptions): Promise<void>

  unmute(userId: string, targetId: string, options?: CallOptions): Promise<void>

  /** A page of those whom a user follows. */
  following(userId: string, options?: RelationsOptions): Promise<FollowingPage>

  /** A page of those who follow a user. */
  followers(userId: string, options?: RelationsOptions): Promise<FollowersPage>

  /** Deletes a user, for good: posts, relations, dashboard. The id can not be used again. */
  deleteUser(userId: string, options?: CallOptions): Promise<void>
}

export function graphCalls(session: Session): GraphCalls {
  return {
    async follow(userId, authorId, options = {}) {
      const { hideReblogs = false, ...callOptions } = options
      await session.write(methods.follow, { userId, authorId, hideReblogs }, callOptions)
    },
    async unfollow(userId, authorId, options) {
      await session.write(methods.unfollow, { userId, authorId }, options)
    },
    async block(userId, targetId, options) {
      await session.write(methods.block, { userId, targetId }, options)
    },
    async unblock(userId, targetId, options) {
      await session.write(methods.unblock, { userId, targetId }, options)
    },
    async mute(userId, targetId, options) {
      await session.write(methods.mute, { userId, targetId }, options)
    },
    async unmute(userId, targetId, options) {
      await session.write(methods.unmute, { userId, targetId }, options)
    },

    async following(userId, options = {}) {
      const page = await session.read(methods.listFollowing, listOf(userId, options), options)
      return {
        authors: page.authors.map(({ authorId, hideReblogs }) => ({ authorId, hideReblogs })),
        nextPageToken: page.nextPageToken || undefined,
      }
    },

    async followers(userId, options = {}) {
      const page = await session.read(methods.listFollowers, listOf(userId, options), options)
      return {
        followerIds: page.followerIds,
        nextPageToken: page.nextPageToken || undefined,
      }
    },

    async deleteUser(userId, options) {
      await session.write(UserServiceService.deleteUser, { userId }, options)
    },
  }
}

function listOf(
  userId: string,
  options: RelationsOptions,
): Omit<ListFollowersRequest, 'consistencyTokens'> {
  return { userId, pageSize: options.limit ?? 0, pageToken: options.pageToken ?? '' }
}
