// The tour's steps about cells: one is added and takes its part while people read and watch; it is lost with everything it has.

import { setMaxListeners } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { duration } from '../../services/cli/human-time.ts'
import { count } from '../../services/cli/print.ts'
import type { Cellfeed } from '../../services/client/connect.ts'
import type { ClusterProcess } from './cluster-process.ts'
import type { Graph } from './graph.ts'
import { inParallel } from './in-parallel.ts'
import { compareWithModel } from './reading.ts'
import { claim, command, result } from './tour.ts'

const NEW = 'cell-3'
const STANDBY = 'cell-1'
const PATIENCE_MS = 30_000
const WATCHERS = 20

/** While everyone's dashboard is read over and over, and some are watched. */
export async function addCell(
  cluster: ClusterProcess,
  feed: Cellfeed,
  graph: Graph,
): Promise<void> {
  await command(cluster, ['cells', 'add', NEW])
  await until(async () => (await cellOf(feed))?.state === 'SERVING', `${NEW} does not serve`)
  const [moving, watching] = [new AbortController(), new AbortController()]
  setMaxListeners(WATCHERS + 1, watching.signal)
  const [hub = '', ...others] = graph.byFriends
  const watchers = others.slice(0, WATCHERS).map((person) => watch(feed, person, watching.signal))
  await Promise.all(watchers.map(({ isOpen }) => isOpen))
  const reading = readOverAndOver(feed, graph, moving.signal)
  const publishing = publishNowAndThen(feed, graph, hub, moving.signal)
  await command(cluster, ['rebalance'])
  moving.abort()
  const [{ reads, slowestMs }, published] = await Promise.all([reading, publishing])
  await until(
    async () => watchers.every(({ seen }) => published.every((postId) => seen.has(postId))),
    'a watcher was not shown what was published meanwhile',
  )
  watching.abort()
  await Promise.all(watchers.map(({ ended }) => ended))
  result(
    `meanwhile, as everyone pages down: ${count(reads, 'page')} read, none failed, the slowest in ${duration(slowestMs)};`,
  )
  result(
    `${count(published.length, 'post')} published, each shown to all ${WATCHERS} watchers, wherever they lived`,
  )
}

/** The other cell keeps the users of the new one, too. */
export async function standBy(cluster: ClusterProcess, feed: Cellfeed): Promise<void> {
  // Nobody wants to go back; it would happen by itself within a minute.
  for (const { id } of await feed.moves()) await feed.changeMove(id, 'retire')
  await command(cluster, ['standby', 'set', NEW, STANDBY])
  const isReady = async () => {
    const standbys = await feed.moves()
    return standbys.length > 0 && standbys.every(({ phase }) => phase === 'READY')
  }
  await until(isReady, 'the standby is not ready')
  await command(cluster, ['standby'])
}

/** Its server was killed: now its disk is gone, too. */
export async function loseDisk(folder: string): Promise<void> {
  await rm(join(folder, 'cells', NEW), { recursive: true })
  result(`the disk of ${NEW} is thrown away, with the inboxes of all who live there`)
}

export async function takenOver(feed: Cellfeed, startedMs: number): Promise<void> {
  await until(async () => (await cellOf(feed))?.slots === 0, `nobody takes over from ${NEW}`)
  const took = duration(performance.now() - startedMs)
  result(`${STANDBY} owns the users of ${NEW} ${took} after the start`)
}

/** Everyone's whole dashboard. */
export async function compareEverybody(feed: Cellfeed, graph: Graph): Promise<void> {
  let posts = 0
  await inParallel(graph.people, 16, async (person) => {
    const names: string[] = []
    for await (const page of feed.dashboardPages(person, { limit: 200 })) {
      names.push(...page.posts.map((post) => `${post.authorId}/${post.postId}`))
    }
    compareWithModel(names, graph, person)
    posts += names.length
  })
  result(
    `all ${count(graph.people.length, 'dashboard')}, to the very end: ${count(posts, 'post')}, none missing, ` +
      'none twice, in order',
  )
}

async function cellOf(feed: Cellfeed) {
  return (await feed.cells()).find(({ cell }) => cell === NEW)
}

function watch(feed: Cellfeed, person: string, signal: AbortSignal) {
  const seen = new Set<string>()
  let open = () => {}
  const isOpen = new Promise<void>((resolve) => {
    open = resolve
  })
  const watching = async () => {
    for await (const change of feed.watch(person, { signal })) {
      open()
      if (change.kind === 'added') seen.add(change.post.postId)
      // It may have missed something: what a client does then is to read again.
      if (change.kind !== 'reset') continue
      const { posts } = await feed.dashboard(person)
      for (const { postId } of posts) seen.add(postId)
    }
  }
  const ended = watching().catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  return { seen, isOpen, ended }
}

/** Everyone pages down their dashboard, and begins again at its end: a page token of before the move is good after it. */
async function readOverAndOver(feed: Cellfeed, graph: Graph, ending: AbortSignal) {
  const pageTokens = new Map<string, string | undefined>()
  let reads = 0
  let slowestMs = 0
  while (!ending.aborted) {
    await inParallel(graph.people, 8, async (person) => {
      if (ending.aborted) return
      const startedMs = performance.now()
      const { olderPageToken } = await feed.dashboard(person, { pageToken: pageTokens.get(person) })
      pageTokens.set(person, olderPageToken)
      slowestMs = Math.max(slowestMs, performance.now() - startedMs)
      reads += 1
    })
  }
  return { reads, slowestMs }
}

async function publishNowAndThen(
  feed: Cellfeed,
  graph: Graph,
  person: string,
  ending: AbortSignal,
) {
  const published: string[] = []
  while (!ending.aborted) {
    const post = await feed.publish(person, `Post ${published.length + 1} while you move house.`)
    graph.published(post)
    published.push(post.postId)
    await wait(200)
  }
  return published
}

async function until(holds: () => Promise<boolean>, otherwise: string): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS
  while (!(await holds())) {
    claim(performance.now() < endMs, otherwise)
    await wait(50)
  }
}
