// Lists of who follows whom: complete, in key order, whatever is durable already.

import { expect, test } from 'vitest'
import { userKey } from '../../../cells/model/user-key.ts'
import { gate, ok, Stage, until } from './stage.ts'

const users = Array.from({ length: 12 }, (_, i) => `user-${i}`)
const byKey = (all: readonly string[]): string[] =>
  all.toSorted((a, b) => (userKey(a) < userKey(b) ? -1 : 1))

async function followers(stage: Stage, author: string, limit: number): Promise<string[]> {
  const found: string[] = []
  let after: ReturnType<typeof userKey> | undefined
  for (;;) {
    const query = { author: userKey(author), after, limit }
    const page = ok(await stage.cell.followersHere(stage.call(author), query))
    found.push(...page.followers.map(({ id }) => id))
    if (page.next === undefined) return found
    after = page.next
  }
}

test.for([1, 3, 100])('followers in pages of %i, durable or on their way', async (limit) => {
  const stage = await Stage.open()
  for (const user of users) await stage.follow(user, 'ann')
  expect(await followers(stage, 'ann', limit)).toEqual(byKey(users))
  await stage.checkpoint()
  const gone = users.filter((_, i) => i % 3 === 0)
  for (const user of gone) await stage.unfollow(user, 'ann')
  await stage.follow('late', 'ann')
  const left = byKey([...users.filter((user) => !gone.includes(user)), 'late'])
  expect(await followers(stage, 'ann', limit)).toEqual(left)
  const writing = gate()
  stage.hooks.set('followers.put', writing.hook)
  const taken = stage.cell.checkpoint()
  await until(() => writing.waiting > 0)
  expect(await followers(stage, 'ann', limit)).toEqual(left)
  writing.open()
  await taken
  expect(await followers(stage, 'ann', limit)).toEqual(left)
  await stage.restart()
  expect(await followers(stage, 'ann', limit)).toEqual(left)
})

test('a reader made durable before its followers row is listed after a crash', async () => {
  const stage = await Stage.open()
  const writing = gate()
  stage.hooks.set('readers.put', writing.hook)
  await stage.follow('bob', 'cid')
  await stage.applied()
  void stage.cell.checkpoint()
  await until(() => writing.waiting > 0)
  await stage.follow('bob', 'ann')
  await stage.follow('dan', 'cid')
  await stage.unfollow('bob', 'cid')
  await stage.applied()
  const second = stage.cell.checkpoint()
  writing.open()
  stage.hooks.delete('readers.put')
  stage.hooks.set('checkpoints.put', () => new Promise(() => {}))
  void second
  await stage.restart()
  expect(await followers(stage, 'ann', 10)).toEqual(['bob'])
  expect(await followers(stage, 'cid', 10)).toEqual(['dan'])
})

test('follows in pages, in key order, without oneself', async () => {
  const stage = await Stage.open()
  for (const user of users) await stage.follow('bob', user)
  await stage.publish('bob', 'own')
  const found: string[] = []
  let after: ReturnType<typeof userKey> | undefined
  for (;;) {
    const page = ok(await stage.cell.following(stage.call('bob'), { after, limit: 5 }))
    found.push(...page.following.map(({ id }) => id))
    after = page.next
    if (after === undefined) break
  }
  expect(found).toEqual(byKey(users))
})

test('who is in the index of followers and does not follow is not listed', async () => {
  const stage = await Stage.open()
  await stage.follow('bob', 'ann')
  await stage.follow('cid', 'ann')
  await stage.unfollow('bob', 'ann')
  await stage.checkpoint()
  // As it is when a row became durable and the record that undid it was lost.
  const row = { author: 1, user: userKey('bob'), version: 1_000, follows: true }
  for (let author = 1; author < 10; author++) await stage.store.followers.put([{ ...row, author }])
  expect(await followers(stage, 'ann', 10)).toEqual(['cid'])
})
