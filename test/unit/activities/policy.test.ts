// Classes by cost, in a whole cell: they follow what is posted and read, durably, and no dashboard shows it.

import { expect, test } from 'vitest'
import { COSTS_EXPECTED } from '../../../cells/model/costs.ts'
import { DELIVERY_POLICY, entryCostUs } from '../../../cells/model/delivery-policy.ts'
import type { PostId } from '../../../cells/model/post-id.ts'
import { userRef } from '../../../cells/model/user-key.ts'
import { HOUR, ok, SECOND, Stage } from './stage.ts'

const policy = { ...DELIVERY_POLICY, dwellMs: 60 * SECOND, rateMs: HOUR, priorReadMs: 1_000 * HOUR }
const costs = { entryUs: 0.1, entryBytes: 0, pullUs: 100 }

/** Ann posts much more than Bob, who follows her, reads. */
async function prolific(stage: Stage, posts = 50): Promise<string[]> {
  const all: string[] = []
  for (let i = 0; i < posts; i++) {
    stage.clock.advance(10 * SECOND)
    await stage.publish('ann', `${i}`)
    all.unshift(`ann:${i}`)
  }
  return all
}

async function classOf(stage: Stage): Promise<string> {
  const post = { author: userRef('ann').key, postId: 1n as PostId }
  const { authorPulled } = ok(await stage.cell.explain(stage.call('bob'), post))
  return authorPulled ? 'pulled' : 'delivered'
}

test('says what decides of a reader and an author, and how the reader is served', async () => {
  const stage = await Stage.open({ policy, costs })
  await stage.follow('bob', 'ann')
  const why = async (viewer: string) => {
    const post = { author: userRef('ann').key, postId: 1n as PostId }
    return ok(await stage.cell.explain(stage.call(viewer), post))
  }
  expect((await why('bob')).pairFigures).toBeUndefined()
  await prolific(stage)
  await stage.deliver()
  const { pairFigures: pair, readerClass } = await why('bob')
  expect(readerClass).toBe('regular')
  expect(pair?.deliveredUs).toBeCloseTo(
    entryCostUs({ ...COSTS_EXPECTED, ...costs }, policy) * (pair?.postsPerS ?? 0),
    9,
  )
  expect(pair?.pulledUs).toBeCloseTo(costs.pullUs * (pair?.pullsPerS ?? 0), 9)
  expect(pair?.pullsPerS).toBeLessThan(pair?.readsPerS ?? 0)
  expect(pair?.pullsPerS).toBeGreaterThan(0.9 * (pair?.readsPerS ?? 0))
  const before = pair?.readsPerS ?? 0
  for (let page = 0; page < 20; page++) await stage.page('bob')
  expect((await why('bob')).pairFigures?.readsPerS).toBeGreaterThan(before)
  expect(await stage.cell.status()).toMatchObject({ readsInWindow: 0, readsBelowInbox: 20 })
  ok(await stage.cell.watch(stage.call('bob')))
  expect((await why('bob')).readerClass).toBe('watcher')
  expect(await why('nobody')).toMatchObject({ pairFigures: undefined, readerClass: undefined })
})

test('an author whom nobody reads below the window is pulled, and delivered when that is read often', async () => {
  const stage = await Stage.open({ policy, costs })
  await stage.follow('bob', 'ann')
  const all = await prolific(stage)
  await stage.deliver()
  expect(await classOf(stage)).toBe('pulled')
  expect((await stage.cell.status()).entriesDelivered).toBe(0)
  for (let reads = 0; reads < 30; reads++) expect(await stage.dashboard('bob')).toEqual(all)
  stage.clock.advance(61 * SECOND)
  await stage.deliver()
  expect(await classOf(stage)).toBe('delivered')
  const more = [...(await prolific(stage, 3)), ...all]
  await stage.deliver()
  // Not into Ann's own inbox: she reads nothing.
  expect((await stage.cell.status()).entriesDelivered).toBe(3)
  expect(await stage.dashboard('ann')).toEqual(more)
  expect(await stage.dashboard('bob')).toEqual(more)
})

test('a class outlives a restart, and the dashboard with it', async () => {
  const stage = await Stage.open({ policy, costs })
  await stage.follow('bob', 'ann')
  const all = await prolific(stage)
  await stage.deliver()
  await stage.checkpoint()
  await stage.restart()
  expect(await classOf(stage)).toBe('pulled')
  expect(await stage.dashboard('bob')).toEqual(all)
})

test('what may not change yet is told as it is', async () => {
  const stage = await Stage.open({ policy, costs })
  await stage.follow('bob', 'ann')
  const all = await prolific(stage, 5)
  await stage.deliver()
  // Ann has her own, too.
  expect(await stage.cell.status()).toMatchObject({ pairsLeftOut: 0, entriesDelivered: 10 })
  stage.clock.advance(policy.dwellMs)
  await stage.deliver()
  expect((await stage.cell.status()).pairsLeftOut).toBe(0)
  expect(await classOf(stage)).toBe('pulled')
  expect(await stage.dashboard('bob')).toEqual(all)
})

test('no more authors are pulled than may be', async () => {
  const stage = await Stage.open({ policy: { ...policy, pulledMax: 0 }, costs })
  await stage.follow('bob', 'ann')
  await prolific(stage)
  await stage.deliver()
  expect(await classOf(stage)).toBe('delivered')
})

test('an operator delivers everyone, or pulls everyone', async () => {
  for (const mode of ['delivered', 'pulled'] as const) {
    const stage = await Stage.open({ policy: { ...policy, mode }, costs })
    await stage.follow('bob', 'ann')
    await prolific(stage, 3)
    await stage.deliver()
    expect(await classOf(stage)).toBe(mode)
  }
})
