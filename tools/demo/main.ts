// `make demo`: a tour of cellfeed on a real graph, in under a minute. Everything happens on a cluster
// of its own, in a temporary folder, on free ports; nothing is left behind.

import { existsSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duration } from '../../services/cli/human-time.ts'
import { bytes, table } from '../../services/cli/print.ts'
import { connect } from '../../services/client/connect.ts'
import { ClusterProcess, cliPath, freePorts, root } from './cluster-process.ts'
import { Graph } from './graph.ts'
import { killAndRestart } from './kill-and-restart.ts'
import { bytesPerEntry, pageToTheEnd, publishToAll, readEveryone, watchOne } from './reading.ts'
import { replayFirehose } from './replay.ts'
import { addCell, compareEverybody, standBy } from './new-cell.ts'
import { BrokenClaim, command, result, step } from './tour.ts'

const graphPath = join('test', 'data', 'epinions-3000.edges.gz')
/** So small that within this minute posts leave the window and come from inboxes. */
const serveFlags = ['--window-posts', '2000', '--generation-posts', '500']

async function tour(folder: string): Promise<void> {
  const startedMs = performance.now()
  const ports = await freePorts()
  const options = { folder, ports, flags: serveFlags }
  console.log('cellfeed: the newest posts of everyone you follow, for everyone, at once.')

  step(
    'A cluster in one process',
    'Two cells, each with all posts and the inboxes of its own users; a firehose; a router; a ' +
      'gateway. Everything is kept in one folder. (Here it is an embedded store; Kafka, Cassandra ' +
      'and Redis go behind the same ports.)',
  )
  let cluster = await ClusterProcess.start(options)
  const feed = connect(cluster.address, {
    adminAddress: cluster.adminAddress,
    // Patient enough to live through the restart below.
    timeoutMs: 30_000,
    retry: { attemptsMax: 200, pauseMaxMs: 100 },
  })
  try {
    result(`ready ${duration(cluster.readyMs)} after its start, at ${cluster.address}`)
    await command(cluster, ['cells'])

    const graph = Graph.read(join(root, graphPath))
    step(
      'A real graph of 3,000 people',
      'soc-Epinions1, who trusts whom; a pair follows each other. Person 14 has 2,999 followers, ' +
        'half of the people have fewer than 16.',
    )
    await command(cluster, ['import', graphPath, '--mutual', '--no-state'])

    step(
      'Everybody publishes',
      'A publish is acknowledged when it is on disk. It costs the same for someone with ten ' +
        'followers and with ten million: the post goes into the log and into memory once, and ' +
        'dashboards are merged from there. Inboxes are written later, in bulk.',
    )
    await publishToAll(feed, graph)

    step(
      'A dashboard, watched while it changes',
      'The one whom everyone follows publishes; the watcher below learns of it at once.',
    )
    await watchOne(cluster, feed, graph)

    step(
      'The post is on all 3,000 dashboards',
      'Everyone reads their first page: the newest post has to be on top of each.',
    )
    const reads = await readEveryone(feed, graph)

    step(
      'To the very end',
      'A dashboard does not end at a cap. Pages are compared with the model: the posts of those ' +
        'whom one follows, newest first, each exactly once.',
    )
    const [hub = '', second = ''] = graph.byFriends
    for (const person of [hub, second]) await pageToTheEnd(feed, graph, person)
    const entryBytes = await bytesPerEntry(cluster)

    step(
      'The firehose, replayed',
      'Everything that changes a dashboard is an event in a log that others may read, too, from any ' +
        'place on. It is also how a cell recovers: a dashboard is nothing but the log, applied.',
    )
    await replayFirehose(cluster, feed, graph)

    step(
      'A cell is added, while everybody reads',
      'It gets its part of the people, in waves that start small: copied from where they live, brought ' +
        'up to date, compared, and only then read from there. Nobody has to notice.',
    )
    await addCell(cluster, feed, graph)

    step(
      'A standby for the new cell',
      'Another cell keeps its people in memory, up to date, and is ready to own them.',
    )
    await standBy(cluster, feed)

    step(
      'kill -9, and a disk is lost',
      'In the midst of publishing the server is killed, without a warning, and started again. What ' +
        'was acknowledged has to be there. What was under way is sent again by the client library, ' +
        'under the ids allocated before: it is there once, not twice. The new cell has lost its disk.',
    )
    cluster = await killAndRestart(cluster, feed, { graph, options })
    await compareEverybody(feed, graph)
    await command(cluster, ['changes', '--limit', '3'])

    step('Why is this post here?', 'Support asks this daily. A cell can say it of every post.')
    const [newest = ''] = graph.dashboardOf(second)
    await command(cluster, ['explain', second, newest])

    console.log(
      `\n${table([
        ['what', 'here'],
        ['posts', graph.postCount.toLocaleString('en-US')],
        ['deliveries (a post on a dashboard)', graph.deliveries.toLocaleString('en-US')],
        ['first page of 20, p50', duration(reads.p50Ms)],
        ['first page of 20, p99', duration(reads.p99Ms)],
        ['inbox, per entry', entryBytes === undefined ? '-' : bytes(entryBytes)],
        ['restart after kill -9, to the first read', duration(cluster.readyMs)],
        ['this tour', duration(performance.now() - startedMs)],
      ])}`,
    )
    console.log('\nNow yours: cellfeed serve, and in another terminal: cellfeed --help')
  } finally {
    feed.close()
    await cluster.stop()
  }
}

if (!existsSync(cliPath)) {
  console.error('demo: cellfeed is not built yet; "make demo" builds it first')
  process.exit(1)
}
const folder = await mkdtemp(join(tmpdir(), 'cellfeed-demo-'))
const removeFolder = () => rmSync(folder, { recursive: true, force: true })
process.once('exit', removeFolder)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    console.error('\ndemo: interrupted; nothing is left behind')
    process.exit(130)
  })
}
try {
  await tour(folder)
} catch (thrown) {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const what = thrown instanceof BrokenClaim ? 'a claim does not hold' : 'it broke off'
  console.error(`\ndemo: ${what}: ${message}`)
  process.exitCode = 1
}
removeFolder()
