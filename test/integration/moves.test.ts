// Slots move between the processes of a cluster while their users read, page, watch and write.

import { setMaxListeners } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import type { Move } from '../../services/client/move-calls.ts'
import { type Cellfeed, connect } from '../../services/client/connect.ts'
import { addressOf, ProcessCluster } from './process-cluster.ts'

const clusters: ProcessCluster[] = []
const feeds: Cellfeed[] = []
afterEach(async () => {
  for (const feed of feeds.splice(0)) feed.close()
  await Promise.all(clusters.splice(0).map((cluster) => cluster.stop()))
})

const readers = Array.from({ length: 12 }, (_, i) => `reader-${i}`)
const authors = Array.from({ length: 5 }, (_, i) => `author-${i}`)
/** All slots that cell-1 owns in a cluster of two. */
const ALL = [{ first: 0, last: 2047 }]

async function started(
  options: { readonly direct?: boolean } = {},
): Promise<Cellfeed & { readonly cluster: ProcessCluster }> {
  const cluster = new ProcessCluster()
  clusters.push(cluster)
  await cluster.setUp(2)
  await Promise.all([cluster.cell('cell-1'), cluster.cell('cell-2')])
  const [gateway, controller, router] = await Promise.all([
    cluster.gateway(),
    cluster.controller(),
    cluster.router(),
  ])
  const feed = connect(addressOf(gateway), {
    adminAddress: addressOf(controller),
    routerAddress: addressOf(router),
    ...options,
  })
  feeds.push(feed)
  for (const reader of readers) for (const author of authors) await feed.follow(reader, author)
  for (const author of authors) await feed.publish(author, `${author} before`)
  return Object.assign(feed, { cluster })
}

async function isIn(feed: Cellfeed, { id }: Move, phase: Move['phase']): Promise<boolean> {
  const move = (await feed.moves()).find((each) => each.id === id)
  if (move === undefined) throw new Error(`the move is over before it is ${phase}`)
  if (move.phase === 'DIFFERS') throw new Error(move.detail)
  return move.phase === phase
}

async function reachesPhase(feed: Cellfeed, move: Move, phase: Move['phase']): Promise<void> {
  while (!(await isIn(feed, move, phase))) await setTimeout(20)
}

/** All texts of a dashboard, read in small pages. */
async function textsOf(feed: Cellfeed, reader: string): Promise<string[]> {
  const texts: string[] = []
  let pageToken: string | undefined
  do {
    const page = await feed.dashboard(reader, { limit: 3, ...(pageToken && { pageToken }) })
    texts.push(...page.posts.map(({ text }) => text))
    pageToken = page.olderPageToken
  } while (pageToken !== undefined)
  return texts
}

const slotsOf = async (feed: Cellfeed) => (await feed.cells()).map(({ slots }) => slots)

const WAYS = [
  ['through the gateway', {}],
  ['straight from the cells', { direct: true }],
] as const

test.for(WAYS)('nobody notices a move who reads %s', async ([, options]) => {
  const feed = await started(options)
  expect(await slotsOf(feed)).toEqual([2048, 2048])
  const move = await feed.moveSlots(ALL, 'cell-2')
  let written = 0
  for (let left = 2; left > 0; ) {
    const text = `while ${written}`
    await feed.publish(authors[written++ % authors.length] ?? '', text)
    for (const reader of readers) {
      const texts = await textsOf(feed, reader)
      expect(texts).toHaveLength(authors.length + written)
      expect(texts[0]).toBe(text)
    }
    if (await isIn(feed, move, 'RETIRING')) left--
  }
  expect(await slotsOf(feed)).toEqual([0, 4096])
  for (const reader of readers) {
    expect(await textsOf(feed, reader)).toHaveLength(authors.length + written)
  }
})

/** What a watch of the reader was told so far. */
function watchOf(feed: Cellfeed, reader: string, signal: AbortSignal) {
  const seen = new Set<string>()
  const resets: string[] = []
  let opened = (): void => {}
  const isOpen = new Promise<void>((resolve) => {
    opened = resolve
  })
  const ended = (async () => {
    for await (const change of feed.watch(reader, { signal })) {
      if (change.kind === 'heartbeat') opened()
      if (change.kind === 'added') seen.add(change.post.text)
      if (change.kind === 'reset') resets.push(change.reason)
    }
  })().catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  return { seen, resets, isOpen, ended }
}

test.for(WAYS)(
  'whoever watches %s is told everything while they move and go back, and never to list anew',
  async ([, options]) => {
    const feed = await started(options)
    const ending = new AbortController()
    setMaxListeners(readers.length + 1, ending.signal)
    const watches = readers.map((reader) => watchOf(feed, reader, ending.signal))
    await Promise.all(watches.map(({ isOpen }) => isOpen))
    const move = await feed.moveSlots(ALL, 'cell-2')
    const written: string[] = []
    const publish = async () => {
      const text = `watched ${written.length}`
      await feed.publish(authors[written.length % authors.length] ?? '', text)
      written.push(text)
      await setTimeout(10)
    }
    for (let left = 20; left > 0; ) {
      await publish()
      if (await isIn(feed, move, 'RETIRING')) left--
    }
    await feed.changeMove(move.id, 'roll-back')
    for (let left = 20; left > 0; left--) await publish()
    while (!watches.every(({ seen }) => written.every((text) => seen.has(text)))) {
      await setTimeout(20)
    }
    ending.abort()
    await Promise.all(watches.map(({ ended }) => ended))
    expect(watches.flatMap(({ resets }) => resets)).toEqual([])
  },
)

test('what is moved can be taken back, and moved again', async () => {
  const feed = await started()
  const first = await feed.moveSlots(ALL, 'cell-2')
  await reachesPhase(feed, first, 'RETIRING')
  await feed.unfollow('reader-0', 'author-0')
  await feed.publish('author-1', 'at cell-2')
  await feed.changeMove(first.id, 'roll-back')
  expect(await slotsOf(feed)).toEqual([2048, 2048])
  for (const reader of readers) {
    const texts = await textsOf(feed, reader)
    expect(texts).toContain('at cell-2')
    expect(texts).toHaveLength(authors.length + (reader === 'reader-0' ? 0 : 1))
  }
  const again = await feed.moveSlots(ALL, 'cell-2')
  await reachesPhase(feed, again, 'RETIRING')
  const { authors: followed } = await feed.following('reader-0')
  expect(followed.map(({ authorId }) => authorId).sort()).toEqual(authors.slice(1))
  expect(await textsOf(feed, 'reader-0')).toHaveLength(authors.length)
})

test('a cell that is added takes slots, and can be removed when they are gone', async () => {
  const feed = await started()
  expect(await feed.addCell('cell-3')).toBe(true)
  expect(await feed.addCell('cell-3')).toBe(false)
  await feed.cluster.cell('cell-3')
  const third = [{ first: 1024, last: 2047 }]
  const there = await feed.moveSlots(third, 'cell-3')
  await reachesPhase(feed, there, 'RETIRING')
  expect(await slotsOf(feed)).toEqual([1024, 2048, 1024])
  await feed.publish('author-2', 'with three cells')
  for (const reader of readers) {
    expect((await textsOf(feed, reader))[0]).toBe('with three cells')
  }
  await expect(feed.removeCell('cell-3')).rejects.toThrow('cell-3 owns slots')
  await feed.changeMove(there.id, 'roll-back')
  expect(await feed.removeCell('cell-3')).toBe(true)
  expect(await slotsOf(feed)).toEqual([2048, 2048])
})

test('a move that can not be is refused with the reason', async () => {
  const feed = await started()
  const refusals = [
    [ALL, 'cell-9', 'there is no cell cell-9'],
    [ALL, 'cell-1', 'cell-1 owns slot 0 already'],
    [[{ first: 2000, last: 2100 }], 'cell-2', 'slot 2048'],
    [[], 'cell-2', 'no slot is named'],
  ] as const
  for (const [slots, to, reason] of refusals) {
    await expect(feed.moveSlots(slots, to)).rejects.toThrow(reason)
  }
  await expect(feed.changeMove(5, 'abort')).rejects.toThrow('there is no move 5')
})

test('followers are listed once, whichever cell they live in', async () => {
  const feed = await started()
  const listed = async () => [...(await feed.followers('author-0')).followerIds].sort()
  const all = [...readers].sort()
  expect(await listed()).toEqual(all)
  const move = await feed.moveSlots(ALL, 'cell-2')
  await reachesPhase(feed, move, 'RETIRING')
  expect(await listed()).toEqual(all)
})
