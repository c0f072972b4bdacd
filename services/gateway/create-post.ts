// CreatePost. Without an id of the client's, a publish is one append. With one, it may be a repeat: the log takes it, and
// the author's cell, which decides, says what it made of it: the first create of an id stands, whatever comes later. If that
// cell does not answer, the post is in the log all the same: then the outcome is unknown, never "nothing was accepted".

import type { PostCreated, PostName } from '../../cells/model/event.ts'
import type { PostView } from '../../cells/ports/cell-client.ts'
import type { Post } from '../../gen/cellfeed/v1/post.ts'
import type { CreatePostRequest, CreatePostResponse } from '../../gen/cellfeed/v1/post_service.ts'
import { ApiError } from './errors.ts'
import { outcomeUnknown } from './event-writer.ts'
import type { CallContext } from './front-desk.ts'
import type { GatewayDesk } from './gateway-desk.ts'
import {
  checkAudience,
  checkContent,
  checkExternalId,
  checkNotAhead,
  checkNotItself,
  checkPost,
  checkPostId,
  checkUser,
} from './validate.ts'
import { decodePost, encodeContent, encodeHead, refOf } from './wire.ts'

export async function createPost(
  desk: GatewayDesk,
  request: CreatePostRequest,
  context: CallContext,
): Promise<CreatePostResponse> {
  const createdAtMs = desk.writer.nowMs()
  const fact = factOf(desk, request, createdAtMs)
  const { appended, position, token } = await desk.writer.write([fact], context.signal)
  const accepted = {
    post: refOf(fact),
    createdAt: new Date(createdAtMs),
    consistencyToken: token,
  }
  if (request.postId === '') return accepted
  const standing = await standingPost(desk, fact, { seen: position, signal: context.signal })
  if (standing.createdOffset === appended[0]?.offset) return accepted
  const found = decodePost(standing.post)
  if (!isSame(found, decodePost(fact))) {
    const message = 'this author has another post with this id; it is unchanged'
    throw new ApiError('POST_EXISTS', message)
  }
  return { ...accepted, createdAt: found.createdAt }
}

function factOf(desk: GatewayDesk, request: CreatePostRequest, createdAtMs: number): PostCreated {
  const author = checkUser(request.authorId, 'author_id')
  const givenId = request.postId === '' ? undefined : checkPostId(request.postId, 'post_id')
  if (givenId !== undefined) {
    const { idAheadMaxMs } = desk.cellLimits
    checkNotAhead(givenId, { nowMs: createdAtMs, aheadMaxMs: idAheadMaxMs, field: 'post_id' })
  }
  checkContent(request)
  const audience = checkAudience(request.audience, 'audience')
  const externalId = checkExternalId(request.externalId, 'external_id')
  const reblogOf =
    request.reblogOf === undefined ? undefined : checkPost(request.reblogOf, 'reblog_of')
  const post: PostName = { author, postId: givenId ?? desk.writer.newPostId() }
  checkNotItself(post, reblogOf, 'reblog_of')
  return {
    kind: 'post-created',
    ...post,
    head: encodeHead({ ...post, createdAtMs, audience, reblogOf, externalId }),
    content: encodeContent(request, undefined),
    reblogOf,
    audience,
  }
}

/** The post that stands under this id, once the author's cell has applied the create. */
async function standingPost(
  desk: GatewayDesk,
  post: PostName,
  call: { readonly seen: readonly number[]; readonly signal: AbortSignal },
): Promise<{ readonly post: PostView; readonly createdOffset: number }> {
  const viewer = post.author.key
  const { value } = await desk.reader
    .asViewer({ viewer, ...call }, (cell, asked) => cell.post(asked, viewer, post.postId))
    .catch((error: unknown) => {
      throw outcomeUnknown(error)
    })
  switch (value.kind) {
    case 'found':
      return value
    case 'deleted':
      throw new ApiError('POST_DELETED', 'the post with this id was deleted')
    case 'unknown':
    case 'not-visible':
      // An author always sees their own posts, unless they were deleted themselves.
      throw new ApiError('USER_DELETED', 'this author was deleted')
  }
}

/** Whether two creates ask for the same post. When it was accepted is none of the client's; an edit hides the content. */
function isSame(standing: Post, created: Post): boolean {
  return (
    standing.audience === created.audience &&
    standing.externalId === created.externalId &&
    standing.reblogOf?.authorId === created.reblogOf?.authorId &&
    standing.reblogOf?.postId === created.reblogOf?.postId &&
    (standing.editedAt !== undefined ||
      (standing.text === created.text &&
        standing.payload.equals(created.payload) &&
        standing.tags.length === created.tags.length &&
        standing.tags.every((tag, index) => tag === created.tags[index])))
  )
}
