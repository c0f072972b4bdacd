// Pages made of encoded posts are the messages that an encoder would have made.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PostId } from '../../../../cells/model/post-id.ts'
import { userKey, userRef } from '../../../../cells/model/user-key.ts'
import type { OriginView, PostView } from '../../../../cells/ports/cell-client.ts'
import { ListDashboardResponse } from '../../../../gen/cellfeed/v1/dashboard_service.ts'
import { Audience, OriginState } from '../../../../gen/cellfeed/v1/post.ts'
import {
  decodePost,
  encodeContent,
  encodeHead,
  encodePosts,
  postsThatFit,
  whatFits,
} from '../../../../services/gateway/wire.ts'

const rest: ListDashboardResponse = {
  posts: [],
  olderPageToken: 'older',
  newerPageToken: 'newer',
  consistencyToken: 'token',
  readMark: '5',
  unreadCount: 0,
  unreadCountCapped: false,
}

function halves(id: number, text: string) {
  const named = { author: userRef(`author-${id}`), postId: BigInt(id + 1) as PostId }
  return {
    head: encodeHead({
      ...named,
      createdAtMs: 1_700_000_000_000 + id,
      audience: 'followers',
      reblogOf: undefined,
      externalId: `external-${id}`,
    }),
    content: encodeContent({ text, tags: ['a', 'b'], payload: Buffer.from([1, 2]) }, undefined),
  }
}

function view(id: number, text: string, origin?: OriginView): PostView {
  return {
    author: userKey(`author-${id}`),
    postId: BigInt(id + 1) as PostId,
    ...halves(id, text),
    audience: 'followers',
    origin,
  }
}

test('head and content joined are the post', () => {
  expect(decodePost(halves(3, 'hello'))).toEqual({
    authorId: 'author-3',
    postId: '4',
    createdAt: new Date(1_700_000_000_003),
    audience: Audience.FOLLOWERS,
    reblogOf: undefined,
    externalId: 'external-3',
    text: 'hello',
    tags: ['a', 'b'],
    payload: Buffer.from([1, 2]),
    editedAt: undefined,
  })
})

test('a page of any posts decodes to these posts', () => {
  // Lengths around those where a length prefix grows.
  const length = fc.oneof(fc.nat(200), fc.constantFrom(50, 100, 16_300, 16_384, 65_536))
  const origin = fc.constantFrom<OriginView | undefined>(
    undefined,
    { kind: 'unavailable' },
    { kind: 'visible', ...halves(99, 'the origin') },
  )
  const post = fc.tuple(fc.nat(1_000), length, origin)
  fc.assert(
    fc.property(fc.array(post, { maxLength: 10 }), (given) => {
      const views = given.map(([id, size, from]) => view(id, 'x'.repeat(size), from))
      const bytes = encodePosts(views, ListDashboardResponse.encode(rest).finish())
      const page = ListDashboardResponse.decode(bytes)
      expect({ ...page, posts: [] }).toEqual(rest)
      expect(page.posts.map(({ post: shown }) => shown)).toEqual(views.map(decodePost))
      expect(page.posts.map(({ originState }) => originState)).toEqual(
        views.map(({ origin: from }) =>
          from === undefined
            ? OriginState.UNSPECIFIED
            : from.kind === 'visible'
              ? OriginState.VISIBLE
              : OriginState.UNAVAILABLE,
        ),
      )
    }),
    { numRuns: 50 },
  )
})

test('a page that is too great for a message is asked for again with what fits', async () => {
  const all = Array.from({ length: 10 }, (_, id) => view(id, 'x'.repeat(1_000)))
  const asked: number[] = []
  const ask = async (limit: number) => {
    asked.push(limit)
    return { value: { posts: all.slice(0, limit) } }
  }
  const { value } = await whatFits(ask, 10, 3_500)
  expect(value.posts).toHaveLength(3)
  expect(asked).toEqual([10, 3])
})

test('one post always fits', () => {
  expect(postsThatFit([view(1, 'x'.repeat(60_000))], 100)).toBe(1)
})
