// A cluster of processes on Kafka, Cassandra and Redis: from a post to a dashboard, through restarts of every process, a drain,
// a process that is replaced and one that stood still.

import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import type { Cellfeed } from '../../../services/client/connect.ts'
import { cliPath } from '../../../tools/demo/cluster-process.ts'
import { ClusterProcesses } from './cluster-processes.ts'

// Processes start in two seconds, on a busy machine in many.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

let cluster: ClusterProcesses
beforeAll(async () => {
  if (!existsSync(cliPath)) throw new Error('not built: run make build first')
  cluster = await ClusterProcesses.start({
    engines: inject('engines'),
    cells: 2,
    cellFlags: { 'checkpoint-interval': '500ms' },
  })
})
afterAll(() => cluster?.stop())

/** Tries again what may be repeated: for reads while a process is started. */
const patient = () => cluster.connect({ retry: { attemptsMax: 20 } })

/** As many users as are surely homed in both cells. */
const readers = ['ann', 'ben', 'cem', 'dan', 'eva', 'fay', 'gus', 'hal']

async function texts(feed: Cellfeed, user: string): Promise<string[]> {
  const all: string[] = []
  for await (const page of feed.dashboardPages(user, { limit: 200 })) {
    all.push(...page.posts.map(({ text }) => text))
  }
  return all
}

/** Asks until the answer is as wanted: a process that starts is there a moment later. */
async function eventually<T>(ask: () => Promise<T>, isWanted: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask().catch((error: unknown) => error as Error)
    if (!(answer instanceof Error) && isWanted(answer)) return answer
    await new Promise((resolve) => {
      setTimeout(resolve, 100)
    })
  }
}

async function everyoneFollows(feed: Cellfeed, author: string): Promise<void> {
  await Promise.all(readers.map((reader) => feed.follow(reader, author)))
}

/** What every reader sees of an author, with everything that was written until now. */
async function shownOf(feed: Cellfeed, author: string): Promise<string[][]> {
  await feed.seeEverything()
  const all = await Promise.all(readers.map((reader) => texts(feed, reader)))
  return all.map((shown) => shown.filter((text) => text.startsWith(author)))
}

test('a post is on the dashboards of users of every cell, as soon as its token is shown', async () => {
  const feed = cluster.connect()
  await everyoneFollows(feed, 'news')
  await feed.publish('news', 'news 1')
  const other = cluster.connect().session(feed.consistencyTokens)
  for (const reader of readers) {
    const { posts } = await other.dashboard(reader)
    expect(posts.map(({ text }) => text)).toEqual(['news 1'])
  }
  const homes = await Promise.all(readers.map((reader) => feed.placement(reader)))
  expect(new Set(homes.map(({ user }) => user?.cell))).toEqual(new Set(['cell-1', 'cell-2']))
})

test('the admin API, health and metrics tell of every cell', async () => {
  const listed = await cluster.run('cells', '--json')
  const cells = listed.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { cell: string; state: string; boot: string })
  expect(cells.map(({ cell, state }) => [cell, state])).toEqual([
    ['cell-1', 'SERVING'],
    ['cell-2', 'SERVING'],
  ])
  expect(new Set(cells.map(({ boot }) => boot)).size).toBe(2)
  for (const process of [...cluster.cells, cluster.gateway, cluster.controller, cluster.router]) {
    expect(await process.status('/healthz')).toMatchObject({ code: 200 })
    expect(await process.status('/healthz/ready')).toEqual({ code: 200, text: 'ready\n' })
  }
  const { text } = await cluster.cell('cell-1').status('/metrics')
  expect(text).toMatch(/cellfeed_cell_lease_held\{cell="cell-1"\} 1/)
  expect(text).toMatch(/cellfeed_cache_up 1/)
  expect(text).toMatch(/cellfeed_firehose_dead_letters 0/)
  expect(text).toMatch(/nodejs_eventloop_lag_p99_seconds/)
})

test('clients may read from the cells themselves, where the router says', async () => {
  const reads = async () => {
    const pages = await Promise.all(cluster.cells.map((cell) => cell.status('/metrics')))
    return pages.map(({ text }) => {
      const [, count = '0'] =
        /cellfeed_calls_total\{method="ListDashboard",code="OK"\} (\d+)/.exec(text) ?? []
      return Number(count)
    })
  }
  const before = await reads()
  const feed = cluster.connect({ direct: true })
  await everyoneFollows(feed, 'direct')
  await feed.publish('direct', 'direct 1')
  for (const shown of await shownOf(feed, 'direct')) expect(shown).toEqual(['direct 1'])
  const after = await reads()
  const added = after.map((count, at) => count - (before[at] ?? 0))
  expect(added.every((count) => count > 0)).toBe(true)
})

test('the firehose is replayed from an offset', async () => {
  await cluster.connect().publish('replayed', 'replayed 1')
  const all = await cluster.run('firehose', '--from', 'earliest', '--limit', '9', '--json')
  const events = all.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { partition: number; offset: string; kind: string })
  expect(events).toHaveLength(9)
  const last = events.at(-1)
  const from = `${last?.partition}:${last?.offset}`
  const again = await cluster.run('firehose', '--from', from, '--limit', '1', '--json')
  expect(JSON.parse(again.out)).toMatchObject({ ...last })
})

describe('restarts', () => {
  test('kill -9 of a cell loses nothing, and nobody of the other cell notices', async () => {
    const feed = cluster.connect()
    await everyoneFollows(feed, 'before')
    const written = Array.from({ length: 30 }, (_, at) => `before ${at}`)
    for (const text of written) await feed.publish('before', text)
    const killed = cluster.cell('cell-1')
    const starting = killed.restart()
    const homes = await Promise.all(readers.map((reader) => feed.placement(reader)))
    const elsewhere = readers.filter((_, at) => homes[at]?.user?.cell === 'cell-2')
    for (const reader of elsewhere) {
      expect((await feed.dashboard(reader)).posts.length).toBeGreaterThan(0)
    }
    await starting
    await eventually(
      () => feed.cells(),
      (cells) => cells.every(({ state }) => state === 'SERVING'),
    )
    for (const shown of await shownOf(patient(), 'before')) {
      expect(shown).toEqual([...written].reverse())
    }
  })

  test('a gateway drains, and another start goes on with the same tokens', async () => {
    const before = cluster.connect()
    await before.follow('ann', 'drained')
    await before.publish('drained', 'drained 1')
    const first = await before.dashboard('ann', { limit: 1 })
    const ended = await cluster.gateway.stop()
    expect(ended).toMatchObject({ code: 0 })
    expect(ended?.err).toContain('SIGTERM: draining; again to stop at once')
    await cluster.gateway.start()
    const after = patient().session(before.consistencyTokens)
    const [newest] = (await after.dashboard('ann', { limit: 1 })).posts
    expect(newest?.text).toBe('drained 1')
    const older = await after.dashboard('ann', { pageToken: first.olderPageToken ?? '' })
    expect(older.posts.map(({ text }) => text)).not.toContain('drained 1')
    // Once it has heard from all cells.
    await eventually(
      () => cluster.gateway.status('/healthz/ready'),
      ({ code }) => code === 200,
    )
  })

  test('a controller is no part of reading or writing', async () => {
    expect(await cluster.controller.stop()).toMatchObject({ code: 0 })
    await patient().publish('news', 'news without a controller')
    await cluster.controller.start()
    expect((await cluster.run('cells')).code).toBe(0)
  })

  test('a cell that stops in order says so, and is found again when it starts', async () => {
    const cell = cluster.cell('cell-2')
    expect(await cell.stop()).toMatchObject({ code: 0 })
    // Once the controller has heard of it.
    const listed = await eventually(
      () => cluster.run('cells'),
      ({ out }) => /cell-2 +unreachable .*stopped in order/.test(out),
    )
    expect(listed.code).toBe(1)
    const feed = cluster.connect()
    const refused = await Promise.allSettled(readers.map((reader) => feed.dashboard(reader)))
    const codes = refused.flatMap((answer) =>
      answer.status === 'rejected' ? [(answer.reason as { reason: string }).reason] : [],
    )
    expect(new Set(codes)).toEqual(new Set(['CELL_UNAVAILABLE']))
    expect(codes.length).toBeLessThan(readers.length)
    await cell.start()
    await eventually(
      () => feed.cells(),
      (cells) => cells.every(({ state }) => state === 'SERVING'),
    )
    await eventually(
      () => Promise.all(readers.map((reader) => feed.dashboard(reader))),
      (pages) => pages.length === readers.length,
    )
  })
})

describe('one process for each cell', () => {
  test('one that stood still shows what came meanwhile, without any token', async () => {
    const feed = cluster.connect()
    await everyoneFollows(feed, 'meanwhile')
    const cell = cluster.cell('cell-1')
    cell.pause()
    await cluster.connect().publish('meanwhile', 'meanwhile 1')
    // Longer than its lease of 3 s.
    await new Promise((resolve) => {
      setTimeout(resolve, 4_000)
    })
    cell.resume()
    const fresh = patient()
    const pages = await Promise.all(readers.map((reader) => texts(fresh, reader)))
    for (const shown of pages) expect(shown).toContain('meanwhile 1')
    expect(await cell.status('/healthz/ready')).toMatchObject({ code: 200 })
  })

  test('a second one takes over; the first says who did, and ends', async () => {
    const first = cluster.cell('cell-2')
    const { ended } = first
    const second = await cluster.another('cell-2')
    await second.start()
    const end = await ended
    expect(end.code).toBe(1)
    expect(end.err).toMatch(
      new RegExp(
        `cell-2 was taken over by boot \\d+ at ${second.address}: this process has to end`,
      ),
    )
    const feed = patient()
    await everyoneFollows(feed, 'moved')
    await feed.publish('moved', 'moved 1')
    for (const shown of await shownOf(feed, 'moved')) expect(shown).toEqual(['moved 1'])
    await second.stop()
    await first.start()
  })

  test('one that was replaced while it stood still ends before it answers anything', async () => {
    const first = cluster.cell('cell-1')
    const { ended } = first
    first.pause()
    const second = await cluster.another('cell-1')
    await second.start()
    const feed = patient()
    await everyoneFollows(feed, 'zombie')
    await feed.publish('zombie', 'zombie 1')
    first.resume()
    const end = await ended
    expect(end.code).toBe(1)
    expect(end.err).toContain(`at ${second.address}: this process has to end`)
    for (const shown of await shownOf(feed, 'zombie')) expect(shown).toEqual(['zombie 1'])
    await second.stop()
    await first.start()
  })
})
