// Coming back: from any crash with every dashboard as it was, and never on a log that lost what was applied.

import { expect, test } from 'vitest'
import { FirehoseGap } from '../../../cells/ports/firehose.ts'
import { gate, held, ok, SECOND, Stage, START_MS, until } from './stage.ts'

test('a log that ends before rows newer than the checkpoint is refused', async () => {
  const stage = await Stage.open()
  await stage.publish('ann', '1')
  await stage.checkpoint()
  const committing = gate()
  stage.hooks.set('checkpoints.put', committing.hook)
  await stage.follow('bob', 'ann')
  await stage.applied()
  void stage.cell.checkpoint()
  await until(() => committing.waiting > 0)
  stage.crash()
  const [first] = (await stage.firehose.fetch(0, 0, 1)).records
  const { fact, id } = first?.event ?? {}
  if (id === undefined || fact === undefined || fact.kind !== 'post-created') throw new Error()
  const shorter = new Stage()
  Object.assign(shorter, { store: stage.store })
  await shorter.firehose.append([{ id, fact }])
  await expect(shorter.boot()).rejects.toThrow(FirehoseGap)
})

test('a crash after any write of a checkpoint loses nothing', async () => {
  const writes = ['names.put', 'window.put', 'followers.put', 'readers.put', 'authors.putGreatest']
  for (const write of [...writes, 'posts.put', 'checkpoints.put', 'window.drop']) {
    const stage = await Stage.open()
    await stage.follow('bob', 'ann')
    await stage.publish('ann', '1')
    await stage.checkpoint()
    await stage.publish('ann', '2')
    await stage.follow('bob', 'cid')
    await stage.publish('cid', '3')
    await stage.unfollow('bob', 'ann')
    await stage.follow('bob', 'ann')
    await stage.hide('muted', 'bob', 'eve')
    await stage.follow('bob', 'eve')
    await stage.publish('eve', 'hidden')
    stage.hooks.set(write, held().hook)
    await stage.applied()
    void stage.cell.checkpoint()
    for (let i = 0; i < 20; i++) await stage.clock.yield()
    await stage.restart()
    expect(await stage.dashboard('bob')).toEqual(['cid:3', 'ann:2', 'ann:1'])
  }
})

test('a crash after any write of a generation loses nothing', async () => {
  for (const write of ['inbox.putGeneration', 'inbox.putChunks', 'readers.putReach']) {
    for (const landsLate of [false, true]) {
      const stage = await Stage.open()
      await stage.follow('bob', 'ann')
      await stage.publish('ann', '1')
      await stage.deliver()
      await stage.checkpoint()
      await stage.publish('ann', '2')
      await stage.applied()
      const late = held()
      stage.hooks.set(write, late.hook)
      void stage.cell.writeGeneration()
      await until(() => late.calls.length > 0)
      await stage.restart()
      if (landsLate) for (const land of late.calls) await land()
      expect(await stage.dashboard('bob')).toEqual(['ann:2', 'ann:1'])
      await stage.deliver()
      stage.clock.advance(SECOND)
      await stage.publish('ann', '3')
      await stage.restart()
      expect(await stage.dashboard('bob')).toEqual(['ann:3', 'ann:2', 'ann:1'])
    }
  }
})

test('a cell that starts again and again shows the same, and a record repeated late counts once', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  const post = await stage.publish('ann', '1')
  await stage.remove(await stage.publish('ann', '2'))
  const { records } = await stage.firehose.fetch(0, 0, 100)
  for (let round = 0; round < 4; round++) {
    for (const { event } of records) {
      if (event.fact.kind === 'unreadable') continue
      await stage.firehose.append([{ id: event.id, fact: event.fact }])
    }
    await stage.publish('ann', 'another', { id: post.postId })
    expect(await stage.dashboard('bob')).toEqual(['ann:1'])
    if (round === 1) await stage.checkpoint()
    if (round === 2) await stage.deliver()
    await stage.restart()
  }
  const { eventsRepeated } = await stage.cell.status()
  expect(eventsRepeated).toBeGreaterThan(0)
})

test('what was written of a deleted user before a crash and lands after it stays erased', async () => {
  for (const idMs of [START_MS, START_MS - 7_200_000]) {
    const stage = await Stage.open()
    await stage.follow('bob', 'ann')
    await stage.publish('ann', 'first')
    await stage.checkpoint()
    const late = held()
    stage.hooks.set('posts.put', late.hook)
    const post = await stage.publish('ann', 'secret', { idMs })
    await until(() => late.calls.length > 0)
    stage.hooks.delete('posts.put')
    stage.hooks.set('posts.put', () => new Promise(() => {}))
    await stage.deleteUser('ann')
    for (let i = 0; i < 5; i++) await stage.clock.yield()
    await stage.restart()
    await stage.checkpoint()
    for (const land of late.calls) await land()
    const found = ok(await stage.cell.post(stage.call('bob'), post.author.key, post.postId))
    expect(found.kind).toBe('deleted')
    const numbers = Array.from({ length: 8 }, (_, author) => ({ author, postId: post.postId }))
    const rows = await stage.store.posts.get(numbers)
    expect(rows.filter((row) => row?.body !== undefined)).toEqual([])
  }
})

/** A log whose first post became a record that cannot be read. */
async function unreadable(isNewer: boolean): Promise<Stage> {
  const stage = new Stage()
  await stage.follow('bob', 'ann')
  await stage.publish('ann', '1')
  await stage.publish('ann', '2')
  for (const partition of stage.firehose.currentBounds().start.keys()) {
    const { records } = await stage.firehose.fetch(partition, 0, 9)
    const post = records.find(({ event: { fact } }) => fact.kind === 'post-created')
    const fact = { kind: 'unreadable', reason: 'schema version 2', isNewer }
    if (post !== undefined) Object.assign(post.event, { fact })
  }
  return stage
}

test('a record that a newer version wrote stops the cell', async () => {
  const stage = await unreadable(true)
  await expect(stage.boot()).rejects.toMatchObject({ code: 'NEWER_RECORD' })
})

test('a record that is no event is passed over', async () => {
  const stage = await unreadable(false)
  await stage.boot()
  expect(await stage.dashboard('bob')).toEqual(['ann:2'])
  expect((await stage.cell.status()).eventsRefused).toBe(1)
})

test('a generation that an older process finishes while its successor reads is known to it whole', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  await stage.publish('ann', '1')
  await stage.checkpoint()
  const paused = gate()
  stage.hooks.set('inbox.putGeneration', paused.hook)
  const writing = stage.cell.writeGeneration()
  // It may hear that it was superseded.
  writing.catch(() => undefined)
  await until(() => paused.waiting > 0)
  stage.hooks.set('readers.reach', async (run) => {
    stage.hooks.delete('readers.reach')
    paused.open()
    await until(async () =>
      (await stage.store.readers.reach()).some((row) => row.version.count > 0),
    )
    return run()
  })
  // The older one was not stopped.
  await stage.create().start()
  await stage.deliver()
  expect(await stage.dashboard('bob')).toEqual(['ann:1'])
})
