// The tour's steps about dashboards: publishing to them, watching one, reading all, paging to the end.

import { once } from 'node:events'
import { duration } from '../../services/cli/human-time.ts'
import { bytes, count } from '../../services/cli/print.ts'
import type { Cellfeed } from '../../services/client/connect.ts'
import type { ClusterProcess } from './cluster-process.ts'
import type { Graph } from './graph.ts'
import { inParallel } from './in-parallel.ts'
import { claim, result, spawnCli } from './tour.ts'

/** Everybody publishes once. */
export async function publishToAll(feed: Cellfeed, graph: Graph): Promise<void> {
  const startedMs = performance.now()
  await inParallel(graph.people, 64, async (person) => {
    graph.published(await feed.publish(person, `I am number ${person}.`))
  })
  const ms = performance.now() - startedMs
  const perSecond = Math.round((graph.postCount / ms) * 1000)
  result(
    `${count(graph.postCount, 'post')} in ${duration(ms)} (${perSecond.toLocaleString('en-US')}/s), ` +
      `on ${count(graph.deliveries, 'place')} of dashboards`,
  )
}

/** One person's dashboard in `cellfeed dashboard --watch`, while the best connected one publishes. */
export async function watchOne(
  cluster: ClusterProcess,
  feed: Cellfeed,
  graph: Graph,
): Promise<void> {
  const [hub = '', watcher = ''] = graph.byFriends
  const text = `Good morning, all ${graph.friendsOf(hub).size.toLocaleString('en-US')} of you.`
  const argv = ['dashboard', watcher, '--watch', '--limit', '2']
  console.log(`   $ cellfeed ${argv.join(' ')}`)
  const child = spawnCli(cluster, argv)
  let output = ''
  let complaints = ''
  let seen = () => {}
  const shown = new Promise<void>((resolve) => {
    seen = resolve
  })
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
    if (output.includes(text)) seen()
  })
  const exited = once(child, 'exit')
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      complaints += chunk.toString()
      if (complaints.includes('Watching')) resolve()
    })
    child.once('exit', () => reject(new Error(`the watch ended: ${complaints.trim()}`)))
  })
  const publishedMs = performance.now()
  graph.published(await feed.publish(hub, text))
  const acknowledgedMs = performance.now()
  await within(10_000, shown, 'the watcher was not shown the post within 10 s')
  const shownMs = performance.now()
  child.kill('SIGINT')
  await exited
  for (const line of output.trim().split('\n')) console.log(`     ${line}`)
  result(
    `acknowledged ${duration(acknowledgedMs - publishedMs)} after it was sent, in the watcher's ` +
      `terminal after ${duration(shownMs - publishedMs)}`,
  )
}

/** Everyone's first page, one after another. */
export async function readEveryone(
  feed: Cellfeed,
  graph: Graph,
): Promise<{ p50Ms: number; p99Ms: number }> {
  const [hub = ''] = graph.byFriends
  const newest = graph.dashboardOf(hub)[0]
  const tookMs: number[] = []
  for (const person of graph.people) {
    const startedMs = performance.now()
    const { posts } = await feed.dashboard(person)
    tookMs.push(performance.now() - startedMs)
    const top = posts[0]
    const isThere = top !== undefined && `${top.authorId}/${top.postId}` === newest
    claim(isThere, `${newest} is not on top of ${person}'s dashboard`)
  }
  tookMs.sort((a, b) => a - b)
  const at = (share: number) => tookMs[Math.floor(tookMs.length * share)] ?? 0
  const [p50Ms, p99Ms] = [at(0.5), at(0.99)]
  result(
    `all ${tookMs.length.toLocaleString('en-US')} of them; a read took ${duration(p50Ms)} (p50), ` +
      `${duration(p99Ms)} (p99), through gRPC`,
  )
  return { p50Ms, p99Ms }
}

/** A person's whole dashboard, compared with the model. */
export async function pageToTheEnd(feed: Cellfeed, graph: Graph, person: string): Promise<void> {
  const startedMs = performance.now()
  const names: string[] = []
  let pages = 0
  for await (const page of feed.dashboardPages(person, { limit: 200 })) {
    pages += 1
    names.push(...page.posts.map((post) => `${post.authorId}/${post.postId}`))
  }
  const ms = performance.now() - startedMs
  compareWithModel(names, graph, person)
  result(
    `person ${person}, who follows ${count(graph.friendsOf(person).size, 'other')}: ` +
      `${count(names.length, 'post')} on ${count(pages, 'page')} in ${duration(ms)}, none missing, none twice`,
  )
}

/** Claims that these posts are what the model says, in its order. */
export function compareWithModel(names: readonly string[], graph: Graph, person: string): void {
  const model = graph.dashboardOf(person)
  const shown = new Set(names)
  const missing = model.filter((name) => !shown.has(name))
  const surplus = names.length - shown.size
  claim(missing.length === 0, `${missing.length} posts are missing for ${person}, as ${missing[0]}`)
  claim(surplus === 0, `${surplus} posts are there twice for ${person}`)
  claim(names.length === model.length, `${person} is shown posts that do not belong there`)
  claim(
    names.every((name, at) => name === model[at]),
    `${person}'s posts are out of order`,
  )
}

/** From the server's own metrics. Undefined if nothing was written into inboxes yet. */
export async function bytesPerEntry(cluster: ClusterProcess): Promise<number | undefined> {
  const metrics = await (await fetch(`${cluster.statusUrl}/metrics`)).text()
  const sumOf = (name: string) =>
    metrics
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  const entries = sumOf('cellfeed_cell_entries_delivered')
  if (entries === 0) return undefined
  const perEntry = sumOf('cellfeed_cell_chunk_bytes') / entries
  result(
    `older posts came from inboxes: ${entries.toLocaleString('en-US')} entries written in bulk so far, ` +
      `${bytes(perEntry)} each`,
  )
  return perEntry
}

async function within(ms: number, event: Promise<void>, otherwise: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), ms)
  })
  const outcome = await Promise.race([event, late])
  clearTimeout(timer)
  claim(outcome !== 'late', otherwise)
}
