// `cellfeed serve` as a process of its own: kill -9 loses nothing that was acknowledged, SIGTERM drains, a restart goes on
// where it was, and what is started wrongly says so in one line.

import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Cellfeed, connect } from '../../services/client/connect.ts'
import { isConfigErrors } from '../../services/runtime/flags.ts'
import { parseServeConfig } from '../../services/serve/config.ts'
import { serve } from '../../services/serve/main.ts'
import { ClusterProcess, cliPath, freePorts } from '../../tools/demo/cluster-process.ts'
import { runCli } from './run-cli.ts'

let root: string
let folders = 0
const running = new Set<ClusterProcess>()
const feeds = new Set<Cellfeed>()

beforeAll(async () => {
  if (!existsSync(cliPath)) throw new Error('not built: run make build first')
  root = await mkdtemp(join(tmpdir(), 'cellfeed-serve-'))
})
afterEach(async () => {
  for (const feed of feeds) feed.close()
  for (const cluster of running) await cluster.kill()
  feeds.clear()
  running.clear()
})
afterAll(() => rm(root, { recursive: true, force: true }))

const newFolder = () => join(root, `data-${folders++}`)

async function start(folder: string, flags: string[] = []): Promise<ClusterProcess> {
  const cluster = await ClusterProcess.start({ folder, ports: await freePorts(), flags })
  running.add(cluster)
  return cluster
}

async function ended(cluster: ClusterProcess, how: 'kill' | 'stop'): Promise<number | null> {
  const code = how === 'stop' ? await cluster.stop() : await cluster.kill().then(() => null)
  running.delete(cluster)
  return code
}

/** Nothing is tried again: a write that is told as done was done at the first attempt. */
function feedOf({ address }: { readonly address: string }): Cellfeed {
  const feed = connect(address, { retry: { attemptsMax: 1 } })
  feeds.add(feed)
  return feed
}

async function allTexts(feed: Cellfeed, user: string): Promise<string[]> {
  await feed.seeEverything()
  const texts: string[] = []
  for await (const page of feed.dashboardPages(user, { limit: 200 })) {
    texts.push(...page.posts.map(({ text }) => text))
  }
  return texts
}

/** Publishes until the server is gone; what was acknowledged, in the end. */
async function publishUntilGone(
  feed: Cellfeed,
  author: string,
  { round = 0, enough }: { readonly round?: number; readonly enough: () => void },
): Promise<string[]> {
  const acknowledged: string[] = []
  for (;;) {
    const text = `${author} ${round} ${acknowledged.length}`
    try {
      await feed.publish(author, text)
    } catch {
      return acknowledged
    }
    acknowledged.push(text)
    if (acknowledged.length === 40) enough()
  }
}

describe('kill -9', () => {
  test('in the midst of writes loses nothing that was acknowledged, three times over', async () => {
    const folder = newFolder()
    const authors = Array.from({ length: 8 }, (_, index) => `author-${index}`)
    const acknowledged: string[] = []
    let cluster = await start(folder, ['--checkpoint-interval', '100ms'])
    for (const author of authors) await feedOf(cluster).follow('reader', author)
    for (let round = 0; round < 3; round++) {
      const enough = () => void ended(cluster, 'kill')
      const writers = authors.map((author) =>
        publishUntilGone(feedOf(cluster), author, { round, enough }),
      )
      acknowledged.push(...(await Promise.all(writers)).flat())
      await ended(cluster, 'kill')
      cluster = await start(folder, ['--checkpoint-interval', '100ms'])
    }
    const shown = await allTexts(feedOf(cluster), 'reader')
    const missing = acknowledged.filter((text) => !shown.includes(text))
    expect(missing).toEqual([])
    expect(acknowledged.length).toBeGreaterThan(8 * 40)
    expect(await ended(cluster, 'stop')).toBe(0)
  })

  test('leaves tokens of before good, and ids unique', async () => {
    const folder = newFolder()
    let cluster = await start(folder)
    const before = feedOf(cluster)
    await before.follow('reader', 'author')
    for (let n = 0; n < 30; n++) await before.publish('author', `post ${n}`)
    const first = await before.dashboard('reader', { limit: 10 })
    const tokens = before.consistencyTokens
    await ended(cluster, 'kill')
    cluster = await start(folder)
    const after = feedOf(cluster).session(tokens)
    const late = await after.publish('author', 'late')
    const ids = first.posts.map((post) => post.postId)
    expect(ids).not.toContain(late.postId)
    const older = first.olderPageToken ?? ''
    const second = await after.dashboard('reader', { pageToken: older, limit: 30 })
    expect(second.posts.map(({ text }) => text)).toEqual(
      Array.from({ length: 20 }, (_, n) => `post ${19 - n}`),
    )
    const newer = first.newerPageToken ?? ''
    const top = await after.dashboard('reader', { pageToken: newer, limit: 200 })
    expect(top.posts[0]?.text).toBe('late')
  })
})

test('a cell whose store is lost: the others serve, and its standby takes over', async () => {
  const folder = newFolder()
  const ports = await freePorts()
  const first = await ClusterProcess.start({ folder, ports })
  running.add(first)
  const readers = Array.from({ length: 40 }, (_, i) => `reader-${i}`)
  const feed = feedOf(first)
  for (const reader of readers) await feed.follow(reader, 'author')
  await feed.publish('author', 'hello')
  const { adminAddress } = first
  const admin = connect(first.address, { adminAddress })
  feeds.add(admin)
  await admin.addCell('cell-3')
  const { id } = await admin.moveSlots([{ first: 0, last: 2047 }], 'cell-3')
  const phases = async () => (await admin.moves()).map(({ phase }) => phase)
  await expect.poll(phases, { timeout: 30_000 }).toEqual(['RETIRING'])
  await admin.changeMove(id, 'retire')
  await admin.setStandby('cell-3', 'cell-1')
  await expect.poll(phases, { timeout: 30_000 }).toEqual(['READY'])
  await ended(first, 'kill')
  await rm(join(folder, 'cells', 'cell-3'), { recursive: true })

  const second = await ClusterProcess.start({ folder, ports })
  running.add(second)
  const slots = async () => (await admin.cells()).map((cell) => cell.slots)
  await expect.poll(slots, { timeout: 30_000 }).toEqual([2048, 2048, 0])
  const patient = connect(second.address)
  feeds.add(patient)
  for (const reader of readers) expect(await allTexts(patient, reader)).toEqual(['hello'])
})

describe('SIGTERM', () => {
  test('answers what runs, ends streams, and exits with 0; nothing is lost', async () => {
    const folder = newFolder()
    let cluster = await start(folder)
    const feed = feedOf(cluster)
    await feed.follow('reader', 'author')
    const changes: unknown[] = []
    const watching = (async () => {
      for await (const change of feed.watch('reader')) changes.push(change)
    })().catch((error: unknown) => error)
    let stopped: Promise<number | null> | undefined
    const enough = () => {
      stopped = ended(cluster, 'stop')
    }
    const acknowledged = await publishUntilGone(feed, 'author', { enough })
    expect(await stopped).toBe(0)
    expect(await watching).toMatchObject({ code: 'UNAVAILABLE' })
    expect(changes.length).toBeGreaterThan(0)
    cluster = await start(folder)
    const shown = await allTexts(feedOf(cluster), 'reader')
    expect(acknowledged.filter((text) => !shown.includes(text))).toEqual([])
    expect(new Set(shown).size).toBe(shown.length)
  })

  test('is safe right after the start', async () => {
    const cluster = await start(newFolder())
    expect(await ended(cluster, 'stop')).toBe(0)
  })
})

describe('started wrongly, it says so in one line and exits with 2:', () => {
  const expectRefused = async (
    flags: readonly (string | number)[],
    ...parts: (string | RegExp)[]
  ) => {
    const ran = await runCli(['serve', ...flags.map(String)])
    for (const part of parts) expect(ran.err).toMatch(part)
    expect(ran.err.trimEnd().split('\n')).toHaveLength(1)
    expect(ran.err).toMatch(/^cellfeed: /)
    expect([ran.code, ran.out]).toEqual([2, ''])
  }

  test('bad flags, all of them at once', async () => {
    const flags = ['--cells', '0', '--port', 'x', '--fsync', 'maybe', '--retention', '1w']
    await expectRefused(flags, '--cells', '--port', '--fsync', '--retention')
    await expectRefused(['--shards', '3'], '--shards')
  })

  test.each(['--port', '--admin-port', '--status-port'])('%s is taken', async (flag) => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const taken = typeof address === 'object' && address !== null ? address.port : 0
    const { port, adminPort, statusPort } = await freePorts()
    const ports = { '--port': port, '--admin-port': adminPort, '--status-port': statusPort }
    const flags = Object.entries({ ...ports, [flag]: taken }).flat()
    try {
      await expectRefused(['--data', newFolder(), ...flags], `port ${taken} `, 'is taken', flag)
    } finally {
      await new Promise((resolve) => server.close(resolve))
    }
  })

  const anyPorts = ['--port', 0, '--admin-port', 0]

  test('the folder is in use', async () => {
    const folder = newFolder()
    await start(folder)
    await expectRefused(['--data', folder, ...anyPorts], 'in use')
  })

  test('the folder can not be one', async () => {
    const file = join(root, 'a-file')
    await writeFile(file, '')
    await expectRefused(['--data', file, ...anyPorts], file)
    await expectRefused(['--data', join(file, 'below'), ...anyPorts], file)
  })

  test('the folder is of a newer version', async () => {
    const folder = newFolder()
    await mkdir(folder)
    await writeFile(join(folder, 'format'), '999\n')
    await expectRefused(['--data', folder, ...anyPorts], 'format 999', 'newer')
  })

  test('the folder was made with another number of cells', async () => {
    const folder = newFolder()
    const cluster = await start(folder, ['--cells', '3'])
    expect(await feedOf(cluster).dashboard('a')).toMatchObject({ posts: [] })
    await ended(cluster, 'stop')
    await expectRefused(['--data', folder, '--cells', 2, ...anyPorts], '3 cells', '--cells 3')
    const again = await start(folder)
    expect(await ended(again, 'stop')).toBe(0)
  })
})

test('in this process: it starts, stops, and starts again where it was', async () => {
  const data = newFolder()
  const config = parseServeConfig({ data, port: 0, adminPort: 0, logLevel: 'silent' }, {})
  if (isConfigErrors(config)) throw new Error(config.errors.join('; '))
  const first = await serve(config)
  const { postId } = await feedOf(first).publish('bob', 'hello')
  await first.stop()
  const second = await serve(config)
  try {
    const { posts } = await feedOf(second).dashboard('bob')
    expect(posts.map((post) => [post.postId, post.text])).toEqual([[postId, 'hello']])
  } finally {
    await second.stop()
  }
})
