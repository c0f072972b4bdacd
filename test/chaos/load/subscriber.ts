// Subscribers of the firehose: one follows it from before the load to its end, through every fault; another replays it at the
// end. What the replay has, the follower must have been sent.

import { setTimeout as wait } from 'node:timers/promises'
import {
  type Cellfeed,
  CellfeedError,
  type FirehoseStart,
} from '../../../services/client/connect.ts'
import { LogPicture } from '../check/log-picture.ts'

const pauseMs = 200

/** The log from its earliest event to where it ends now. Throws CellfeedError if the stream breaks for good. */
export async function replay(feed: Cellfeed, prefix: string): Promise<LogPicture> {
  const picture = new LogPicture()
  const { partitions } = await feed.firehosePositions()
  const ends = new Map<number, bigint>()
  for (const { partition, earliestOffset, latestOffset } of partitions) {
    if (latestOffset > earliestOffset) ends.set(partition, latestOffset)
  }
  if (ends.size === 0) return picture
  for await (const { events } of feed.firehose({ from: 'earliest' })) {
    for (const event of events) {
      if (event.key.startsWith(prefix)) picture.take(event)
      if (event.offset + 1n >= (ends.get(event.partition) ?? 0n)) ends.delete(event.partition)
    }
    // A batch without events is a sign of life: for a while there was nothing more.
    if (ends.size === 0 || events.length === 0) break
  }
  return picture
}

/** Follows until the signal fires; when its stream gives up, it goes on from the last position. */
export async function follow(
  feed: Cellfeed,
  followed: { readonly prefix: string; readonly picture: LogPicture },
  signal: AbortSignal,
): Promise<void> {
  const { prefix, picture } = followed
  let from: FirehoseStart = 'earliest'
  while (!signal.aborted) {
    try {
      for await (const { events, position } of feed.firehose({ from, signal })) {
        for (const event of events) if (event.key.startsWith(prefix)) picture.take(event)
        from = { position }
      }
    } catch (error) {
      if (!(error instanceof CellfeedError)) throw error
      await wait(pauseMs)
    }
  }
}
