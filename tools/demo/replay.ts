// The tour's step about the firehose: from the beginning, and from an offset.

import { duration } from '../../services/cli/human-time.ts'
import { count } from '../../services/cli/print.ts'
import type { Cellfeed } from '../../services/client/connect.ts'
import type { ClusterProcess } from './cluster-process.ts'
import type { Graph } from './graph.ts'
import { claim, command, result } from './tour.ts'

export async function replayFirehose(
  cluster: ClusterProcess,
  feed: Cellfeed,
  graph: Graph,
): Promise<void> {
  const { partitions } = await feed.firehosePositions()
  const sizes = partitions.map((range) => Number(range.latestOffset - range.earliestOffset))
  const total = sizes.reduce((sum, size) => sum + size, 0)

  const startedMs = performance.now()
  let events = 0
  let posts = 0
  const giveUp = AbortSignal.timeout(30_000)
  for await (const batch of feed.firehose({ from: 'earliest', signal: giveUp })) {
    events += batch.events.length
    posts += batch.events.filter((event) => event.kind === 'postCreated').length
    if (events >= total) break
  }
  const ms = performance.now() - startedMs
  claim(posts === graph.postCount, `${posts} posts in the firehose, ${graph.postCount} published`)
  result(
    `${count(events, 'event')} from ${count(partitions.length, 'partition')} in ${duration(ms)}, ` +
      `${count(posts, 'post')} among them: all that were published`,
  )

  const last = partitions.at(-1)
  if (last === undefined) return
  const offset = last.latestOffset > 3n ? last.latestOffset - 3n : 0n
  await command(cluster, ['firehose', '--from', `${last.partition}:${offset}`, '--limit', '3'])
}
