// A cell starts, serves, stops and fails: always in bounded time, and never as if nothing had happened.

import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { CellSuperseded } from '../../../cells/activities/claim.ts'
import { Stopped } from '../../../cells/activities/persist.ts'
import { firstIdAt } from '../../../cells/model/post-id.ts'
import { userRef } from '../../../cells/model/user-key.ts'
import { gate, ok, SECOND, Stage, START_MS, until } from './stage.ts'

const away = (): Promise<never> => Promise.reject(new Error('the store is away'))

test('stopped and started again it shows what it showed', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  await stage.publish('ann', '1')
  await stage.applied()
  await stage.cell.stop()
  stage.hooks.set('firehose.append', away)
  await stage.restart()
  expect(await stage.dashboard('bob')).toEqual(['ann:1'])
})

test('a cell that is stopped while it loads does not come up', async () => {
  const stage = new Stage()
  await stage.publish('ann', '1')
  const loading = gate()
  stage.hooks.set('checkpoints.get', loading.hook)
  const cell = stage.create()
  const started = cell.start()
  await until(() => loading.waiting > 0)
  await cell.stop()
  loading.open()
  await expect(started).rejects.toThrow(Stopped)
  expect(await cell.status()).toMatchObject({ ready: false })
})

test('a cell that is stopped while it catches up does not come up', async () => {
  const stage = new Stage()
  await stage.publish('ann', '1')
  const naming = gate()
  stage.hooks.set('authors.put', naming.hook)
  await stage.deleteUser('cid')
  const cell = stage.create()
  const started = cell.start()
  await until(() => naming.waiting > 0)
  const stopped = cell.stop()
  naming.open()
  await expect(started).rejects.toThrow(Stopped)
  await stopped
  expect(await cell.status()).toMatchObject({ ready: false })
})

test('a store that is away keeps no cell from stopping', async () => {
  const stage = await Stage.open()
  stage.hooks.set('posts.put', away)
  stage.hooks.set('checkpoints.put', away)
  await stage.publish('ann', '1')
  await stage.applied()
  await whileTimePasses(stage, stage.cell.stop())
  await stage.restart()
  expect(await stage.dashboard('ann')).toEqual(['ann:1'])
})

test('a late post that cannot become durable keeps no cell from stopping', async () => {
  const stage = await Stage.open()
  stage.hooks.set('authors.put', away)
  await stage.publish('ann', 'late', { idMs: START_MS - 7_200_000 })
  await setImmediate()
  void stage.cell.checkpoint().catch(() => undefined)
  await whileTimePasses(stage, stage.cell.stop())
  await stage.restart()
  expect(await stage.dashboard('ann')).toEqual(['ann:late'])
})

test('a broken assumption stops the cell and says so', async () => {
  const stage = await Stage.open()
  stage.hooks.set('posts.put', () => Promise.reject(new TypeError('broken')))
  await stage.publish('ann', '1')
  expect(await stage.cell.failure).toBeInstanceOf(TypeError)
  expect(await stage.cell.status()).toMatchObject({ ready: false })
  const answer = await stage.cell.dashboard(stage.call('ann'), {
    limit: 1,
    from: undefined,
    countUnreadTo: undefined,
  })
  expect(answer.kind).toBe('late')
})

test('others run while the log is replayed', async () => {
  const stage = await Stage.open({ fetchRecords: 10 })
  for (let i = 0; i < 500; i++) await stage.follow(`reader-${i}`, 'ann')
  const started = stage.restart()
  const turns = await turnsUntil(started)
  expect(turns).toBeGreaterThan(25)
})

test('a call that must see more than there is answers late when its time is over', async () => {
  const stage = await Stage.open()
  const deadline = new AbortController()
  const seen = [1, 0, 0, 0]
  const answer = stage.cell.countUnread({ ...stage.call('bob', deadline.signal), seen }, 10)
  deadline.abort()
  expect(await answer).toEqual({ kind: 'late', missing: seen, position: [0, 0, 0, 0] })
})

test('names that are on their way to the store have their ids', async () => {
  const stage = await Stage.open()
  const naming = gate()
  stage.hooks.set('names.put', naming.hook)
  await stage.publish('ann', '1')
  await stage.follow('bob', 'ann')
  await until(() => naming.waiting > 0)
  await stage.follow('bob', 'cid')
  await stage.applied()
  void stage.cell.checkpoint()
  await setImmediate()
  const query = { after: undefined, limit: 10 }
  const page = ok(await stage.cell.following(stage.call('bob'), query))
  expect(page.following.map(({ id }) => id).sort()).toEqual(['ann', 'cid'])
})

test('another log than the one applied is refused', async () => {
  const stage = await Stage.open()
  await stage.publish('ann', '1')
  await stage.checkpoint()
  stage.hooks.clear()
  stage.crash()
  const other = new Stage()
  Object.assign(other, { store: stage.store })
  other.clock.advance(SECOND)
  await expect(other.boot()).rejects.toThrow('the firehose ends at 0; begin the cell anew')
  await other.publish('ann', '2')
  await other.publish('ann', '3')
  await expect(other.boot()).rejects.toThrow('made anew')
})

test('a log whose records are gone is refused', async () => {
  const stage = await Stage.open()
  await stage.publish('ann', '1')
  await stage.checkpoint()
  await stage.publish('ann', '2')
  stage.crash()
  await stage.firehose.dropBefore(START_MS + SECOND)
  await expect(stage.boot()).rejects.toThrow('cellfeed cell --rebuild')
})

test('explains why a post is where it is', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  const post = await stage.publish('ann', '1')
  const verdict = async (viewer: string, postId = post.postId) => {
    const place = { author: userRef('ann').key, postId }
    return ok(await stage.cell.explain(stage.call(viewer), place))
  }
  expect(await verdict('bob')).toMatchObject({ verdict: 'on-dashboard', source: 'window' })
  await stage.deliver()
  expect(await verdict('bob')).toMatchObject({ verdict: 'on-dashboard', source: 'inbox' })
  await stage.follow('cid', 'ann')
  expect(await verdict('cid')).toMatchObject({ verdict: 'on-dashboard', source: 'pulled' })
  expect(await verdict('dan')).toMatchObject({ verdict: 'not-followed', source: undefined })
  expect(await verdict('bob', firstIdAt(START_MS))).toMatchObject({ verdict: 'unknown-post' })
  await stage.hide('muted', 'bob', 'ann')
  expect(await verdict('bob')).toMatchObject({ verdict: 'muted' })
  await stage.hide('blocked', 'ann', 'bob')
  expect(await verdict('bob')).toMatchObject({ verdict: 'blocked-by-author' })
  await stage.hide('blocked', 'bob', 'ann')
  expect(await verdict('bob')).toMatchObject({ verdict: 'blocked' })
  await stage.remove(post)
  expect(await verdict('cid')).toMatchObject({ verdict: 'deleted' })
  await stage.deleteUser('ann')
  expect(await verdict('cid')).toMatchObject({ verdict: 'author-deleted' })
})

/** Lets the clock go on until it is done. */
async function whileTimePasses(stage: Stage, done: Promise<void>): Promise<void> {
  await turnsUntil(done, () => stage.clock.advance(SECOND))
}

/** How often others could run before it was done. */
async function turnsUntil(done: Promise<void>, turn: () => void = () => {}): Promise<number> {
  const over = new AbortController()
  void done.finally(() => over.abort())
  let turns = 0
  for (; !over.signal.aborted; turns++) {
    turn()
    await setImmediate()
  }
  await done
  return turns
}

test('a cell that was taken over stops at its next checkpoint and drops nothing', async () => {
  const stage = await Stage.open()
  await stage.publish('ann', '1')
  await stage.checkpoint()
  const dropped: unknown[] = []
  stage.hooks.set('window.drop', async () => dropped.push('blocks'))
  await stage.publish('ann', '2')
  await stage.applied()
  await stage.store.checkpoints.claim(99)
  await expect(stage.cell.checkpoint()).rejects.toThrow(CellSuperseded)
  expect(dropped).toEqual([])
})

test('a suspended cell answers when it has applied what the log held by then', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  await stage.publish('ann', '1')
  await stage.applied()
  const reading = gate()
  stage.hooks.set('firehose.bounds', reading.hook)
  stage.cell.suspend()
  const signal = AbortSignal.abort()
  const call = { viewer: userRef('bob').key, seen: [], signal }
  const query = { limit: 5, from: undefined, countUnreadTo: undefined }
  expect(await stage.cell.dashboard(call, query)).toMatchObject({ kind: 'late' })
  expect(stage.cell.isReady).toBe(false)
  const page = stage.dashboard('bob')
  reading.open()
  expect(await page).toEqual(['ann:1'])
  expect(stage.cell.isReady).toBe(true)
})

test('a suspended cell that was taken over ends', async () => {
  const stage = await Stage.open()
  await stage.store.checkpoints.claim(99)
  stage.cell.suspend()
  expect(await stage.cell.failure).toBeInstanceOf(CellSuperseded)
})
