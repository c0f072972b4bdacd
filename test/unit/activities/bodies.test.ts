// Bodies: one read a post, and never an answer older than what the asker knows.

import { expect, test } from 'vitest'
import { composeId, type PostId } from '../../../cells/model/post-id.ts'
import { userKey } from '../../../cells/model/user-key.ts'
import { gate, ok, Stage, START_MS, until } from './stage.ts'

const id = composeId({ ms: START_MS, worker: 1, sequence: 7 }) as PostId

test('a page does not believe a read of its post that began before the post was there', async () => {
  const stage = await Stage.open({ bodyMemoryBytes: 0 })
  await stage.follow('bob', 'ann')
  await stage.applied()
  // Looks at once, and is answered late.
  const { hook, open } = gate()
  stage.hooks.set('posts.get', async (run) => {
    const found = await run()
    await hook(() => Promise.resolve())
    return found
  })
  const early = stage.cell.post(stage.call('bob'), userKey('ann'), id)
  await stage.publish('ann', 'hello', { id })
  await stage.applied()
  await until(async () => (await stage.cell.status()).pendingPosts === 0)
  const page = stage.dashboard('bob')
  stage.hooks.clear()
  open()
  expect(await page).toEqual(['ann:hello'])
  expect(ok(await early).kind).toBe('unknown')
})

test('an edit that another process of the cell has stored already is shown', async () => {
  const stage = await Stage.open({ bodyMemoryBytes: 900 })
  await stage.follow('bob', 'ann')
  const post = await stage.publish('ann', 'first')
  await stage.deliver()
  expect(await stage.dashboard('bob')).toEqual(['ann:first'])
  // What the other process makes of the edit.
  const edited = Buffer.from('second')
  for await (const { rows } of stage.store.posts.allPosts()) {
    const [row] = rows
    if (row?.body === undefined) throw new Error('the post has no body')
    const { end } = stage.firehose.currentBounds()
    const body = { ...row.body, content: edited }
    await stage.store.posts.put([{ ...row, version: Math.max(...end), body }])
  }
  await stage.edit(post, 'second')
  await stage.applied()
  expect(await stage.dashboard('bob')).toEqual(['ann:second'])
})
