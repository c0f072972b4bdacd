// What every client of a cell promises, wherever the cell is. `open` is given a real cell on memory adapters and answers with
// the client under test; the cell itself is what its answers are compared with.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CellLimits } from '../../cells/model/cell-limits.ts'
import type { PostId } from '../../cells/model/post-id.ts'
import { userKey } from '../../cells/model/user-key.ts'
import type {
  Answer,
  Call,
  CellClient,
  DashboardQuery,
  WatchItem,
} from '../../cells/ports/cell-client.ts'
import { ok, Stage, textOf } from '../unit/activities/stage.ts'

export type OpenCellClient = (
  cell: CellClient,
) => Promise<{ readonly client: CellClient; readonly close: () => Promise<void> }>

const FIRST_PAGE: DashboardQuery = { limit: 20, from: undefined, countUnreadTo: undefined }

export function describeCellClientContract(name: string, open: OpenCellClient): void {
  describe(`cell client contract: ${name}`, () => {
    let stage: Stage
    let client: CellClient
    let close: () => Promise<void>
    const begin = async (limits: Partial<CellLimits> = {}): Promise<void> => {
      stage = await Stage.open(limits)
      const opened = await open(stage.cell)
      client = opened.client
      close = opened.close
    }
    beforeEach(() => begin())
    afterEach(() => close())

    /** The client's answer, which must be the cell's own. */
    const same = async <T>(ask: (cell: CellClient) => Promise<Answer<T>>): Promise<T> => {
      const answer = await ask(client)
      expect(answer).toEqual(await ask(stage.cell))
      return ok(answer)
    }

    test('bears the name of its cell', () => {
      expect(client.cell).toBe(stage.cell.cell)
    })

    test('pages are the same, with all that a post and a page may have', async () => {
      await stage.follow('bob', 'ann')
      const origin = await stage.publish('cid', 'origin')
      const gone = await stage.publish('cid', 'gone')
      const first = await stage.publish('ann', 'first', { audience: 'followers' })
      await stage.publish('ann', 'shown', { reblogOf: origin })
      await stage.publish('ann', 'hidden', { reblogOf: gone })
      await stage.remove(gone)
      await stage.markRead('bob', first)
      const call = stage.call('bob')
      const query = { ...FIRST_PAGE, countUnreadTo: 1 }
      const page = await same((cell) => cell.dashboard(call, query))
      expect(page.posts.map((post) => [textOf(post), post.audience, post.origin?.kind])).toEqual([
        ['ann:hidden', 'public', 'unavailable'],
        ['ann:shown', 'public', 'visible'],
        ['ann:first', 'followers', undefined],
      ])
      expect(page).toMatchObject({
        readMark: first.postId,
        unread: { count: 1, capped: true },
        older: undefined,
      })
    })

    test('pages go on in both directions', async () => {
      await stage.follow('bob', 'ann')
      for (let n = 1; n <= 5; n++) await stage.publish('ann', `${n}`)
      const call = stage.call('bob')
      const top = await same((cell) => cell.dashboard(call, { ...FIRST_PAGE, limit: 2 }))
      const { older } = top
      if (older === undefined) throw new Error('the dashboard ends too early')
      const from = { direction: 'older', place: older } as const
      const next = await same((cell) => cell.dashboard(call, { ...FIRST_PAGE, limit: 2, from }))
      expect(next.posts.map(textOf)).toEqual(['ann:3', 'ann:2'])
      const { newer } = next
      if (newer === undefined) throw new Error('a page without a way up')
      const up = { direction: 'newer', place: newer } as const
      const above = await same((cell) => cell.dashboard(call, { ...FIRST_PAGE, from: up }))
      expect(above.posts.map(textOf)).toEqual(['ann:5', 'ann:4'])
    })

    test('a place above all authors of an id is kept', async () => {
      const post = await stage.publish('ann', 'own')
      const place = { postId: post.postId, author: '' as never }
      const from = { direction: 'older', place } as const
      const call = stage.call('ann')
      const page = await same((cell) => cell.dashboard(call, { ...FIRST_PAGE, from }))
      expect(page.posts).toHaveLength(1)
    })

    test('a user nobody heard of has an empty dashboard', async () => {
      const page = await same((cell) => cell.dashboard(stage.call('nobody'), FIRST_PAGE))
      expect(page).toMatchObject({ posts: [], older: undefined })
    })

    test('posts of any size arrive whole', async () => {
      const text = 'x'.repeat(130_000)
      for (let n = 0; n < 20; n++) await stage.publish('ann', `${n}${text}`)
      const { posts } = ok(await client.dashboard(stage.call('ann'), FIRST_PAGE))
      const texts = Array.from({ length: 20 }, (_, n) => `ann:${19 - n}${text}`)
      expect(posts.map(textOf).join() === texts.join()).toBe(true)
    })

    test('unread posts are counted to a cap', async () => {
      for (let n = 0; n < 3; n++) await stage.publish('ann', `${n}`)
      const call = stage.call('ann')
      expect(await same((cell) => cell.countUnread(call, 2))).toEqual({ count: 2, capped: true })
      expect(await same((cell) => cell.countUnread(call, 9))).toEqual({ count: 3, capped: false })
    })

    test('a post is found, or why not is told', async () => {
      const { author, postId } = await stage.publish('ann', 'here', { audience: 'followers' })
      const gone = await stage.publish('ann', 'gone')
      await stage.remove(gone)
      const kindOf = async (viewer: string, id: PostId) =>
        (await same((cell) => cell.post(stage.call(viewer), author.key, id))).kind
      expect(await kindOf('ann', postId)).toBe('found')
      expect(await kindOf('eve', postId)).toBe('not-visible')
      expect(await kindOf('ann', gone.postId)).toBe('deleted')
      expect(await kindOf('ann', 7n as PostId)).toBe('unknown')
    })

    test('who asks in nobody’s name sees public posts only, whatever else the call holds', async () => {
      const { author, postId } = await stage.publish('ann', 'mine', { audience: 'followers' })
      const other = await stage.publish('ann', 'open')
      const call: Omit<Call, 'viewer'> = stage.call('ann')
      const hidden = await same((cell) => cell.publicPost(call, author.key, postId))
      expect(hidden.kind).toBe('not-visible')
      const shown = await same((cell) => cell.publicPost(call, author.key, other.postId))
      expect(shown.kind).toBe('found')
      const query = { limit: 10, older: undefined }
      const all = await same((cell) => cell.publicAuthorPosts(call, author.key, query))
      expect(all.posts.map(textOf)).toEqual(['ann:open'])
    })

    test('an author’s posts come page by page', async () => {
      for (let n = 1; n <= 3; n++) await stage.publish('ann', `${n}`)
      const ann = userKey('ann')
      const call = stage.call('bob')
      const first = await same((cell) =>
        cell.authorPosts(call, ann, { limit: 2, older: undefined }),
      )
      const rest = await same((cell) =>
        cell.authorPosts(call, ann, { limit: 2, older: first.older }),
      )
      expect([...first.posts, ...rest.posts].map(textOf)).toEqual(['ann:3', 'ann:2', 'ann:1'])
      expect(rest.older).toBeUndefined()
    })

    test('relations are listed from both sides, page by page', async () => {
      await stage.follow('bob', 'ann', { hideReblogs: true })
      await stage.follow('bob', 'cid')
      await stage.follow('eve', 'ann')
      const call = stage.call('bob')
      const follows = await same((cell) => cell.following(call, { after: undefined, limit: 1 }))
      const more = await same((cell) => cell.following(call, { after: follows.next, limit: 5 }))
      const all = [...follows.following, ...more.following]
      expect(Object.fromEntries(all.map(({ id, hideReblogs }) => [id, hideReblogs]))).toEqual({
        ann: true,
        cid: false,
      })
      const author = userKey('ann')
      const some = await same((cell) =>
        cell.followersHere(call, { author, after: undefined, limit: 1 }),
      )
      const others = await same((cell) =>
        cell.followersHere(call, { author, after: some.next, limit: 5 }),
      )
      const ids = [...some.followers, ...others.followers].map(({ id }) => id)
      expect(ids.sort()).toEqual(['bob', 'eve'])
    })

    test('why a post is on a dashboard, or not', async () => {
      await stage.follow('bob', 'ann')
      const post = await stage.publish('ann', '1')
      const place = { author: post.author.key, postId: post.postId }
      const why = await same((cell) => cell.explain(stage.call('bob'), place))
      expect(why).toMatchObject({ verdict: 'on-dashboard', source: 'window' })
      const not = await same((cell) => cell.explain(stage.call('eve'), place))
      expect(not).toMatchObject({ verdict: 'not-followed', source: undefined })
    })

    test('the status has every figure', async () => {
      await stage.publish('ann', '1')
      await stage.applied()
      const status = await client.status()
      expect(status).toEqual(await stage.cell.status())
      expect(status).toMatchObject({ ready: true, windowPosts: 1 })
    })

    test('a call waits for what it must see', async () => {
      const call = { ...stage.call('ann'), seen: [...stage.call('ann').seen] }
      const { author } = await stage.publish('ann', '1')
      const ends = stage.firehose.currentBounds().end
      const seen = ends.map((end, p) => (end > (call.seen[p] ?? 0) ? end + 1 : end))
      const asked = client.dashboard({ ...call, seen }, FIRST_PAGE)
      const second = await stage.publish('ann', '2')
      expect(second.author).toEqual(author)
      expect(ok(await asked).posts.map(textOf)).toEqual(['ann:2', 'ann:1'])
    })

    test('a call that is given up is late, and says what is missing', async () => {
      const ending = new AbortController()
      const seen = stage.firehose.currentBounds().end.map((end) => end + 10)
      const call = { ...stage.call('ann', ending.signal), seen }
      const asked = client.dashboard(call, FIRST_PAGE)
      await client.status()
      ending.abort()
      const answer = await asked
      expect(answer).toMatchObject({ kind: 'late', missing: seen })
      expect(answer).toMatchObject({ position: (await stage.cell.status()).position })
    })

    describe('a watch', () => {
      const watch = async (viewer: string, signal?: AbortSignal) => {
        const items = ok(await client.watch(stage.call(viewer, signal)))[Symbol.asyncIterator]()
        const next = async (): Promise<WatchItem | undefined> => {
          const { value, done } = await items.next()
          return done === true ? undefined : value
        }
        expect(await next()).toMatchObject({ kind: 'position' })
        return { next, items }
      }

      test('tells every kind of change in order, with its position', async () => {
        await stage.follow('bob', 'ann')
        const { next } = await watch('bob')
        const post = await stage.publish('ann', '1')
        const { end } = stage.firehose.currentBounds()
        expect(await next()).toMatchObject({ kind: 'added', position: end })
        await stage.edit(post, '2')
        const edited = await next()
        expect(edited).toMatchObject({ kind: 'edited' })
        expect(edited !== undefined && 'post' in edited && textOf(edited.post)).toBe('ann:2')
        await stage.markRead('bob', post)
        expect(await next()).toMatchObject({ kind: 'read-mark', postId: post.postId })
        await stage.remove(post)
        expect(await next()).toMatchObject({
          kind: 'removed',
          authorId: 'ann',
          author: post.author.key,
          postId: post.postId,
        })
        await stage.follow('bob', 'cid')
        expect(await next()).toEqual({ kind: 'reload', reason: 'graph-changed', position: [] })
        expect(await next()).toBeUndefined()
      })

      test('tells all of very many changes, to who takes them late', async () => {
        await stage.follow('bob', 'ann')
        const { next } = await watch('bob')
        const texts = Array.from({ length: 200 }, (_, n) => `ann:${n}`)
        for (const text of texts) await stage.publish('ann', text.slice(4))
        const told: string[] = []
        while (told.length < texts.length) {
          const item = await next()
          if (item === undefined) throw new Error('the watch ended')
          if ('post' in item) told.push(textOf(item.post))
        }
        expect(told).toEqual(texts)
      })

      test('ends when its signal aborts, and leaves the cell', async () => {
        const ending = new AbortController()
        const { next } = await watch('ann', ending.signal)
        const waiting = next()
        ending.abort()
        expect(await waiting).toBeUndefined()
        await expect.poll(async () => (await client.status()).watchers).toBe(0)
      })

      test('ends when it is left, and leaves the cell', async () => {
        const { items } = await watch('ann')
        await items.return?.()
        await stage.publish('ann', 'for nobody')
        await expect.poll(async () => (await client.status()).watchers).toBe(0)
      })

      test('is told to read anew when the cell stops', async () => {
        const { next } = await watch('ann')
        const waiting = next()
        await stage.cell.stop()
        expect(await waiting).toEqual({ kind: 'reload', reason: 'stopping', position: [] })
        expect(await next()).toBeUndefined()
      })

      test('is refused when there are too many', async () => {
        await close()
        await begin({ watchersMax: 1 })
        await watch('ann')
        const second = client.watch(stage.call('bob'))
        await expect(second).rejects.toMatchObject({ code: 'TOO_MANY_WATCHERS' })
      })
    })
  })
}
