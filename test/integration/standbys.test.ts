// A cell that dies has a standby: nobody's dashboard is away for longer than that takes over.

import { setTimeout } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { type Cellfeed, connect } from '../../services/client/connect.ts'
import { addressOf, ProcessCluster } from './process-cluster.ts'

let cluster: ProcessCluster
let feed: Cellfeed
afterEach(async () => {
  feed.close()
  await cluster.stop()
})

const readers = Array.from({ length: 20 }, (_, i) => `reader-${i}`)

async function start(): Promise<void> {
  cluster = new ProcessCluster()
  await cluster.setUp(2)
  await Promise.all([cluster.cell('cell-1'), cluster.cell('cell-2')])
  const [gateway, controller] = await Promise.all([cluster.gateway(), cluster.controller()])
  feed = connect(addressOf(gateway), { adminAddress: addressOf(controller), operator: 'alice' })
  for (const reader of readers) await feed.follow(reader, 'author')
  await feed.publish('author', 'before')
}

async function standbysAre(phase: 'READY' | 'RETIRING'): Promise<void> {
  for (;;) {
    const moves = await feed.moves()
    if (moves.length > 0 && moves.every((move) => move.phase === phase)) return
    await setTimeout(50)
  }
}

async function expectAllShow(texts: readonly string[]): Promise<void> {
  for (const reader of readers) {
    const { posts } = await feed.dashboard(reader)
    expect(posts.map(({ text }) => text)).toEqual(texts)
  }
}

const slotsOf = async () => (await feed.cells()).map(({ slots }) => slots)

test('the standby of a cell that dies owns its users; they come back to it', async () => {
  await start()
  const { moves, readers: copied } = await feed.setStandby('cell-1', 'cell-2')
  const [begun] = moves
  expect(copied).toBeGreaterThan(0n)
  expect(begun).toMatchObject({ from: 'cell-1', to: 'cell-2', isStandby: true })
  await standbysAre('READY')
  await feed.publish('author', 'then')
  await cluster.stopCell('cell-1')
  await standbysAre('RETIRING')
  expect(await slotsOf()).toEqual([0, 4096])
  await feed.publish('author', 'after')
  await expectAllShow(['after', 'then', 'before'])

  await cluster.cell('cell-1')
  const [taken] = await feed.moves()
  // Some time after a cell is back it is given its slots by itself.
  if (taken !== undefined) await feed.changeMove(taken.id, 'roll-back')
  expect(await slotsOf()).toEqual([2048, 2048])
  await expectAllShow(['after', 'then', 'before'])
  const changes = await feed.changes(100)
  expect(changes.map(({ what }) => what).join('\n')).toContain('standby of cell-1: cell-2')
  expect(changes.some(({ by }) => by === 'alice')).toBe(true)
})

test('a cell that lives can be failed over, and without a standby its users are moved', async () => {
  await start()
  const plan = await feed.failOver('cell-1', { dryRun: true })
  expect([plan.takenOver.length, plan.moved.length]).toEqual([0, 1])
  expect(await feed.moves()).toEqual([])
  await feed.setStandby('cell-1', 'cell-2')
  await standbysAre('READY')
  const done = await feed.failOver('cell-1')
  expect([done.takenOver.length, done.moved.length]).toEqual([1, 0])
  expect(await slotsOf()).toEqual([0, 4096])
  await expectAllShow(['before'])
  // Said again.
  expect(await feed.failOver('cell-1')).toMatchObject({ takenOver: [], moved: [], readers: 0n })
  const [back] = (await feed.failOver('cell-2')).moved
  const again = (await feed.failOver('cell-2')).moved.map(({ id }) => id)
  // On its way, or there.
  expect([[back?.id], []]).toContainEqual(again)
  await expect(feed.failOver('cell-9')).rejects.toThrow('there is no cell cell-9')
})
