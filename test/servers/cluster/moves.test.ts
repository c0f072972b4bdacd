// Slots move between processes on Kafka, Cassandra and Redis: to a cell that is added, from one that is killed, and from a dead one.

import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest'
import type { Move } from '../../../services/client/move-calls.ts'
import type { Cellfeed } from '../../../services/client/connect.ts'
import { cliPath } from '../../../tools/demo/cluster-process.ts'
import { ClusterProcesses } from './cluster-processes.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

let cluster: ClusterProcesses
beforeAll(async () => {
  if (!existsSync(cliPath)) throw new Error('not built: run make build first')
  cluster = await ClusterProcesses.start({
    engines: inject('engines'),
    cells: 2,
    cellFlags: { 'checkpoint-interval': '500ms', 'generation-posts': 100, 'window-posts': 1000 },
  })
})
afterAll(() => cluster?.stop())

const readers = ['ann', 'ben', 'cem', 'dan', 'eva', 'fay', 'gus', 'hal', 'ian', 'jon', 'kim', 'leo']
const authors = ['news', 'cats', 'code']

async function texts(feed: Cellfeed, user: string): Promise<string[]> {
  const all: string[] = []
  for await (const page of feed.dashboardPages(user, { limit: 50 })) {
    all.push(...page.posts.map(({ text }) => text))
  }
  return all
}

async function settled(feed: Cellfeed, { id }: Move): Promise<void> {
  for (;;) {
    const move = (await feed.moves()).find((each) => each.id === id)
    if (move?.phase === 'DIFFERS') throw new Error(move.detail)
    if (move === undefined || move.phase === 'RETIRING') return
    await setTimeout(50)
  }
}

async function expectWhole(feed: Cellfeed, written: readonly string[]): Promise<void> {
  await feed.seeEverything()
  const newestFirst = [...written].reverse()
  for (const reader of readers) expect(await texts(feed, reader)).toEqual(newestFirst)
}

async function serving(feed: Cellfeed, cells: number): Promise<void> {
  for (;;) {
    const all = await feed.cells()
    if (all.filter(({ state }) => state === 'SERVING').length === cells) return
    await setTimeout(100)
  }
}

test('users move to a cell that is added, through kills, and away from one that is dead', async () => {
  const feed = cluster.connect({ retry: { attemptsMax: 20 } })
  for (const reader of readers) for (const author of authors) await feed.follow(reader, author)
  const written: string[] = []
  const publish = async (text: string) => {
    await feed.publish(authors[written.length % authors.length] ?? '', text)
    written.push(text)
  }
  for (let i = 0; i < 150; i++) await publish(`post ${i}`)
  await expectWhole(feed, written)

  const added = await cluster.run('cells', 'add', 'cell-3')
  expect(added).toMatchObject({
    code: 0,
    out: 'cell-3 is added\ncell-3 does not run: never announced itself: start it with "cellfeed cell --name cell-3"\n',
  })
  expect((await cluster.init([])).code).toBe(0)
  const third = await cluster.another('cell-3')
  await third.start()
  await serving(feed, 3)

  const there = await feed.moveSlots([{ first: 1024, last: 2047 }], 'cell-3')
  await publish('while it moves')
  await feed.unfollow('ann', 'nobody')
  await settled(feed, there)
  await expectWhole(feed, written)
  const homes = await Promise.all(readers.map((reader) => feed.placement(reader)))
  expect(homes.map(({ user }) => user?.cell)).toContain('cell-3')

  // Else the slots would go back while the new cell is down.
  await feed.changeMove(there.id, 'retire')
  await third.restart()
  await serving(feed, 3)
  await publish('after the new cell was killed')
  await expectWhole(feed, written)

  await cluster.cell('cell-2').kill()
  const away = await feed.moveSlots([{ first: 2048, last: 4095 }], 'cell-3')
  await publish('while cell-2 is dead')
  await settled(feed, away)
  await expectWhole(feed, written)
  await cluster.cell('cell-2').start()
  await serving(feed, 3)
  await publish('with a cell that came back and owns nothing')
  await expectWhole(feed, written)
  const cells = await feed.cells()
  expect(cells.map(({ slots }) => slots)).toEqual([1024, 0, 3072])
})
