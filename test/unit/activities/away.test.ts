// Readers who have been away for long are not in memory; whatever they or others do, nobody sees a difference.

import { expect, test } from 'vitest'
import { DELIVERY_POLICY } from '../../../cells/model/delivery-policy.ts'
import { userRef } from '../../../cells/model/user-key.ts'
import { gate, held, HOUR, ok, SECOND, Stage, until } from './stage.ts'
import { TwoCells } from './two-cells.ts'

const DORMANT = 10 * HOUR
const policy = { ...DELIVERY_POLICY, dwellMs: 0, dormantMs: DORMANT }

/** Bob and Carol follow Ann, who has posted; then nobody has read for long, and they are left out of inboxes. */
async function leftOut(options: Partial<typeof policy> = {}): Promise<Stage> {
  const stage = await Stage.open({ policy: { ...policy, ...options } })
  await stage.follow('bob', 'ann')
  await stage.follow('carol', 'ann')
  await stage.publish('ann', 'old')
  await stage.deliver()
  stage.clock.advance(DORMANT + SECOND)
  await stage.publish('ann', 'new')
  await stage.deliver()
  return stage
}

/** And they have left memory. */
async function dormant(options: Partial<typeof policy> = {}): Promise<Stage> {
  const stage = await leftOut(options)
  await stage.cell.sweep()
  expect(await counts(stage)).toEqual({ readers: 0, readersAway: 3 })
  return stage
}

async function counts({ cell }: Stage) {
  const { readers, readersAway } = await cell.status()
  return { readers, readersAway }
}

test('the first read after long is a whole page, and the reader is back', async () => {
  const stage = await dormant()
  expect(await stage.dashboard('bob')).toEqual(['ann:new', 'ann:old'])
  expect(await counts(stage)).toEqual({ readers: 1, readersAway: 2 })
})

test('what is published while they are away is on their dashboards, in the window or below it', async () => {
  const stage = await dormant()
  await stage.publish('ann', 'while away')
  await stage.deliver()
  await stage.publish('ann', 'in the window')
  const all = ['ann:in the window', 'ann:while away', 'ann:new', 'ann:old']
  expect(await stage.dashboard('bob')).toEqual(all)
  expect(await stage.dashboard('carol', 1)).toEqual(all)
})

test('who comes back is delivered to again when that pays', async () => {
  const stage = await dormant({ mode: 'delivered' })
  expect(await stage.dashboard('bob')).toEqual(['ann:new', 'ann:old'])
  await stage.deliver()
  const before = (await stage.cell.status()).entriesDelivered
  await stage.publish('ann', 'for bob')
  await stage.deliver()
  // Neither Ann nor Carol has come back.
  expect((await stage.cell.status()).entriesDelivered).toBe(before + 1)
  expect(await stage.dashboard('bob')).toEqual(['ann:for bob', 'ann:new', 'ann:old'])
})

test('relations of readers who are away change as those of others do', async () => {
  const stage = await dormant()
  await stage.publish('dan', 'hello')
  await stage.follow('bob', 'dan')
  await stage.hide('muted', 'carol', 'ann')
  await stage.hide('blocked', 'ann', 'bob')
  await stage.applied()
  expect(await stage.dashboard('bob')).toEqual(['dan:hello'])
  expect(await stage.dashboard('carol')).toEqual([])
  await stage.hide('unmuted', 'carol', 'ann')
  expect(await stage.dashboard('carol')).toEqual(['ann:new', 'ann:old'])
})

test('an author who is away stays the reader of their own posts', async () => {
  const stage = await dormant()
  await stage.publish('ann', 'again')
  await stage.applied()
  expect(await counts(stage)).toEqual({ readers: 0, readersAway: 3 })
  expect(await stage.dashboard('ann')).toEqual(['ann:again', 'ann:new', 'ann:old'])
})

test('a list of followers has those who are away, and leaves them there', async () => {
  const stage = await dormant()
  const query = { author: userRef('ann').key, after: undefined, limit: 10 }
  const { followers } = ok(await stage.cell.followersHere(stage.call('bob'), query))
  expect(followers.map(({ id }) => id).sort()).toEqual(['bob', 'carol'])
  expect(await counts(stage)).toEqual({ readers: 0, readersAway: 3 })
})

test('a restart leaves them where they are, and brings back whom an event is about', async () => {
  const stage = await dormant()
  await stage.checkpoint()
  await stage.follow('bob', 'dan')
  await stage.publish('dan', 'hello')
  await stage.applied()
  await stage.restart()
  await stage.applied()
  // Bob and Dan are here.
  expect(await counts(stage)).toEqual({ readers: 2, readersAway: 2 })
  expect(await stage.dashboard('carol')).toEqual(['ann:new', 'ann:old'])
  expect(await stage.dashboard('bob')).toEqual(['dan:hello', 'ann:new', 'ann:old'])
})

test('whom a restart leaves away no late row of an earlier process brings back covered', async () => {
  const stage = await dormant({ mode: 'delivered' })
  const late = held()
  await stage.page('bob')
  await stage.deliver()
  stage.hooks.set('readers.put', late.hook)
  // That Bob is delivered to again is on its way when the cell dies; long after, it lands.
  void stage.cell.checkpoint().catch(() => undefined)
  await until(() => late.calls.length > 0)
  stage.clock.advance(DORMANT + SECOND)
  await stage.restart()
  expect((await counts(stage)).readersAway).toBe(3)
  for (const land of late.calls) await land()
  await stage.publish('ann', 'after that')
  await stage.deliver()
  expect(await stage.dashboard('bob')).toEqual(['ann:after that', 'ann:new', 'ann:old'])
})

test('who is seldom seen becomes dormant however often the cell starts', async () => {
  const stage = await Stage.open({ policy })
  await stage.follow('bob', 'ann')
  await stage.follow('carol', 'ann')
  await stage.publish('ann', 'old')
  await stage.deliver()
  await stage.checkpoint()
  for (let day = 1; day <= 3; day++) {
    stage.clock.advance(DORMANT / 3 + SECOND)
    await stage.page('carol')
    await stage.checkpoint()
    await stage.restart()
  }
  await stage.publish('ann', 'new')
  await stage.deliver()
  await stage.cell.sweep()
  expect(await counts(stage)).toEqual({ readers: 1, readersAway: 2 })
  expect(await stage.dashboard('bob')).toEqual(['ann:new', 'ann:old'])
})

test('what others do about those who are away keeps nobody', async () => {
  const stage = await dormant()
  await stage.unfollow('bob', 'dan')
  await stage.hide('blocked', 'dan', 'bob')
  await stage.applied()
  // Dan has come, and Bob is brought to be told.
  expect(await counts(stage)).toEqual({ readers: 2, readersAway: 2 })
  await stage.deliver()
  await stage.cell.sweep()
  expect(await counts(stage)).toEqual({ readers: 1, readersAway: 3 })
})

test('an operator who asks about a reader is not the reader', async () => {
  const stage = await dormant()
  const query = { after: undefined, limit: 10 }
  const bob = ok(await stage.cell.relations(stage.call('bob'), query))
  expect(bob.related).toHaveLength(1)
  expect(await counts(stage)).toEqual({ readers: 1, readersAway: 2 })
  await stage.cell.sweep()
  expect(await counts(stage)).toEqual({ readers: 0, readersAway: 3 })
})

test('whose row a successor of the process has dropped: it hears of the successor', async () => {
  const stage = await dormant()
  await stage.store.checkpoints.claim(99)
  for (const { slot, term } of await stage.store.readers.reach()) {
    await stage.store.readers.dropTerm({ slot, term })
  }
  await expect(stage.page('bob')).rejects.toThrow('taken over')
  const query = { author: userRef('ann').key, after: undefined, limit: 9 }
  await expect(stage.cell.followersHere(stage.call('ann'), query)).rejects.toThrow('taken over')
})

test('who changes while others are let go stays', async () => {
  const stage = await leftOut()
  const rows = gate()
  stage.hooks.set('checkpoints.put', rows.hook)
  const swept = stage.cell.sweep()
  await until(() => rows.waiting > 0)
  await stage.follow('bob', 'dan')
  await stage.applied()
  rows.open()
  await swept
  expect(await counts(stage)).toEqual({ readers: 1, readersAway: 2 })
  await stage.publish('dan', 'hello')
  expect(await stage.dashboard('bob')).toEqual(['dan:hello', 'ann:new', 'ann:old'])
})

test('who is blocked while others are let go is blocked', async () => {
  const stage = await leftOut()
  const rows = gate()
  stage.hooks.set('checkpoints.put', rows.hook)
  const swept = stage.cell.sweep()
  await until(() => rows.waiting > 0)
  await stage.hide('blocked', 'ann', 'bob')
  await stage.applied()
  rows.open()
  await swept
  expect(await stage.dashboard('bob')).toEqual([])
})

test('an inbox has an author until the row that says otherwise is durable', async () => {
  const options = { windowPostsMax: 4, policy: { ...policy, mode: 'delivered' } as const }
  const stage = await Stage.open(options)
  await stage.follow('bob', 'ann')
  await stage.publish('ann', 'old')
  await stage.deliver()
  await stage.checkpoint()
  stage.clock.advance(DORMANT + SECOND)
  await stage.publish('ann', '1')
  await stage.applied()
  const rows = gate()
  stage.hooks.set('readers.put', rows.hook)
  void stage.cell.writeGeneration().catch(() => undefined)
  await until(() => rows.waiting > 0)
  // The window is full: what it holds goes into inboxes now.
  for (const text of ['2', '3', '4', '5']) await stage.publish('ann', text)
  await stage.applied()
  await stage.restart()
  const all = ['ann:5', 'ann:4', 'ann:3', 'ann:2', 'ann:1', 'ann:old']
  expect(await stage.dashboard('bob')).toEqual(all)
  await stage.deliver()
  expect(await stage.dashboard('bob')).toEqual(all)
})

test('who reads, or watches, stays', async () => {
  const stage = await Stage.open({ policy })
  await stage.follow('bob', 'ann')
  await stage.follow('carol', 'ann')
  await stage.publish('ann', 'old')
  await stage.deliver()
  const ending = new AbortController()
  ok(await stage.cell.watch(stage.call('carol', ending.signal)))
  stage.clock.advance(DORMANT + SECOND)
  await stage.page('bob')
  await stage.publish('ann', 'new')
  await stage.deliver()
  await stage.cell.sweep()
  expect(await counts(stage)).toEqual({ readers: 2, readersAway: 1 })
  ending.abort()
  await stage.cell.sweep()
  expect(await counts(stage)).toEqual({ readers: 2, readersAway: 1 })
  stage.clock.advance(DORMANT + SECOND)
  await stage.page('bob')
  await stage.publish('ann', 'newer')
  await stage.deliver()
  await stage.cell.sweep()
  expect(await counts(stage)).toEqual({ readers: 1, readersAway: 2 })
})

test('who watches has an inbox, however long ago that began', async () => {
  const stage = await Stage.open({ policy: { ...policy, mode: 'delivered' } })
  await stage.follow('bob', 'ann')
  await stage.follow('carol', 'ann')
  await stage.publish('ann', 'old')
  await stage.deliver()
  const { entriesDelivered } = await stage.cell.status()
  expect(entriesDelivered).toBe(3)
  ok(await stage.cell.watch(stage.call('carol')))
  stage.clock.advance(DORMANT + SECOND)
  await stage.publish('ann', 'new')
  await stage.deliver()
  // Not into Bob's, nor into Ann's own.
  expect((await stage.cell.status()).entriesDelivered).toBe(entriesDelivered + 1)
})

test('a row of an earlier process that lands late makes nobody covered who was left out since', async () => {
  const stage = await dormant({ mode: 'delivered' })
  await stage.page('bob')
  // Not dormant by his row, and left out.
  await stage.checkpoint()
  const late = held()
  stage.hooks.set('readers.put', late.hook)
  // Bob is delivered to again, and his row says so: it is on its way when the cell dies.
  await stage.deliver()
  void stage.cell.checkpoint().catch(() => undefined)
  await until(() => late.calls.length > 0)
  await stage.restart()
  for (const land of late.calls) await land()
  stage.clock.advance(DORMANT + SECOND)
  await stage.publish('ann', 'after that')
  await stage.deliver()
  await stage.checkpoint()
  await stage.restart()
  expect(await stage.dashboard('bob')).toEqual(['ann:after that', 'ann:new', 'ann:old'])
})

test('when readers were seen goes with their slot', async () => {
  const cells = await TwoCells.start(4, { policy: { ...policy, mode: 'delivered' } })
  const { source, target } = cells
  await source.follow('bob', 'ann')
  await source.follow('carol', 'ann')
  await source.publish('ann', 'old')
  await source.deliver()
  source.clock.advance(DORMANT + SECOND)
  await source.page('carol')
  await source.checkpoint()
  await cells.plan()
  await cells.advance({ kind: 'prepared' })
  await cells.arrived()
  await cells.cutOver()
  await source.publish('ann', 'new')
  await target.deliver()
  // Once their follows are in the lists of followers.
  await until(async () => {
    target.clock.advance(SECOND)
    await target.cell.sweep()
    return (await counts(target)).readersAway > 1
  })
  expect(await counts(target)).toEqual({ readers: 1, readersAway: 2 })
  for (const reader of ['bob', 'carol']) {
    expect(await target.dashboard(reader)).toEqual(['ann:new', 'ann:old'])
  }
})

test('whom a standby takes over has been seen by the cell that died', async () => {
  const cells = await TwoCells.start(4, { policy: { ...policy, mode: 'delivered' } })
  const { source, target } = cells
  await source.follow('bob', 'ann')
  await source.publish('ann', 'old')
  await source.deliver()
  await source.checkpoint()
  await cells.plan({ isStandby: true })
  await cells.advance({ kind: 'prepared' })
  await cells.arrived()
  source.clock.advance(DORMANT + SECOND)
  await source.page('bob')
  source.crash()
  await cells.cutOver({ isTakeover: true })
  await target.publish('ann', 'new')
  await target.deliver()
  await target.cell.sweep()
  expect(await counts(target)).toEqual({ readers: 2, readersAway: 0 })
  await target.checkpoint()
  target.crash()
  await target.create(3).start()
  await target.publish('ann', 'newer')
  await target.deliver()
  await target.cell.sweep()
  expect(await counts(target)).toEqual({ readers: 2, readersAway: 0 })
  expect(await target.dashboard('bob')).toEqual(['ann:newer', 'ann:new', 'ann:old'])
})
