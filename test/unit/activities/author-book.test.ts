// Classes of authors: whatever lands when, no post is missed on a dashboard.

import { expect, test } from 'vitest'
import { userRef } from '../../../cells/model/user-key.ts'
import { gate, held, HOUR, ok, SECOND, Stage, START_MS, textOf, until } from './stage.ts'

const ann = userRef('ann').key

test('posts of a pulled author are shown, from the window and once they left it', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  await stage.publish('ann', '1')
  await stage.applied()
  await stage.cell.setAuthorClass(ann, 'pulled')
  await stage.publish('ann', '2')
  expect(await stage.dashboard('bob')).toEqual(['ann:2', 'ann:1'])
  await stage.deliver()
  expect((await stage.cell.status()).entriesDelivered).toBe(0)
  expect(await stage.dashboard('bob')).toEqual(['ann:2', 'ann:1'])
})

test('an author delivered again keeps what was pulled, also after a crash', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  await stage.publish('ann', '1')
  await stage.applied()
  await stage.cell.setAuthorClass(ann, 'pulled')
  await stage.publish('ann', '2')
  await stage.deliver()
  await stage.cell.setAuthorClass(ann, 'delivered')
  stage.clock.advance(5 * SECOND)
  await stage.publish('ann', '3')
  await stage.deliver()
  const all = ['ann:3', 'ann:2', 'ann:1']
  expect(await stage.dashboard('bob')).toEqual(all)
  await stage.checkpoint()
  await stage.restart()
  expect(await stage.dashboard('bob')).toEqual(all)
})

test('a change back to delivered that lands after a restart uncovers nothing', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  await stage.publish('ann', '1')
  await stage.checkpoint()
  await stage.cell.setAuthorClass(ann, 'pulled')
  const late = held()
  stage.hooks.set('authors.put', late.hook)
  void stage.cell.setAuthorClass(ann, 'delivered')
  await until(() => late.calls.length > 0)
  await stage.restart()
  stage.clock.advance(5 * SECOND)
  await stage.publish('ann', '2')
  await stage.deliver()
  await stage.checkpoint()
  for (const land of late.calls) await land()
  await stage.restart()
  expect(await stage.dashboard('bob')).toEqual(['ann:2', 'ann:1'])
})

test('late posts of a pulled author are shown, and still when it is delivered again', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  await stage.publish('ann', '1')
  await stage.applied()
  await stage.cell.setAuthorClass(ann, 'pulled')
  await stage.publish('ann', 'late', { idMs: START_MS - 2 * HOUR })
  await stage.deliver()
  expect(await stage.dashboard('bob')).toEqual(['ann:1', 'ann:late'])
  await stage.cell.setAuthorClass(ann, 'delivered')
  await stage.restart()
  expect(await stage.dashboard('bob')).toEqual(['ann:1', 'ann:late'])
})

test('a late post is shown when its record counts, not while it is only stored', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  await stage.publish('ann', '1')
  await stage.applied()
  await stage.cell.setAuthorClass(ann, 'pulled')
  await stage.deliver()
  const before = stage.call('bob')
  const raise = gate()
  stage.hooks.set('authors.put', raise.hook)
  const late = await stage.publish('ann', 'late', { idMs: START_MS - 2 * HOUR })
  await until(() => raise.waiting > 0)
  const query = { limit: 10, from: undefined, countUnreadTo: undefined }
  const early = ok(await stage.cell.dashboard(before, query))
  expect(early.posts.map(textOf)).toEqual(['ann:1'])
  const found = await stage.cell.post(before, ann, late.postId)
  expect(ok(found)).toEqual({ kind: 'unknown' })
  raise.open()
  expect(await stage.dashboard('bob')).toEqual(['ann:1', 'ann:late'])
})
