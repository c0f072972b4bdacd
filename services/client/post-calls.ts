// Posts: publish, edit, delete, read by name or by author.

import { PostServiceService as methods } from '../../gen/cellfeed/v1/post_service.ts'
import type { CallOptions } from './channel.ts'
import {
  type Audience,
  type DashboardPost,
  fromAudience,
  fromPayload,
  fromPostRef,
  type PostContent,
  type PostRef,
  toDashboardPost,
  toPostRef,
} from './post.ts'
import type { Session } from './session.ts'

/** A post to be published. A string stands for its text alone. */
export interface NewPost extends Partial<PostContent> {
  /** 'public' unless given. */
  readonly audience?: Audience | undefined
  /** Makes it a reblog of this post. */
  readonly reblogOf?: PostRef | undefined
  /** The product's own id of the post, at most 128 bytes. */
  readonly externalId?: string | undefined
  /** An id from `allocatePostIds`: the same again is then the same post. */
  readonly postId?: string | undefined
}

export interface PublishedPost extends PostRef {
  readonly createdAt: Date
}

export interface ViewOptions extends CallOptions {
  /** Who looks. Without: nobody in particular, who is shown public posts only. */
  readonly viewerId?: string | undefined
}

export interface PostsOptions extends ViewOptions {
  /** Posts a page: 20 unless given, at most 200. */
  readonly limit?: number | undefined
  /** The `nextPageToken` of an earlier page of this author and viewer. */
  readonly pageToken?: string | undefined
}

export interface PostsPage {
  /** Newest first. */
  readonly posts: readonly DashboardPost[]
  /** Where older posts go on; undefined at the end. */
  readonly nextPageToken: string | undefined
}

export interface PostCalls {
  /**
   * Publishes a post. Its id is allocated first, so that a publish that is retried is the same post
   * (without retries, see `ConnectOptions.retry`, the server gives the id in the one call).
   */
  publish(authorId: string, post: string | NewPost, options?: CallOptions): Promise<PublishedPost>

  /** Replaces a post's whole content, what is not given by nothing; returns when. */
  editPost(post: PostRef, content: Partial<PostContent>, options?: CallOptions): Promise<Date>

  /** Deletes a post, for good. Deleting what is not there succeeds. */
  deletePost(post: PostRef, options?: CallOptions): Promise<void>

  /** One post by name. Fails with POST_NOT_FOUND if there is none that the viewer may see. */
  getPost(post: PostRef, options?: ViewOptions): Promise<DashboardPost>

  /** A page of an author's posts: the newest, or where a page token points. */
  posts(authorId: string, options?: PostsOptions): Promise<PostsPage>

  /** Tells the firehose's subscribers that a user likes a post. Nothing is stored or counted. */
  like(userId: string, post: PostRef, options?: CallOptions): Promise<void>

  /** Tells the firehose's subscribers that a user takes a like back. */
  unlike(userId: string, post: PostRef, options?: CallOptions): Promise<void>

  /** Ids for posts to be published at once, ascending. At most 1,000; one unless given. */
  allocatePostIds(count?: number, options?: CallOptions): Promise<string[]>
}

export function postCalls(session: Session): PostCalls {
  const allocatePostIds = async (count = 1, options?: CallOptions) => {
    const answer = await session.ask(methods.allocatePostIds, { count }, options)
    return answer.postIds
  }

  return {
    allocatePostIds,

    async publish(authorId, given, options = {}) {
      const post = typeof given === 'string' ? { text: given } : given
      const startedMs = performance.now()
      const postId =
        post.postId ?? (session.channel.retries ? (await allocatePostIds(1, options))[0] : '')
      const answer = await session.write(
        methods.createPost,
        {
          authorId,
          postId: postId ?? '',
          ...fromContent(post),
          reblogOf: post.reblogOf && fromPostRef(post.reblogOf),
          audience: fromAudience(post.audience),
          externalId: post.externalId ?? '',
        },
        {
          ...options,
          // One limit for both calls.
          timeoutMs:
            options.timeoutMs && Math.max(1, options.timeoutMs - (performance.now() - startedMs)),
          idempotent: Boolean(postId),
        },
      )
      return { ...toPostRef(answer.post), createdAt: answer.createdAt ?? new Date(0) }
    },

    async editPost(post, content, options) {
      const request = { post: fromPostRef(post), ...fromContent(content) }
      const answer = await session.write(methods.updatePost, request, options)
      return answer.editedAt ?? new Date(0)
    },

    async deletePost(post, options) {
      await session.write(methods.deletePost, { post: fromPostRef(post) }, options)
    },

    async getPost(post, options = {}) {
      const request = { post: fromPostRef(post), viewerId: options.viewerId ?? '' }
      return toDashboardPost((await session.read(methods.getPost, request, options)).post)
    },

    async posts(authorId, options = {}) {
      const page = await session.read(
        methods.listPosts,
        {
          authorId,
          viewerId: options.viewerId ?? '',
          pageSize: options.limit ?? 0,
          pageToken: options.pageToken ?? '',
        },
        options,
      )
      return {
        posts: page.posts.map(toDashboardPost),
        nextPageToken: page.nextPageToken || undefined,
      }
    },

    // A like made twice is two events, so it is repeated only when surely nothing happened.
    async like(userId, post, options) {
      const request = { userId, post: fromPostRef(post) }
      await session.write(methods.likePost, request, { ...options, idempotent: false })
    },

    async unlike(userId, post, options) {
      const request = { userId, post: fromPostRef(post) }
      await session.write(methods.unlikePost, request, { ...options, idempotent: false })
    },
  }
}

function fromContent(content: Partial<PostContent>) {
  return {
    text: content.text ?? '',
    tags: [...(content.tags ?? [])],
    payload: fromPayload(content.payload),
  }
}
