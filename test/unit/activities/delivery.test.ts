// Writing inboxes: what left the window is in an inbox or uncovered, however slow or broken the store.

import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { gate, SECOND, Stage, until } from './stage.ts'

const away = (): Promise<never> => Promise.reject(new Error('the store is away'))

test('nothing leaves the window before its inbox, its reach and its own row are durable', async () => {
  for (const write of ['inbox.putChunks', 'readers.putReach', 'posts.put']) {
    const stage = await Stage.open()
    await stage.follow('bob', 'ann')
    const writing = gate()
    stage.hooks.set(write, writing.hook)
    await stage.publish('ann', '1')
    await stage.applied()
    const written = stage.cell.writeGeneration()
    await until(() => writing.waiting > 0)
    expect((await stage.cell.status()).windowPosts).toBe(1)
    expect(await stage.dashboard('bob')).toEqual(['ann:1'])
    writing.open()
    await written
    await stage.deliver()
    expect((await stage.cell.status()).pendingPosts).toBe(0)
    expect(await stage.dashboard('bob')).toEqual(['ann:1'])
  }
})

test('a full window uncovers a slot whose inboxes cannot be written, and goes on', async () => {
  const stage = await Stage.open({ windowPostsMax: 8 })
  await stage.follow('bob', 'ann')
  stage.hooks.set('inbox.putChunks', away)
  const all: string[] = []
  for (let i = 0; i < 30; i++) {
    stage.clock.advance(2 * SECOND)
    await stage.publish('ann', `${i}`)
    all.unshift(`ann:${i}`)
    for (let turn = 0; turn < 3; turn++) await setImmediate()
  }
  const { end } = stage.firehose.currentBounds()
  await until(async () => {
    stage.clock.advance(SECOND)
    const { position } = await stage.cell.status()
    return end.every((offset, partition) => (position[partition] ?? 0) >= offset)
  })
  expect((await stage.cell.status()).windowPosts).toBeLessThanOrEqual(8)
  expect(await stage.dashboard('bob', 7)).toEqual(all)
  stage.hooks.clear()
  await stage.checkpoint()
  await stage.restart()
  expect(await stage.dashboard('bob', 7)).toEqual(all)
})

test('whoever follows or unfollows while a generation is written misses and keeps nothing', async () => {
  const stage = await Stage.open({ chunkEntriesMax: 2 })
  await stage.follow('bob', 'ann')
  for (let i = 0; i < 5; i++) {
    await stage.publish('ann', `${i}`)
    await stage.publish('cid', `${i}`)
  }
  await stage.applied()
  const writing = gate()
  stage.hooks.set('inbox.putGeneration', writing.hook)
  const written = stage.cell.writeGeneration()
  await until(() => writing.waiting > 0)
  await stage.follow('bob', 'cid')
  await stage.unfollow('bob', 'ann')
  await stage.applied()
  writing.open()
  await written
  await stage.deliver()
  expect(await stage.dashboard('bob', 2)).toEqual(['cid:4', 'cid:3', 'cid:2', 'cid:1', 'cid:0'])
  await stage.follow('bob', 'ann')
  expect((await stage.dashboard('bob', 3)).length).toBe(10)
})

test('a post that is late by its id alone is in the inbox of whoever followed before', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  await stage.publish('ann', 'new')
  await stage.follow('cid', 'ann')
  await stage.publish('ann', 'behind', { idMs: stage.clock.nowMs() - 600 * SECOND })
  for (const viewer of ['bob', 'cid']) {
    expect(await stage.dashboard(viewer)).toEqual(['ann:new', 'ann:behind'])
  }
  await stage.deliver()
  for (const viewer of ['bob', 'cid']) {
    expect(await stage.dashboard(viewer, 1)).toEqual(['ann:new', 'ann:behind'])
  }
})

test('a cell that is behind writes inboxes when it has caught up, and before its window is full', async () => {
  const stage = await Stage.open({ generationPosts: 2, windowPostsMax: 40, behindEvents: 3 })
  await stage.follow('bob', 'ann')
  await stage.applied()
  const appliedUpTo = async (): Promise<number> => (await stage.cell.status()).windowPosts
  const written = async (): Promise<number> => (await stage.cell.status()).generations
  // The log says that there is more than can be read.
  let missing = 1
  stage.hooks.set('firehose.bounds', async (run) => {
    const { start, end } = (await run()) as { start: number[]; end: number[] }
    return { start, end: end.map((offset) => offset + missing) }
  })
  const publish = async (posts: number): Promise<void> => {
    const before = await appliedUpTo()
    for (let i = 0; i < posts; i++) await stage.publish('ann', `${i}`)
    await until(async () => (await appliedUpTo()) === before + posts)
    stage.clock.advance(10 * SECOND)
    for (let turn = 0; turn < 20; turn++) await setImmediate()
  }
  await publish(5)
  expect(await written()).toBe(0)
  await publish(20)
  await until(async () => (await written()) === 1)
  missing = 0
  await publish(5)
  await until(async () => (await written()) === 2)
})
