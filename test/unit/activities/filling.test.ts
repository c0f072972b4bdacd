// What pages pull again and again goes into the inbox, and nobody sees a difference but in what is read.

import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { CellLimits } from '../../../cells/model/cell-limits.ts'
import { DELIVERY_POLICY } from '../../../cells/model/delivery-policy.ts'
import { FILL_MONTH } from '../../../cells/model/fill.ts'
import type { SlotSource } from '../../../cells/ports/slot-source.ts'
import { gate, SECOND, Stage, START_MS, until } from './stage.ts'
import { TwoCells } from './two-cells.ts'

const OLD = ['ann:3', 'ann:2', 'ann:1']
const limits: Partial<CellLimits> = { policy: { ...DELIVERY_POLICY, mode: 'delivered' } }

/** Ann has posted, and Bob, who reads of Cid, follows her since: he pulls what she posted before. */
async function follower(options: Partial<CellLimits> = {}): Promise<Stage> {
  const stage = await Stage.open({ ...limits, ...options })
  await stage.follow('bob', 'cid')
  for (const text of ['1', '2', '3']) {
    await stage.publish('ann', text)
    stage.clock.advance(SECOND)
  }
  await stage.deliver()
  await stage.follow('bob', 'ann')
  return stage
}

/** As often as it takes until filling pays. */
async function readTwice(stage: Stage): Promise<void> {
  for (let i = 0; i < 2; i++) await stage.dashboard('bob', 1)
}

/** And he has come back often enough. */
async function regular(options: Partial<CellLimits> = {}): Promise<Stage> {
  const stage = await follower(options)
  await readTwice(stage)
  return stage
}

/** The dashboard of Bob, and how often an author's stored posts were looked up for it. */
async function looked(stage: Stage): Promise<{ shown: string[]; pulls: number }> {
  let pulls = 0
  stage.hooks.set('posts.idsBelow', (run) => {
    pulls++
    return run()
  })
  const shown = await stage.dashboard('bob', 1)
  stage.hooks.delete('posts.idsBelow')
  return { shown, pulls }
}

test('who pulls an author again and again does so no more, also after a restart', async () => {
  const stage = await regular()
  expect((await looked(stage)).pulls).toBeGreaterThan(0)
  await stage.cell.fillInboxes()
  expect(await looked(stage)).toEqual({ shown: OLD, pulls: 0 })
  expect((await stage.cell.status()).entriesFilled).toBe(3)
  await stage.checkpoint()
  await stage.restart()
  expect(await looked(stage)).toEqual({ shown: OLD, pulls: 0 })
})

test('who pulls once is not filled', async () => {
  const stage = await follower()
  await stage.dashboard('bob', 100)
  await stage.cell.fillInboxes()
  expect((await stage.cell.status()).entriesFilled).toBe(0)
})

test('what is lost with a process before its checkpoint is pulled again', async () => {
  const stage = await regular()
  await stage.checkpoint()
  await stage.cell.fillInboxes()
  await stage.restart()
  const { shown, pulls } = await looked(stage)
  expect(shown).toEqual(OLD)
  expect(pulls).toBeGreaterThan(0)
})

test('a cell that dies between a filled inbox and its row reads nothing twice, and reaches deeper later', async () => {
  const stage = await regular()
  await stage.checkpoint()
  await stage.cell.fillInboxes()
  await stage.restart()
  await readTwice(stage)
  await stage.cell.fillInboxes()
  expect(await looked(stage)).toEqual({ shown: OLD, pulls: 0 })
})

test('an author with more posts than are read at a time is covered as far down as pages went', async () => {
  const stage = await Stage.open({ ...limits, pullBatch: 2, chunkEntriesMax: 2 })
  const all: string[] = []
  for (let i = 0; i < 9; i++) {
    await stage.publish('ann', `${i}`)
    all.unshift(`ann:${i}`)
    stage.clock.advance(SECOND)
  }
  await stage.deliver()
  await stage.follow('bob', 'ann')
  for (let i = 0; i < 4; i++) await stage.page('bob', { limit: 3 })
  await stage.cell.fillInboxes()
  const { entriesFilled } = await stage.cell.status()
  expect(entriesFilled).toBeGreaterThanOrEqual(3)
  expect(entriesFilled).toBeLessThan(9)
  expect((await looked(stage)).shown).toEqual(all)
})

test('who unfollows while the inbox is filled does not follow again by that', async () => {
  const stage = await regular()
  const writing = gate()
  stage.hooks.set('inbox.putChunks', writing.hook)
  const filled = stage.cell.fillInboxes()
  await until(() => writing.waiting > 0)
  await stage.unfollow('bob', 'ann')
  await stage.applied()
  writing.open()
  await filled
  expect(await stage.dashboard('bob')).toEqual([])
  await stage.follow('bob', 'ann')
  expect((await looked(stage)).shown).toEqual(OLD)
})

test('a page that is read while the inbox is filled is whole', async () => {
  const stage = await regular()
  const reading = gate()
  stage.hooks.set('posts.idsBelow', reading.hook)
  const shown = stage.dashboard('bob', 1)
  await until(() => reading.waiting > 0)
  stage.hooks.delete('posts.idsBelow')
  await stage.cell.fillInboxes()
  reading.open()
  expect(await shown).toEqual(OLD)
})

test('an inbox that cannot be written covers nothing', async () => {
  const stage = await regular()
  stage.hooks.set('inbox.putChunks', () => Promise.reject(new Error('the store is away')))
  let isOver = false
  void stage.cell.fillInboxes().finally(() => {
    isOver = true
  })
  await until(() => {
    stage.clock.advance(SECOND)
    return isOver
  })
  stage.hooks.clear()
  const { shown, pulls } = await looked(stage)
  expect(shown).toEqual(OLD)
  expect(pulls).toBeGreaterThan(0)
})

/** Posts of Ann that the store does not have yet leave the window while Bob's inbox is filled. */
async function pending(): Promise<{ stage: Stage; stored: () => void }> {
  const stage = await Stage.open(limits)
  await stage.follow('bob', 'cid')
  await stage.publish('ann', '1')
  await stage.deliver()
  stage.clock.advance(10 * SECOND)
  await stage.publish('cid', '1')
  await stage.applied()
  await until(async () => (await stage.cell.status()).pendingPosts === 0)
  const storing = gate()
  stage.hooks.set('posts.put', storing.hook)
  await stage.publish('ann', '3')
  await stage.publish('ann', '2', { idMs: START_MS + 5 * SECOND })
  await stage.applied()
  return { stage, stored: storing.open }
}
const ALL = ['ann:3', 'cid:1', 'ann:2', 'ann:1']

test('what a generation leaves out while an inbox is filled is not taken for filled', async () => {
  const stage = await Stage.open(limits)
  await stage.follow('bob', 'cid')
  await stage.publish('ann', '1')
  await stage.deliver()
  stage.clock.advance(10 * SECOND)
  await stage.publish('ann', '3')
  await stage.deliver()
  await stage.follow('bob', 'ann')
  await readTwice(stage)
  const writing = gate()
  stage.hooks.set('inbox.putChunks', writing.hook)
  const filled = stage.cell.fillInboxes()
  await until(() => writing.waiting > 0)
  stage.hooks.delete('inbox.putChunks')
  // Bob does not follow her while a generation is written that has an older post of hers; then he does, as of the same second.
  await stage.unfollow('bob', 'ann')
  await stage.publish('ann', '2', { idMs: START_MS + 5 * SECOND })
  await stage.applied()
  await until(async () => (await stage.cell.status()).pendingPosts === 0)
  const written = stage.cell.writeGeneration()
  for (let turn = 0; turn < 50; turn++) await setImmediate()
  await stage.follow('bob', 'ann')
  await stage.applied()
  writing.open()
  await Promise.all([filled, written])
  await stage.deliver()
  expect((await looked(stage)).shown).toEqual(OLD)
})

test('what is in no inbox, and not in the store yet, is not taken for filled', async () => {
  const { stage, stored } = await pending()
  await stage.cell.writeGeneration()
  await stage.follow('bob', 'ann')
  await readTwice(stage)
  const filled = stage.cell.fillInboxes()
  for (let turn = 0; turn < 20; turn++) await setImmediate()
  stored()
  await filled
  await stage.deliver()
  expect((await looked(stage)).shown).toEqual(ALL)
})

test('a filled inbox moves to another cell, also when it was filled after its chunks had been copied', async () => {
  const cells = await TwoCells.start(1, limits)
  const { moving, source, target } = cells
  await source.follow('bob', 'cid')
  await source.publish('ann', '1')
  await source.publish('cid', '1')
  await source.deliver()
  await source.follow('bob', 'ann')
  await source.checkpoint()
  await cells.plan()
  // All chunks are there; before it has everything else, the target dies.
  const { checkpoints, names, readers, inbox } = source.store
  const authors: SlotSource['authors'] = {
    async *all() {
      await new Promise(() => {})
      yield []
    },
  }
  moving.addSource('a', { checkpoints, names, readers, inbox, authors })
  await cells.advance({ kind: 'prepared' })
  await until(async () =>
    (await target.store.readers.reach()).some(({ version }) => version.count === 2),
  )
  target.crash()
  await readTwice(source)
  await source.cell.fillInboxes()
  expect((await source.cell.status()).entriesFilled).toBe(1)
  await source.checkpoint()
  const copying = gate()
  const generations = async () => {
    await copying.opened
    return inbox.generations()
  }
  const chunksOf: SlotSource['inbox']['chunksOf'] = (at, month) => {
    months.push(month)
    return inbox.chunksOf(at, month)
  }
  const months: number[] = []
  const again = { checkpoints, names, readers, authors: source.store.authors }
  moving.addSource('a', { ...again, inbox: { generations, chunksOf } })
  await target.create(3).start()
  // It knows exactly what of its window is in the chunks that are here.
  await target.checkpoint()
  copying.open()
  await cells.arrived()
  expect(months).toEqual([FILL_MONTH])
  await cells.cutOver()
  await target.deliver()
  expect(await looked(target)).toEqual({ shown: ['cid:1', 'ann:1'], pulls: 0 })
})
