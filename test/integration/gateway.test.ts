// The public API over real gRPC, with real cells on adapters in memory: what each call promises.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DashboardServiceService as dashboards } from '../../gen/cellfeed/v1/dashboard_service.ts'
import { GraphServiceService as graph } from '../../gen/cellfeed/v1/graph_service.ts'
import { Audience, OriginState } from '../../gen/cellfeed/v1/post.ts'
import { PostServiceService as posts } from '../../gen/cellfeed/v1/post_service.ts'
import { UserServiceService as users } from '../../gen/cellfeed/v1/user_service.ts'
import { MemoryCluster } from './memory-cluster.ts'
import { newPost } from './raw-client.ts'

let c: MemoryCluster
beforeAll(async () => {
  c = await MemoryCluster.start()
})
afterAll(() => c.stop())

const followers = { audience: Audience.FOLLOWERS }
const refOf = ({ authorId, postId }: { authorId: string; postId: string }) => ({ authorId, postId })

describe('a dashboard', () => {
  test('shows what its authors publish to readers of every cell, and one’s own posts', async () => {
    const readers = Array.from({ length: 20 }, (_, index) => `d-reader-${index}`)
    const follows = await Promise.all(readers.map((reader) => c.follow(reader, 'd-bob')))
    const first = await c.publish('d-bob', 'first')
    const second = await c.publish('d-bob', 'second')
    for (const [index, reader] of readers.entries()) {
      const tokens = [follows[index] ?? '', second.token]
      expect(await c.texts(reader, tokens)).toEqual(['second', 'first'])
    }
    expect(await c.texts('d-bob', [first.token, second.token])).toEqual(['second', 'first'])
  })

  test('of a user nobody heard of is empty, with a place to go on from', async () => {
    const page = await c.dashboard('d-nobody')
    expect(page.posts).toEqual([])
    expect(page.olderPageToken).toBe('')
    expect(page.newerPageToken).not.toBe('')
    expect(page.unreadCount).toBe(0)
    const again = await c.dashboard('d-nobody', [], page.newerPageToken)
    expect(again.posts).toEqual([])
  })

  test('pages to its very end, and back up by the newer token', async () => {
    const tokens = [await c.follow('d-pager', 'd-writer')]
    for (let n = 0; n < 25; n++) tokens.push((await c.publish('d-writer', `post ${n}`)).token)
    const seen: string[] = []
    let page = await c.dashboard('d-pager', tokens.slice(-32), '', 10)
    const top = page.newerPageToken
    for (;;) {
      seen.push(...page.posts.map(({ post }) => post?.text ?? ''))
      if (page.olderPageToken === '') break
      page = await c.dashboard('d-pager', [], page.olderPageToken, 10)
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => `post ${24 - n}`))
    const late = await c.publish('d-writer', 'late')
    const newer = await c.dashboard('d-pager', [late.token], top, 200)
    expect(newer.posts[0]?.post?.text).toBe('late')
  })

  test('counts what is unread above the mark', async () => {
    await c.follow('d-counter', 'd-author')
    const made = []
    for (let n = 0; n < 5; n++) made.push(await c.publish('d-author', `${n}`))
    const marked = await c.api.ask(dashboards.markRead, {
      userId: 'd-counter',
      postId: made[2]?.postId ?? '',
    })
    const consistencyTokens = [marked.consistencyToken, made[4]?.token ?? '']
    const page = await c.dashboard('d-counter', consistencyTokens)
    expect([page.readMark, page.unreadCount]).toEqual([made[2]?.postId, 2])
    const request = { userId: 'd-counter', cap: 1, consistencyTokens }
    const counted = await c.api.ask(dashboards.countUnread, request)
    expect(counted).toMatchObject({ unreadCount: 1, unreadCountCapped: true })
    expect(counted.readMark).toBe(made[2]?.postId)
  })

  test('brings a reblog’s origin along, until that is gone', async () => {
    const follow = await c.follow('d-fan', 'd-reblogger')
    const origin = await c.publish('d-origin', 'the origin')
    const reblog = await c.publish('d-reblogger', 'look', { reblogOf: refOf(origin) })
    const [shown] = (await c.dashboard('d-fan', [follow, origin.token, reblog.token])).posts
    expect(shown?.originState).toBe(OriginState.VISIBLE)
    expect(shown?.origin?.text).toBe('the origin')
    const gone = await c.api.ask(posts.deletePost, { post: refOf(origin) })
    const [after] = (await c.dashboard('d-fan', [gone.consistencyToken])).posts
    expect([after?.originState, after?.origin]).toEqual([OriginState.UNAVAILABLE, undefined])
  })
})

describe('publishing', () => {
  test('a post keeps all that was given', async () => {
    const made = await c.publish('p-full', 'text', {
      tags: ['a', 'b'],
      payload: Buffer.from([0, 255]),
      externalId: 'external',
      ...followers,
    })
    const request = { post: refOf(made), viewerId: 'p-full', consistencyTokens: [made.token] }
    const { post } = await c.api.ask(posts.getPost, request)
    expect(post?.post).toMatchObject({
      ...refOf(made),
      text: 'text',
      tags: ['a', 'b'],
      payload: Buffer.from([0, 255]),
      externalId: 'external',
      audience: Audience.FOLLOWERS,
      editedAt: undefined,
    })
  })

  test('with an id of one’s own may be repeated, but not with other fields', async () => {
    const { postIds } = await c.api.ask(posts.allocatePostIds, { count: 2 })
    const [postId = '', other = ''] = postIds
    expect(BigInt(other) > BigInt(postId)).toBe(true)
    const request = { ...newPost, authorId: 'p-once', postId, text: 'once', tags: ['x'] }
    const first = await c.api.ask(posts.createPost, request)
    const again = await c.api.ask(posts.createPost, request)
    expect(again.createdAt).toEqual(first.createdAt)
    expect(await c.texts('p-once', [again.consistencyToken])).toEqual(['once'])
    for (const change of [{ text: 'twice' }, { tags: ['y'] }, followers, { externalId: 'e' }]) {
      const refused = await c.api.refusal(posts.createPost, { ...request, ...change })
      expect([refused.code, refused.reason]).toEqual(['ALREADY_EXISTS', 'POST_EXISTS'])
    }
    expect(await c.texts('p-once')).toEqual(['once'])
  })

  test('a repeat after an edit is still the first one’s success', async () => {
    const { postIds } = await c.api.ask(posts.allocatePostIds, { count: 1 })
    const request = { ...newPost, authorId: 'p-edited', postId: postIds[0] ?? '', text: 'before' }
    const { post } = await c.api.ask(posts.createPost, request)
    const edit = { post, text: 'after', tags: [], payload: Buffer.alloc(0) }
    await c.api.ask(posts.updatePost, edit)
    const again = await c.api.ask(posts.createPost, request)
    expect(await c.texts('p-edited', [again.consistencyToken])).toEqual(['after'])
  })

  test('an id that was deleted is never used again, even if it never was one', async () => {
    const { postIds } = await c.api.ask(posts.allocatePostIds, { count: 1 })
    const post = { authorId: 'p-gone', postId: postIds[0] ?? '' }
    await c.api.ask(posts.deletePost, { post })
    await c.api.ask(posts.deletePost, { post })
    const refused = await c.api.refusal(posts.createPost, { ...newPost, ...post, text: 'x' })
    expect([refused.code, refused.reason]).toEqual(['FAILED_PRECONDITION', 'POST_DELETED'])
  })

  test('of a deleted author is refused where it can be known', async () => {
    await c.publish('p-dead', 'x')
    const gone = await c.api.ask(users.deleteUser, { userId: 'p-dead' })
    expect(await c.texts('p-dead', [gone.consistencyToken])).toEqual([])
    const { postIds } = await c.api.ask(posts.allocatePostIds, { count: 1 })
    const request = { ...newPost, authorId: 'p-dead', postId: postIds[0] ?? '' }
    expect(await c.api.refusal(posts.createPost, request)).toMatchObject({
      code: 'FAILED_PRECONDITION',
    })
  })

  test('an edit right after the publish finds the post, without a token', async () => {
    const edits = Array.from({ length: 20 }, async (_, n) => {
      const made = await c.publish(`p-quick-${n}`, 'before')
      const edit = { post: refOf(made), text: 'after', tags: ['t'], payload: Buffer.alloc(0) }
      const { consistencyToken, editedAt } = await c.api.ask(posts.updatePost, edit)
      const [shown] = (await c.dashboard(`p-quick-${n}`, [consistencyToken])).posts
      return {
        text: shown?.post?.text,
        sameTime: shown?.post?.editedAt?.getTime() === editedAt?.getTime(),
      }
    })
    for (const edit of await Promise.all(edits))
      expect(edit).toEqual({ text: 'after', sameTime: true })
  })

  test('an edit of what is not there is NOT_FOUND', async () => {
    const content = { text: '', tags: [], payload: Buffer.alloc(0) }
    const made = await c.publish('p-removed', 'x')
    await c.api.ask(posts.deletePost, { post: refOf(made) })
    for (const post of [refOf(made), { authorId: 'p-removed', postId: '77' }]) {
      const refused = await c.api.refusal(posts.updatePost, { post, ...content })
      expect([refused.code, refused.reason]).toEqual(['NOT_FOUND', 'POST_NOT_FOUND'])
    }
  })

  test('likes are accepted and change nothing', async () => {
    const made = await c.publish('p-liked', 'x')
    const request = { userId: 'p-fan', post: refOf(made) }
    const { consistencyToken } = await c.api.ask(posts.likePost, request)
    await c.api.ask(posts.unlikePost, request)
    expect(await c.texts('p-liked', [consistencyToken])).toEqual(['x'])
  })
})

describe('who may see a post', () => {
  test('followers-only posts are for followers and the author', async () => {
    const follow = await c.follow('w-fan', 'w-shy')
    const made = await c.publish('w-shy', 'secret', followers)
    const open = await c.publish('w-shy', 'open')
    const consistencyTokens = [follow, made.token, open.token]
    const get = (viewerId: string) => ({ post: refOf(made), viewerId, consistencyTokens })
    for (const viewer of ['w-fan', 'w-shy']) {
      expect((await c.api.ask(posts.getPost, get(viewer))).post?.post?.text).toBe('secret')
    }
    for (const viewer of ['w-stranger', '']) {
      const refused = await c.api.refusal(posts.getPost, get(viewer))
      expect([refused.code, refused.reason]).toEqual(['NOT_FOUND', 'POST_NOT_FOUND'])
    }
    const list = async (viewerId: string) => {
      const request = { authorId: 'w-shy', viewerId, pageSize: 0, pageToken: '', consistencyTokens }
      const { posts: found } = await c.api.ask(posts.listPosts, request)
      return found.map(({ post }) => post?.text)
    }
    expect(await list('w-fan')).toEqual(['open', 'secret'])
    expect(await list('w-stranger')).toEqual(['open'])
    expect(await list('')).toEqual(['open'])
  })

  test('an author’s posts are paged, each page bound to author and viewer', async () => {
    const tokens: string[] = []
    for (let n = 0; n < 7; n++) tokens.push((await c.publish('w-many', `${n}`)).token)
    const page = (pageToken: string, viewerId: string) => ({
      authorId: 'w-many',
      viewerId,
      pageSize: 3,
      pageToken,
      consistencyTokens: tokens,
    })
    for (const viewer of ['', 'w-fan']) {
      const seen: (string | undefined)[] = []
      let token = ''
      do {
        const answer = await c.api.ask(posts.listPosts, page(token, viewer))
        seen.push(...answer.posts.map(({ post }) => post?.text))
        token = answer.nextPageToken
      } while (token !== '')
      expect(seen).toEqual(['6', '5', '4', '3', '2', '1', '0'])
    }
    const { nextPageToken } = await c.api.ask(posts.listPosts, page('', 'w-fan'))
    const refused = await c.api.refusal(posts.listPosts, page(nextPageToken, ''))
    expect(refused.reason).toBe('PAGE_TOKEN_MISMATCH')
  })

  test('a block hides both ways and ends the follows; undone, they do not come back', async () => {
    const tokens = [await c.follow('w-ann', 'w-ben'), await c.follow('w-ben', 'w-ann')]
    tokens.push((await c.publish('w-ann', 'by ann')).token)
    const bens = await c.publish('w-ben', 'by ben')
    tokens.push(bens.token)
    expect(await c.texts('w-ann', tokens)).toEqual(['by ben', 'by ann'])
    const pair = { userId: 'w-ann', targetId: 'w-ben' }
    const blocked = await c.api.ask(graph.block, pair)
    expect(await c.texts('w-ann', [blocked.consistencyToken])).toEqual(['by ann'])
    expect(await c.texts('w-ben', [blocked.consistencyToken])).toEqual(['by ben'])
    const get = { post: refOf(bens), viewerId: 'w-ann', consistencyTokens: [] }
    expect((await c.api.refusal(posts.getPost, get)).code).toBe('NOT_FOUND')
    const undone = await c.api.ask(graph.unblock, pair)
    expect(await c.texts('w-ann', [undone.consistencyToken])).toEqual(['by ann'])
    expect((await c.api.ask(posts.getPost, get)).post?.post?.text).toBe('by ben')
  })

  test('a mute hides, and its end shows all again', async () => {
    const tokens = [await c.follow('w-cat', 'w-dan'), (await c.publish('w-dan', 'hey')).token]
    expect(await c.texts('w-cat', tokens)).toEqual(['hey'])
    const pair = { userId: 'w-cat', targetId: 'w-dan' }
    const muted = await c.api.ask(graph.mute, pair)
    expect(await c.texts('w-cat', [muted.consistencyToken])).toEqual([])
    const unmuted = await c.api.ask(graph.unmute, pair)
    expect(await c.texts('w-cat', [unmuted.consistencyToken])).toEqual(['hey'])
  })
})

describe('relations', () => {
  test('are listed to the end, followers of all cells together', async () => {
    const others = Array.from({ length: 23 }, (_, index) => `r-other-${index}`)
    const tokens = await Promise.all([
      ...others.map((other) => c.follow(other, 'r-star')),
      ...others.map((other) => c.follow('r-star', other, other.endsWith('1'))),
    ])
    const seen = (
      await c.api.ask(dashboards.listDashboard, {
        userId: 'r-star',
        pageSize: 1,
        pageToken: '',
        consistencyTokens: tokens.slice(-32),
        includeUnreadCount: false,
      })
    ).consistencyToken
    const consistencyTokens = [...tokens.slice(0, 31), seen]
    const following: string[] = []
    const fans: string[] = []
    let pageToken = ''
    do {
      const request = { userId: 'r-star', pageSize: 10, pageToken, consistencyTokens }
      const page = await c.api.ask(graph.listFollowing, request)
      for (const { authorId, hideReblogs } of page.authors) {
        expect(hideReblogs).toBe(authorId.endsWith('1'))
        following.push(authorId)
      }
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    do {
      const request = { userId: 'r-star', pageSize: 10, pageToken, consistencyTokens }
      const page = await c.api.ask(graph.listFollowers, request)
      fans.push(...page.followerIds)
      pageToken = page.nextPageToken
    } while (pageToken !== '')
    expect(following.toSorted()).toEqual(others.toSorted())
    expect(fans.toSorted()).toEqual(others.toSorted())
  })

  test('may be made twice, and ended though they never were', async () => {
    await c.follow('r-eve', 'r-fay')
    const again = await c.follow('r-eve', 'r-fay')
    const request = { userId: 'r-eve', pageSize: 0, pageToken: '', consistencyTokens: [again] }
    expect((await c.api.ask(graph.listFollowing, request)).authors).toHaveLength(1)
    const stranger = { userId: 'r-eve', authorId: 'r-stranger' }
    const ended = await c.api.ask(graph.unfollow, stranger)
    expect(ended.consistencyToken).not.toBe('')
  })
})
