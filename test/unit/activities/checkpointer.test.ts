// Checkpoints: whatever happens while one is taken, the cell comes back from it with every dashboard as it was.

import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { userRef } from '../../../cells/model/user-key.ts'
import { gate, held, HOUR, START_MS, Stage, until } from './stage.ts'

const microtasks = Array.from({ length: 25 }, (_, hops) => hops)

test.for(microtasks)('a checkpoint in microtask %i of a late post is no trap', async (hops) => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  await stage.publish('ann', 'new')
  await stage.applied()
  const reading = gate()
  stage.hooks.set('posts.get', reading.hook)
  stage.hooks.set('authors.put', held().hook)
  await stage.publish('ann', 'late', { idMs: START_MS - 2 * HOUR })
  await until(() => reading.waiting > 0)
  reading.open()
  for (let i = 0; i < hops; i++) await Promise.resolve()
  void stage.cell.checkpoint()
  for (let i = 0; i < 10; i++) await setImmediate()
  await stage.restart()
  expect(await stage.dashboard('bob')).toEqual(['ann:new', 'ann:late'])
})

test('a post that leaves the window while a checkpoint is taken is pulled after a restart', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  await stage.publish('ann', '1')
  await stage.applied()
  await stage.cell.setAuthorClass(userRef('ann').key, 'pulled')
  await until(async () => (await stage.cell.status()).pendingPosts === 0)
  const reach = gate()
  stage.hooks.set('readers.putReach', reach.hook)
  const written = stage.cell.writeGeneration()
  await until(() => reach.waiting > 0)
  const names = gate()
  stage.hooks.set('names.put', names.hook)
  await stage.follow('cid', 'dan')
  await stage.applied()
  const taken = stage.cell.checkpoint()
  await until(() => names.waiting > 0)
  reach.open()
  await written
  expect((await stage.cell.status()).windowPosts).toBe(0)
  names.open()
  await taken
  await stage.restart()
  expect(await stage.dashboard('bob')).toEqual(['ann:1'])
})

test('a checkpoint takes the posts of a deleted user out of the cache', async () => {
  const stage = await Stage.open({ bodyMemoryBytes: 0 })
  await stage.follow('bob', 'ann')
  await stage.publish('ann', 'secret')
  await stage.deliver()
  await stage.page('bob')
  await until(() => stage.cache.bytes > 0)
  await stage.deleteUser('ann')
  await stage.checkpoint()
  expect(stage.cache.bytes).toBe(0)
  expect(await stage.dashboard('bob')).toEqual([])
})
