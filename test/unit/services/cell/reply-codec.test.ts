// Replies written by hand are the messages of cell_service.proto, and bytes that are none are refused.

import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PostId } from '../../../../cells/model/post-id.ts'
import { userKey } from '../../../../cells/model/user-key.ts'
import type { OriginView, PostView } from '../../../../cells/ports/cell-client.ts'
import { ConverseResponse } from '../../../../gen/cellfeed/internal/v1/cell_service.ts'
import { Audience, OriginState } from '../../../../gen/cellfeed/v1/post.ts'
import { bytesOfPosition, positionOfBytes } from '../../../../services/cell/position-bytes.ts'
import {
  type CellReply,
  type CellResponse,
  decodeResponse,
  encodeResponse,
} from '../../../../services/cell/reply-codec.ts'

const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array))
const halves = fc.record({ head: bytes, content: bytes })
const origin: fc.Arbitrary<OriginView | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.constant({ kind: 'unavailable' } as const),
  halves.map((of) => ({ kind: 'visible', ...of }) as const),
)
const post: fc.Arbitrary<PostView> = fc
  .record({
    name: fc.string(),
    id: fc.bigInt({ min: 1n, max: (1n << 64n) - 1n }),
    halves,
    audience: fc.constantFrom('public' as const, 'followers' as const),
    origin,
  })
  .map(({ name, id, halves: of, ...rest }) => {
    return { author: userKey(name), postId: id as PostId, ...of, ...rest }
  })
const position = fc.array(fc.nat({ max: Number.MAX_SAFE_INTEGER }), { maxLength: 40 })
const reply: fc.Arbitrary<CellReply> = fc
  .record({ id: fc.nat({ max: 0xffff_ffff }), position, posts: fc.array(post, { maxLength: 3 }) })
  .map((made) => ({
    ...made,
    position: bytesOfPosition(made.position),
    outcome: { $case: 'unread', value: { count: made.id, capped: true } },
  }))
const response: fc.Arbitrary<CellResponse> = fc.record({
  replies: fc.array(reply, { maxLength: 3 }),
  state: fc.option(fc.record({ cell: fc.string(), serving: fc.boolean() }), { nil: undefined }),
})

test('a response survives its bytes', () => {
  fc.assert(
    fc.property(response, (made) => {
      expect(decodeResponse(encodeResponse(made))).toEqual(made)
    }),
    { numRuns: 50 },
  )
})

test('the generated code reads what was written by hand', () => {
  fc.assert(
    fc.property(response, (made) => {
      const read = ConverseResponse.decode(encodeResponse(made))
      expect(read.state).toEqual(made.state)
      expect(read.replies.map(withoutPosts)).toEqual(made.replies.map(withoutPosts))
      expect(read.replies.flatMap(({ posts }) => posts)).toEqual(
        made.replies.flatMap(({ posts }) => posts.map(generated)),
      )
    }),
    { numRuns: 50 },
  )
})

test('what the generated code writes is read by hand', () => {
  fc.assert(
    fc.property(response, (made) => {
      const replies = made.replies.map((each) => ({ ...each, posts: each.posts.map(generated) }))
      const written = ConverseResponse.encode({ replies, state: made.state }).finish()
      expect(decodeResponse(Buffer.from(written))).toEqual(made)
    }),
    { numRuns: 50 },
  )
})

test('a response that is cut short is refused', () => {
  const whole = encodeResponse({
    replies: [{ id: 1, position: Buffer.alloc(0), outcome: undefined, posts: [onePost()] }],
    state: undefined,
  })
  for (let length = 1; length < whole.length; length++) {
    expect(() => decodeResponse(whole.subarray(0, length))).toThrow(
      expect.objectContaining({ code: 'CORRUPT_MESSAGE' }),
    )
  }
})

test('a post without its author is refused', () => {
  const bare = { ...generated(onePost()), author: Buffer.alloc(3) }
  const replies = [{ id: 1, position: Buffer.alloc(0), outcome: undefined, posts: [bare] }]
  const written = Buffer.from(ConverseResponse.encode({ replies, state: undefined }).finish())
  expect(() => decodeResponse(written)).toThrow(
    expect.objectContaining({ code: 'CORRUPT_MESSAGE' }),
  )
})

test('positions survive their bytes', () => {
  fc.assert(
    fc.property(position, (made) => {
      expect(positionOfBytes(bytesOfPosition(made))).toEqual(made)
    }),
    { numRuns: 50 },
  )
})

test('a position that is cut short is refused', () => {
  expect(() => positionOfBytes(Buffer.from([1, 128]))).toThrow('the message ends')
})

function withoutPosts({ id, position: at, outcome }: Omit<CellReply, 'posts'>) {
  return { id, position: at, outcome }
}

function onePost(): PostView {
  return {
    author: userKey('ann'),
    postId: 7n as PostId,
    head: Buffer.from('head'),
    content: Buffer.from('content'),
    audience: 'public',
    origin: undefined,
  }
}

function generated(view: PostView) {
  const { author, postId, head, content } = view
  const seen = view.origin?.kind === 'visible' ? view.origin : undefined
  return {
    postId,
    author: Buffer.from(author, 'latin1'),
    audience: view.audience === 'followers' ? Audience.FOLLOWERS : Audience.PUBLIC,
    head: Buffer.from(head),
    content: Buffer.from(content),
    originState:
      view.origin === undefined
        ? OriginState.UNSPECIFIED
        : seen === undefined
          ? OriginState.UNAVAILABLE
          : OriginState.VISIBLE,
    originHead: Buffer.from(seen?.head ?? []),
    originContent: Buffer.from(seen?.content ?? []),
  }
}
