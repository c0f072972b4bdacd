// Checkpoints: whatever happens while one is taken, the cell comes back from it with every dashboard as it was.

import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { gate, held, HOUR, START_MS, Stage, until } from './stage.ts'

test('a checkpoint asked for at any moment of a late post can be recovered from', async () => {
  for (let hops = 0; hops < 25; hops++) {
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
    expect(await stage.dashboard('bob'), `${hops} hops`).toEqual(['ann:new', 'ann:late'])
  }
})
