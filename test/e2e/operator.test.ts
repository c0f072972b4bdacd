// Cells and moves as operators handle them, also wrongly: the built program against a running server.

import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Cellfeed, connect } from '../../services/client/connect.ts'
import { ClusterProcess, cliPath, freePorts } from '../../tools/demo/cluster-process.ts'
import { runCli } from './run-cli.ts'

let folder: string
let cluster: ClusterProcess
let feed: Cellfeed
beforeAll(async () => {
  if (!existsSync(cliPath)) throw new Error('not built: run make build first')
  folder = await mkdtemp(join(tmpdir(), 'cellfeed-e2e-'))
  cluster = await ClusterProcess.start({ folder: join(folder, 'data'), ports: await freePorts() })
  feed = connect(cluster.address, { adminAddress: cluster.adminAddress })
  await Promise.all(readers.map((reader) => feed.follow(reader, 'author')))
  await feed.publish('author', 'hello')
})
afterAll(async () => {
  feed?.close()
  await cluster?.stop()
  await rm(folder, { recursive: true })
})

const readers = Array.from({ length: 200 }, (_, i) => `reader-${i}`)
const cli = (...argv: string[]) =>
  runCli(argv, { address: cluster.address, adminAddress: cluster.adminAddress })

async function expectAllShown(): Promise<void> {
  for (const reader of readers) {
    expect((await feed.dashboard(reader)).posts.map(({ text }) => text)).toEqual(['hello'])
  }
}

const cells = async () => (await feed.cells()).map(({ cell, slots }) => [cell, slots] as const)
const ownedBy = async (name: string) => (await cells()).find(([cell]) => cell === name)?.[1]

/** Nobody wants to go back. */
async function retireAll(): Promise<void> {
  const retiring = (await feed.moves()).filter(({ phase }) => phase === 'RETIRING')
  for (const { id } of retiring) expect((await cli('moves', 'retire', `${id}`)).code).toBe(0)
}

test('a move is paused, resumed and taken back', async () => {
  const planned = await cli('move', '0-99', 'cell-2')
  const [, id = ''] =
    /^move (\d+): 100 slots \(0-99\) from cell-1 to cell-2: /.exec(planned.out) ?? []
  expect((await cli('moves', 'pause', id)).out).toBe(`move ${id} paused\n`)
  expect((await cli('moves', 'pause', id)).out).toBe(`move ${id} is paused already\n`)
  expect((await cli('moves')).out).toMatch(/paused/)
  expect((await cli('moves', 'resume', id, '--dry-run')).out).toBe(
    `would change: move ${id} resumed\n`,
  )
  expect((await cli('moves', 'resume', id)).code).toBe(0)
  while ((await feed.moves()).some(({ phase }) => phase !== 'RETIRING')) await setTimeout(50)
  expect(await ownedBy('cell-1')).toBe(1948)
  expect((await cli('moves', 'rollback', id)).out).toContain('owner of 100 slots changed')
  expect(await ownedBy('cell-1')).toBe(2048)
  await expectAllShown()
})

test('a standby is set, fails over, and is given up', async () => {
  expect((await cli('standby', 'set', 'cell-1', 'cell-2')).out).toMatch(
    /^cell-2 stands by for cell-1; to copy: 2,048 slots with \d+ users?, .* in memory\n$/,
  )
  const isReady = async () => (await cli('standby')).out.includes('2048   2048')
  while (!(await isReady()));
  expect((await cli('moves', 'watch')).out).toContain('ready')
  const dry = await cli('failover', 'cell-1', '--dry-run')
  expect(dry.out).toMatch(/^at once: 2,048 slots .*\nin all \d+ users?, .* in memory\n$/)
  expect((await cli('failover', 'cell-1')).out).toContain('taken over: 2,048 slots')
  expect((await cli('failover', 'cell-1')).out).toContain('cell-1 owns no slots')
  await expectAllShown()
  const [taken] = await feed.moves()
  expect((await cli('moves', 'rollback', `${taken?.id}`)).code).toBe(0)
  expect(await ownedBy('cell-1')).toBe(2048)
  expect((await cli('standby', 'unset', 'cell-1')).out).toBe('no cell stands by for cell-1\n')
  expect((await cli('standby')).out).toContain('no cell has a standby')
})

test('a user is pinned to another cell, and back', { timeout: 300_000 }, async () => {
  const user = 'alice'
  await feed.follow(user, 'author')
  const home = async () => (await feed.placement(user)).user
  const before = await home()
  const [here = '', there = ''] =
    before?.cell === 'cell-1' ? ['cell-1', 'cell-2'] : ['cell-2', 'cell-1']
  expect((await cli('pin', user, here)).err).toContain(`${user} lives in ${here}`)
  expect((await cli('pin', user, there, '--dry-run')).out).toMatch(/^would move 1 slot/)
  for (const cell of [there, here]) {
    expect((await cli('pin', user, cell)).out).toMatch(/^move \d+: 1 slot/)
    // Said again, it is on the way, or there.
    expect((await cli('pin', user, cell)).out).toMatch(/^move \d+: 1 slot|pinned to .* already/)
    while ((await home())?.cell !== cell) await setTimeout(50)
    await retireAll()
    expect(await home()).toEqual({ cell, slot: 4096, pinned: true })
    await feed.publish(user, `from ${cell}`)
    await feed.follow(user, 'somebody')
    const { posts } = await feed.dashboard(user)
    expect(posts.map(({ text }) => text)).toContain(`from ${cell}`)
  }
  expect((await cli('pin', user, here)).out).toBe(`${user} is pinned to ${here} already\n`)
})

test('a cell is added, gets its part, is drained and removed, and nobody notices', {
  timeout: 300_000,
}, async () => {
  expect((await cli('cells', 'add', 'cell-3', '--dry-run')).out).toMatch(
    /^cell-3 would be added: it takes in all posts, and has no users before "cellfeed rebalance"\nIt would read the firehose from its beginning: [\d,]+ public events?, and what is private\.\n$/,
  )
  expect(await cells()).toHaveLength(2)
  expect((await cli('cells', 'add', 'cell-3')).out).toBe('cell-3 is added\ncell-3 serves\n')
  expect((await cli('cells', 'add', 'cell-3')).out).toBe('cell-3 is there already\ncell-3 serves\n')
  expect((await cli('cells')).code).toBe(0)

  const dry = await cli('rebalance', '--dry-run')
  expect(dry.out).toContain('cell-3  0.00')
  expect(await ownedBy('cell-3')).toBe(0)
  const done = await cli('rebalance')
  expect(done).toMatchObject({ code: 0 })
  expect(done.out).toMatch(/done: \d+ slots/)
  expect(await ownedBy('cell-3')).toBeGreaterThan(30)
  await expectAllShown()
  expect((await cli('cells', 'remove', 'cell-3')).err).toContain('cell-3 owns slots')

  // What is read counts as well, and differs from minute to minute.
  const isEven = async () => (await cli('rebalance')).out.includes('There is nothing to move.')
  do await retireAll()
  while (!(await isEven()))
  const drained = await cli('cells', 'drain', 'cell-3', '--json')
  const events = drained.out.split('\n').filter(Boolean)
  expect(events.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(
    expect.arrayContaining(['plan', 'wave-begins', 'move', 'moved', 'done']),
  )
  expect(await ownedBy('cell-3')).toBe(0)
  await retireAll()
  expect((await cli('cells', 'remove', 'cell-3')).out).toBe('cell-3 is removed\n')
  await expectAllShown()
  const changes = await cli('changes', '--limit', '1000')
  expect(changes.out).toContain('cell-3 removed')
  expect(changes.out).toContain('cell-3 added')
})

test.each([
  [['cells', 'drain'], 2, 'say which cell: cellfeed cells drain <cell>'],
  [['cells', 'explode'], 2, 'Give one of list, add, drain, remove'],
  [['cells', 'drain', 'cell-9'], 1, 'there is no cell cell-9'],
  [['standby', 'set', 'cell-1'], 2, 'cellfeed standby set <cell> <standby>'],
  [['standby', 'set', 'cell-1', 'cell-1'], 1, 'cell-1 can not stand by for itself'],
  [['pin', 'alice', 'cell-9'], 1, 'there is no cell cell-9'],
  [['failover', 'cell-9'], 1, 'there is no cell cell-9'],
  [['moves', 'pause'], 2, 'say which move: cellfeed moves pause <id>'],
  [['moves', 'pause', 'x'], 2, 'Give the number of a move'],
  [['moves', 'resume', '7'], 1, 'there is no move 7'],
  [['move', '9-1', 'cell-2'], 2, 'Slot 1 is below 9'],
  [['changes', '--limit', '0'], 2, 'Give a whole number of 1 or more'],
])('%j is refused in one line', async (argv, code, message) => {
  const ran = await cli(...argv)
  expect(ran.err).toContain(message)
  expect(ran.err.trimEnd().split('\n')).toHaveLength(1)
  expect(ran.code).toBe(code)
})
