// Dashboards: exactly the posts of those followed, newest first, to the very end, wherever they lie by then.

import { expect, test } from 'vitest'
import { firstIdAt, type PostId } from '../../../cells/model/post-id.ts'
import { userKey } from '../../../cells/model/user-key.ts'
import type { Page } from '../../../cells/ports/cell-client.ts'
import { gate, HOUR, ok, SECOND, Stage, START_MS, textOf, until } from './stage.ts'

/** Posts of some authors that lie everywhere: pulled below a new follow, in inboxes, in the window; two are late. */
async function everywhere(stage: Stage): Promise<string[]> {
  await stage.follow('bob', 'ann')
  for (let i = 0; i < 12; i++) {
    stage.clock.advance(2 * SECOND)
    await stage.publish(i % 3 === 0 ? 'cid' : 'ann', `${i}`)
    if (i === 4) await stage.deliver()
    if (i === 6) await stage.follow('bob', 'cid')
    if (i === 8) await stage.publish('ann', 'late', { idMs: START_MS - 2 * HOUR })
    if (i === 9) await stage.deliver()
  }
  const times = Array.from({ length: 12 }, (_, i) => 11 - i)
  return [...times.map((i) => `${i % 3 === 0 ? 'cid' : 'ann'}:${i}`), 'ann:late']
}

test.for([1, 2, 3, 7, 13, 100])('paging by %i shows every post once, in order', async (limit) => {
  const stage = await Stage.open()
  const all = await everywhere(stage)
  expect(await stage.dashboard('bob', limit)).toEqual(all)
  await stage.checkpoint()
  await stage.restart()
  expect(await stage.dashboard('bob', limit)).toEqual(all)
})

test('small batches of chunks and of stored posts change nothing', async () => {
  const stage = await Stage.open({ chunkBatch: 1, pullBatch: 1, chunkEntriesMax: 1 })
  expect(await stage.dashboard('bob', 2)).toEqual([])
  const all = await everywhere(stage)
  expect(await stage.dashboard('bob', 5)).toEqual(all)
})

test('whoever follows very many sees the same', async () => {
  const stage = await Stage.open({ costs: { walkedUs: 0 }, windowPostsKept: 5 })
  const all = await everywhere(stage)
  for (const limit of [1, 4, 100]) expect(await stage.dashboard('bob', limit)).toEqual(all)
})

test('a window that is kept beside the inbox shows nothing twice', async () => {
  const stage = await Stage.open({ windowPostsKept: 1_000 })
  const all = await everywhere(stage)
  expect(await stage.dashboard('bob', 4)).toEqual(all)
})

test('chunks of several months are all read', async () => {
  const stage = await Stage.open({ idAheadMaxMs: 1_000 * HOUR })
  await stage.follow('bob', 'ann')
  const all: string[] = []
  for (let i = 0; i < 5; i++) {
    await stage.publish('ann', `${i}`)
    all.unshift(`ann:${i}`)
    await stage.deliver()
    stage.clock.advance(500 * HOUR)
  }
  expect(await stage.dashboard('bob', 2)).toEqual(all)
})

test('equal ids of several authors stand in key order, and a cursor between them holds', async () => {
  const stage = await Stage.open()
  const authors = ['ann', 'cid', 'dan', 'eve']
  const id = firstIdAt(START_MS)
  for (const [i, author] of authors.entries()) {
    await stage.publish(author, 'same', { id })
    if (i === 1) await stage.deliver()
    await stage.follow('bob', author)
  }
  const inOrder = authors.toSorted((a, b) => (userKey(a) < userKey(b) ? -1 : 1))
  const all = inOrder.map((author) => `${author}:same`)
  for (const limit of [1, 2, 3, 4]) expect(await stage.dashboard('bob', limit)).toEqual(all)
  await stage.deliver()
  expect(await stage.dashboard('bob', 1)).toEqual(all)
  const second = { postId: id, author: userKey(inOrder[1] ?? '') }
  const above = await stage.page('bob', { from: { direction: 'newer', place: second } })
  expect(above.posts.map(textOf)).toEqual(all.slice(0, 1))
})

test('pages of newer posts lead from any place to the top, without a hole', async () => {
  const stage = await Stage.open({ clockSkewMs: 0 })
  const all = await everywhere(stage)
  let page: Page = await stage.page('bob', { limit: 100 })
  const oldest = page.posts.at(-1)
  const seen: string[] = []
  let place = oldest === undefined ? undefined : { postId: oldest.postId, author: oldest.author }
  while (place !== undefined) {
    page = await stage.page('bob', { limit: 5, from: { direction: 'newer', place } })
    if (page.posts.length === 0) break
    seen.unshift(...page.posts.map(textOf))
    const newest = page.posts[0]
    place = newest === undefined ? undefined : { postId: newest.postId, author: newest.author }
  }
  expect(seen).toEqual(all.slice(0, -1))
})

test('the place for newer posts reaches back by the clock skew', async () => {
  const stage = await Stage.open({ clockSkewMs: 5 * SECOND })
  await stage.follow('bob', 'ann')
  await stage.publish('ann', 'first')
  const { newer } = await stage.page('bob')
  await stage.publish('ann', 'behind', { idMs: START_MS - 4 * SECOND })
  if (newer === undefined) throw new Error('a page has a place above it')
  const page = await stage.page('bob', { from: { direction: 'newer', place: newer } })
  expect(page.posts.map(textOf)).toEqual(['ann:first', 'ann:behind'])
})

test('what is deleted, hidden or unfollowed is on no page, from wherever it would come', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  const old = await stage.publish('ann', 'in the inbox')
  await stage.deliver()
  const fresh = await stage.publish('ann', 'in the window')
  const late = await stage.publish('ann', 'stored', { idMs: START_MS - 2 * HOUR })
  for (const post of [old, fresh, late]) {
    expect(await stage.dashboard('bob')).toContain(`ann:${post.text}`)
    await stage.remove(post)
    expect(await stage.dashboard('bob')).not.toContain(`ann:${post.text}`)
  }
  await stage.checkpoint()
  await stage.restart()
  expect(await stage.dashboard('bob')).toEqual([])
})

test('mutes and blocks hide from both sides of a page, and their undo shows again', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  await stage.publish('ann', '1')
  await stage.deliver()
  await stage.publish('ann', '2')
  for (const [on, off, user, target] of [
    ['muted', 'unmuted', 'bob', 'ann'],
    ['blocked', 'unblocked', 'bob', 'ann'],
    ['blocked', 'unblocked', 'ann', 'bob'],
  ] as const) {
    await stage.hide(on, user, target)
    expect(await stage.dashboard('bob')).toEqual([])
    await stage.checkpoint()
    await stage.restart()
    expect(await stage.dashboard('bob')).toEqual([])
    await stage.hide(off, user, target)
    expect(await stage.dashboard('bob')).toEqual(['ann:2', 'ann:1'])
  }
})

test('an edit is seen wherever the post lies, and never brings a post back', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  const first = await stage.publish('ann', '1')
  await stage.edit(first, '1 again')
  expect(await stage.dashboard('bob')).toEqual(['ann:1 again'])
  await stage.deliver()
  await stage.checkpoint()
  await stage.restart()
  expect(await stage.dashboard('bob')).toEqual(['ann:1 again'])
  await stage.edit(first, '1 at last')
  expect(await stage.dashboard('bob')).toEqual(['ann:1 at last'])
  await stage.restart()
  expect(await stage.dashboard('bob')).toEqual(['ann:1 at last'])
  await stage.remove(first)
  await stage.edit(first, '1 undead')
  await stage.publish('ann', '1 undead', { id: first.postId })
  expect(await stage.dashboard('bob')).toEqual([])
  await stage.restart()
  expect(await stage.dashboard('bob')).toEqual([])
})

test('a delete that comes before its post keeps the post away', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  const id = firstIdAt(START_MS)
  const later = await stage.publish('ann', 'later')
  await stage.remove({ author: later.author, postId: id })
  await stage.checkpoint()
  await stage.restart()
  await stage.publish('ann', 'deleted', { id })
  expect(await stage.dashboard('bob')).toEqual(['ann:later'])
})

test('a reblog shows its origin by the rules of pages, and is hidden from who hides reblogs', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  await stage.follow('eve', 'ann', { hideReblogs: true })
  const origin = await stage.publish('cid', 'origin')
  await stage.publish('ann', 'reblog', { reblogOf: origin })
  const shown = async () => (await stage.page('bob')).posts.map((post) => post.origin?.kind)
  expect(await shown()).toEqual(['visible'])
  expect(await stage.dashboard('eve')).toEqual([])
  await stage.deliver()
  expect(await stage.dashboard('eve')).toEqual([])
  await stage.hide('muted', 'bob', 'cid')
  expect(await shown()).toEqual(['unavailable'])
  await stage.hide('unmuted', 'bob', 'cid')
  expect(await shown()).toEqual(['visible'])
  await stage.remove(origin)
  expect(await shown()).toEqual(['unavailable'])
})

test("a deleted user's posts, dashboard and lists are gone for good", async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  await stage.follow('ann', 'bob')
  const post = await stage.publish('ann', '1')
  await stage.deliver()
  await stage.publish('bob', 'own')
  await stage.deleteUser('ann')
  for (let round = 0; round < 3; round++) {
    expect(await stage.dashboard('bob')).toEqual(['bob:own'])
    expect(await stage.dashboard('ann')).toEqual([])
    await stage.publish('ann', 'undead')
    await stage.edit(post, 'undead')
    const call = stage.call('bob')
    const query = { after: undefined, limit: 10 }
    expect(ok(await stage.cell.following(call, query)).following).toEqual([])
    const followers = { author: userKey('bob'), ...query }
    expect(ok(await stage.cell.followersHere(call, followers)).followers).toEqual([])
    if (round === 0) await stage.checkpoint()
    await stage.restart()
  }
  const names = await stage.store.names.get([1, 2, 3])
  expect(names.map((row) => row?.id)).not.toContain('ann')
})

test('unread posts are those above the read mark, counted to a cap', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  const posts = []
  for (let i = 0; i < 6; i++) posts.push(await stage.publish('ann', `${i}`))
  const unread = async (cap: number) => ok(await stage.cell.countUnread(stage.call('bob'), cap))
  expect(await unread(5)).toEqual({ count: 5, capped: true })
  expect(await unread(6)).toEqual({ count: 6, capped: false })
  const [, , third] = posts
  if (third !== undefined) await stage.markRead('bob', third)
  expect(await unread(6)).toEqual({ count: 3, capped: false })
  if (posts[0] !== undefined) await stage.markRead('bob', posts[0])
  expect(await unread(3)).toEqual({ count: 3, capped: false })
  await stage.restart()
  expect((await stage.page('bob', { countUnreadTo: 9 })).unread).toEqual({
    count: 3,
    capped: false,
  })
  expect((await stage.page('bob')).readMark).toBe(third?.postId)
})

test('a snapshot loses against what happened since, also after a restart', async () => {
  const stage = await Stage.open()
  await stage.publish('ann', '1')
  const before = START_MS - 10 * SECOND
  await stage.follow('bob', 'ann')
  await stage.unfollow('bob', 'ann')
  await stage.checkpoint()
  await stage.restart()
  await stage.follow('bob', 'ann', { asOfMs: before })
  expect(await stage.dashboard('bob')).toEqual([])
  await stage.follow('cid', 'ann', { asOfMs: before })
  expect(await stage.dashboard('cid')).toEqual(['ann:1'])
  await stage.follow('dan', 'ann', { asOfMs: START_MS - stage.limits.relationMemoryMs - SECOND })
  expect(await stage.dashboard('dan')).toEqual([])
})

test('whoever is unfollowed while their posts are read is not on the page', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  await stage.publish('ann', '1')
  await stage.checkpoint()
  await stage.restart()
  const reading = gate()
  stage.hooks.set('posts.get', reading.hook)
  const page = stage.dashboard('bob')
  await until(() => reading.waiting > 0)
  await stage.unfollow('bob', 'ann')
  await stage.applied()
  reading.open()
  expect(await page).toEqual([])
})

test('a page ends where its authors do: no place below the last post', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  for (let i = 0; i < 4; i++) await stage.publish('ann', `${i}`)
  expect((await stage.page('bob', { limit: 4 })).older).toBeUndefined()
  expect((await stage.page('bob', { limit: 3 })).older).toBeDefined()
  const nobody = await stage.page('nobody')
  expect(nobody).toMatchObject({ posts: [], older: undefined, newer: { postId: 1n as PostId } })
})

test('a page far down reads about as many chunks as the first one', async () => {
  const stage = await Stage.open({ chunkBatch: 4 })
  await stage.follow('bob', 'ann')
  for (let i = 0; i < 40; i++) {
    await stage.publish('ann', `${i}`)
    await stage.deliver()
    stage.clock.advance(2 * SECOND)
  }
  let reads = 0
  stage.hooks.set('inbox.chunksBelow', (run) => {
    reads++
    return run()
  })
  const first = await stage.page('bob', { limit: 4 })
  const readsOfFirst = reads
  let page = first
  for (let i = 0; i < 8; i++) {
    if (page.older === undefined) throw new Error('the dashboard ended early')
    reads = 0
    page = await stage.page('bob', {
      limit: 4,
      from: { direction: 'older', place: page.older },
    })
  }
  expect(page.posts.map(textOf)).toEqual(['ann:7', 'ann:6', 'ann:5', 'ann:4'])
  expect(reads).toBeLessThanOrEqual(readsOfFirst + 1)
})
