// Live dashboards: what is applied is told once, with a position that holds it, through the filter of pages.

import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { WatchItem } from '../../../cells/ports/cell-client.ts'
import { HOUR, ok, Stage, START_MS, textOf, until } from './stage.ts'

class Watch {
  readonly #items: AsyncIterator<WatchItem>

  private constructor(items: AsyncIterable<WatchItem>) {
    this.#items = items[Symbol.asyncIterator]()
  }

  /** A watch whose first item, its position, was taken. */
  static async begin(stage: Stage, viewer: string): Promise<Watch> {
    const watch = new Watch(ok(await stage.cell.watch(stage.call(viewer))))
    await watch.next()
    return watch
  }

  async next(): Promise<WatchItem> {
    const { value, done } = await this.#items.next()
    if (done === true) throw new Error('the watch ended')
    return value
  }

  async text(): Promise<string> {
    const item = await this.next()
    return 'post' in item ? `${item.kind} ${textOf(item.post)}` : item.kind
  }
}

test('posts, edits and removals are told in order', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  const watch = await Watch.begin(stage, 'bob')
  const post = await stage.publish('ann', '1')
  expect(await watch.text()).toBe('added ann:1')
  await stage.edit(post, '2')
  expect(await watch.text()).toBe('edited ann:2')
  await stage.remove(post)
  expect(await watch.next()).toMatchObject({ kind: 'removed', authorId: 'ann' })
})

test('the position of an item holds the item', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  const watch = await Watch.begin(stage, 'bob')
  const told = async () => {
    expect(await watch.next()).toMatchObject({ position: stage.firehose.currentBounds().end })
  }
  const post = await stage.publish('ann', '1')
  await told()
  await stage.edit(post, '2')
  await told()
  await stage.remove(post)
  await told()
  await stage.publish('ann', 'late', { idMs: START_MS - 2 * HOUR })
  await told()
  await stage.markRead('bob', post)
  await told()
})

test.for([
  ['unfollow', (stage: Stage) => stage.unfollow('bob', 'ann')],
  ['follow', (stage: Stage) => stage.follow('bob', 'cid')],
  ['mute', (stage: Stage) => stage.hide('muted', 'bob', 'ann')],
  ['block', (stage: Stage) => stage.hide('blocked', 'bob', 'ann')],
  ['block by the author', (stage: Stage) => stage.hide('blocked', 'ann', 'bob')],
  ['deletion of the author', (stage: Stage) => stage.deleteUser('ann')],
] as const)('the dashboard is to be read again after: %s', async ([, change]) => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  const watch = await Watch.begin(stage, 'bob')
  await change(stage)
  expect(await watch.next()).toEqual({ kind: 'reload', reason: 'graph-changed', position: [] })
})

test('who watches before the cell knew them is told of their first post', async () => {
  const stage = await Stage.open()
  const watch = await Watch.begin(stage, 'bob')
  await stage.publish('bob', '1')
  expect(await watch.text()).toBe('reload')
  expect(await stage.dashboard('bob')).toEqual(['bob:1'])
})

test('reblogs hidden from pages are hidden from watchers', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann', { hideReblogs: true })
  const watch = await Watch.begin(stage, 'bob')
  const origin = await stage.publish('cid', 'origin')
  await stage.publish('ann', 'reblog', { reblogOf: origin })
  await stage.publish('ann', 'own')
  expect(await watch.text()).toBe('added ann:own')
})

test('a watcher that falls behind is told so', async () => {
  const stage = await Stage.open({ watchQueueMax: 3 })
  await stage.follow('bob', 'ann')
  const watch = await Watch.begin(stage, 'bob')
  for (let i = 0; i < 5; i++) await stage.publish('ann', `${i}`)
  await stage.applied()
  expect(await watch.next()).toEqual({ kind: 'reload', reason: 'too-slow', position: [] })
  await expect(watch.next()).rejects.toThrow('ended')
})

test('a watch that nobody reads is gone when its call is', async () => {
  const stage = await Stage.open({ watchersMax: 1 })
  const stop = new AbortController()
  ok(await stage.cell.watch(stage.call('bob', stop.signal)))
  await expect(stage.cell.watch(stage.call('bob'))).rejects.toThrow('watchers')
  stop.abort()
  await setImmediate()
  expect((await stage.cell.status()).watchers).toBe(0)
  await Watch.begin(stage, 'bob')
})

test('a cell that stops or fails ends its watches', async () => {
  const stopping = await Stage.open()
  const first = await Watch.begin(stopping, 'bob')
  void stopping.cell.stop()
  expect(await first.next()).toEqual({ kind: 'reload', reason: 'stopping', position: [] })
  const failing = await Stage.open()
  const second = await Watch.begin(failing, 'bob')
  failing.hooks.set('posts.put', () => Promise.reject(new TypeError('broken')))
  await failing.publish('ann', '1')
  expect(await second.next()).toEqual({ kind: 'reload', reason: 'stopping', position: [] })
  await until(async () => (await failing.cell.status()).watchers === 0)
})
