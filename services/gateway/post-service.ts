// PostService: publishing, editing, deleting; posts by name and by author; likes, which only subscribers see.

import type { PostName } from '../../cells/model/event.ts'
import { hasReached, type Position } from '../../cells/model/position.ts'
import type { UserKey } from '../../cells/model/user-key.ts'
import type { AuthorPage, PostFound } from '../../cells/ports/cell-client.ts'
import {
  type AllocatePostIdsRequest,
  type AllocatePostIdsResponse,
  type DeletePostRequest,
  type DeletePostResponse,
  type GetPostRequest,
  GetPostResponse,
  type LikePostRequest,
  type ListPostsRequest,
  ListPostsResponse,
  PostServiceService,
  type UpdatePostRequest,
  type UpdatePostResponse,
} from '../../gen/cellfeed/v1/post_service.ts'
import { encoded } from '../runtime/encoded.ts'
import type { Read } from './cell-reader.ts'
import { createPost } from './create-post.ts'
import { ApiError } from './errors.ts'
import type { CallContext } from './front-desk.ts'
import { type GatewayDesk, seenBefore } from './gateway-desk.ts'
import { asEncoded, type Handlers } from './service-book.ts'
import {
  checkContent,
  checkCount,
  checkNotAhead,
  checkPageSize,
  checkPost,
  checkUser,
} from './validate.ts'
import { encodeContent, encodePosts, whatFits } from './wire.ts'

const IDS_MAX = 1_000

export const postServiceDefinition = {
  ...PostServiceService,
  getPost: { ...PostServiceService.getPost, responseSerialize: asEncoded },
  listPosts: { ...PostServiceService.listPosts, responseSerialize: asEncoded },
}

export function postService(desk: GatewayDesk): Handlers<typeof postServiceDefinition> {
  const { front } = desk
  return {
    createPost: front.write('CreatePost', (request, context) => createPost(desk, request, context)),
    updatePost: front.write('UpdatePost', (request, context) => updatePost(desk, request, context)),
    deletePost: front.write('DeletePost', (request, context) => deletePost(desk, request, context)),
    getPost: front.unary('GetPost', (request, context) => getPost(desk, request, context)),
    listPosts: front.unary('ListPosts', (request, context) => listPosts(desk, request, context)),
    likePost: front.write('LikePost', (request, context) =>
      like(desk, 'post-liked', request, context),
    ),
    unlikePost: front.write('UnlikePost', (request, context) =>
      like(desk, 'post-unliked', request, context),
    ),
    allocatePostIds: front.unary('AllocatePostIds', async (request) =>
      allocatePostIds(desk, request),
    ),
  }
}

async function updatePost(
  desk: GatewayDesk,
  request: UpdatePostRequest,
  context: CallContext,
): Promise<UpdatePostResponse> {
  const post = checkPost(request.post, 'post')
  checkContent(request)
  const found = await currentPost(desk, post, context)
  if (found.kind !== 'found') throw notFound()
  const editedAtMs = desk.writer.nowMs()
  const fact = {
    kind: 'post-edited',
    ...post,
    content: encodeContent(request, editedAtMs),
    audience: found.post.audience,
  } as const
  const { token } = await desk.writer.write([fact], context.signal)
  return { editedAt: new Date(editedAtMs), consistencyToken: token }
}

/** The post as its author's cell knows it. Before it counts as unknown, the cell applies all that the log holds now. */
async function currentPost(
  desk: GatewayDesk,
  post: PostName,
  context: CallContext,
): Promise<PostFound> {
  const ask = (seen: Position) => postSeenByAuthor(desk, post, seen, context)
  const { value, position } = await ask([])
  if (value.kind !== 'unknown') return value
  const { end } = await desk.firehose.bounds()
  const isCurrent = hasReached(position, end)
  return isCurrent ? value : (await ask(end)).value
}

function postSeenByAuthor(
  desk: GatewayDesk,
  post: PostName,
  seen: Position,
  context: CallContext,
): Promise<Read<PostFound>> {
  const call = { viewer: post.author.key, seen, signal: context.signal }
  return desk.reader.asViewer(call, (cell, asked) => cell.post(asked, post.author.key, post.postId))
}

async function deletePost(
  desk: GatewayDesk,
  request: DeletePostRequest,
  context: CallContext,
): Promise<DeletePostResponse> {
  const post = checkPost(request.post, 'post')
  checkNotAhead(post.postId, {
    nowMs: desk.writer.nowMs(),
    aheadMaxMs: desk.cellLimits.idAheadMaxMs,
    field: 'post.post_id',
  })
  const { token } = await desk.writer.write([{ kind: 'post-deleted', ...post }], context.signal)
  return { consistencyToken: token }
}

async function getPost(
  desk: GatewayDesk,
  request: GetPostRequest,
  context: CallContext,
): Promise<Buffer> {
  const { author, postId } = checkPost(request.post, 'post')
  const viewer = checkViewer(request.viewerId)
  const call = { seen: seenBefore(desk, request.consistencyTokens), signal: context.signal }
  const { value, position } =
    viewer === undefined
      ? await desk.reader.asNobody(call, (cell) => cell.publicPost(call, author.key, postId))
      : await desk.reader.asViewer({ ...call, viewer }, (cell, asked) =>
          cell.post(asked, author.key, postId),
        )
  if (value.kind !== 'found') throw notFound()
  const rest = { post: undefined, consistencyToken: desk.tokens.write(position) }
  return encodePosts([value.post], encoded(GetPostResponse, rest))
}

async function listPosts(
  desk: GatewayDesk,
  request: ListPostsRequest,
  context: CallContext,
): Promise<Buffer> {
  const author = checkUser(request.authorId, 'author_id').key
  const viewer = checkViewer(request.viewerId)
  const limit = checkPageSize(request.pageSize)
  const owner = { call: 'posts', user: author, viewer } as const
  const opened = desk.pages.open(request.pageToken, owner)
  const call = {
    seen: seenBefore(desk, request.consistencyTokens, opened),
    signal: context.signal,
  }
  const older = opened?.postId === undefined ? undefined : { postId: opened.postId, author }
  const ask = (posts: number): Promise<Read<AuthorPage>> => {
    const query = { limit: posts, older }
    return viewer === undefined
      ? desk.reader.asNobody(call, (cell) => cell.publicAuthorPosts(call, author, query))
      : desk.reader.asViewer({ ...call, viewer }, (cell, asked) =>
          cell.authorPosts(asked, author, query),
        )
  }
  const { value: page, position } = await whatFits(ask, limit, desk.limits.pageBytesMax)
  const rest = encoded(ListPostsResponse, {
    posts: [],
    nextPageToken:
      page.older === undefined ? '' : desk.pages.sealPlace(owner, 'older', page.older, position),
    consistencyToken: desk.tokens.write(position),
  })
  return encodePosts(page.posts, rest)
}

async function like(
  desk: GatewayDesk,
  kind: 'post-liked' | 'post-unliked',
  request: LikePostRequest,
  context: CallContext,
): Promise<{ consistencyToken: string }> {
  const user = checkUser(request.userId, 'user_id')
  const post = checkPost(request.post, 'post')
  const { token } = await desk.writer.write([{ kind, user, ...post }], context.signal)
  return { consistencyToken: token }
}

function allocatePostIds(
  desk: GatewayDesk,
  request: AllocatePostIdsRequest,
): AllocatePostIdsResponse {
  const count = checkCount(request.count, { field: 'count', whenZero: 1, max: IDS_MAX })
  const postIds = Array.from({ length: count }, () => String(desk.writer.newPostId()))
  return { postIds, consistencyToken: '' }
}

function checkViewer(id: string): UserKey | undefined {
  return id === '' ? undefined : checkUser(id, 'viewer_id').key
}

function notFound(): ApiError {
  return new ApiError('POST_NOT_FOUND', 'there is no such post, or this viewer may not see it')
}
