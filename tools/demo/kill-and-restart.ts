// The tour's step about kill -9: publishes go on while the server dies and comes back.

import { duration } from '../../services/cli/human-time.ts'
import { count } from '../../services/cli/print.ts'
import type { Cellfeed } from '../../services/client/connect.ts'
import { type ClusterOptions, ClusterProcess } from './cluster-process.ts'
import type { Graph } from './graph.ts'
import { inParallel } from './in-parallel.ts'
import { loseDisk, takenOver } from './new-cell.ts'
import { compareWithModel } from './reading.ts'
import { result } from './tour.ts'

const publishes = 1_500
const killedAfter = 500

/** Returns the cluster that runs then. */
export async function killAndRestart(
  cluster: ClusterProcess,
  feed: Cellfeed,
  run: { readonly graph: Graph; readonly options: ClusterOptions },
): Promise<ClusterProcess> {
  const { graph, options } = run
  const people = graph.people.slice(0, publishes)
  let acknowledged = 0
  let underWay = 0
  let reachedKill = () => {}
  const killTime = new Promise<void>((resolve) => {
    reachedKill = resolve
  })
  const publishing = inParallel(people, 32, async (person) => {
    underWay += 1
    graph.published(await feed.publish(person, `Still here, says ${person}.`))
    underWay -= 1
    acknowledged += 1
    if (acknowledged === killedAfter) reachedKill()
  })
  // Whoever fails first decides: a publish that gives up must not leave the tour waiting.
  await Promise.race([killTime, publishing])
  await cluster.kill()
  result(
    `killed (process ${cluster.pid}) after ${count(acknowledged, 'acknowledgement')}, with ${underWay} under way`,
  )
  await loseDisk(options.folder)
  const startedMs = performance.now()
  const restarted = await ClusterProcess.start(options)
  result(`serves again ${duration(restarted.readyMs)} after its start`)
  try {
    await publishing
    await takenOver(feed, startedMs)
    // The best connected one follows everybody, and so is shown every post there is.
    const [hub = ''] = graph.byFriends
    const names: string[] = []
    for await (const page of feed.dashboardPages(hub, { limit: 200 })) {
      names.push(...page.posts.map((post) => `${post.authorId}/${post.postId}`))
    }
    compareWithModel(names, graph, hub)
    result(
      `person ${hub} is shown all ${count(names.length, 'post')}, in order, none missing, none twice`,
    )
    return restarted
  } catch (thrown) {
    await restarted.stop()
    throw thrown
  }
}
