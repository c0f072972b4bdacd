// Kafka paused, killed, started again, and losing one of three brokers, under appends and a follower: what was acknowledged is
// read, once and in order, and nothing ends that need not end.

import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Firehose } from '../../../cells/ports/firehose.ts'
import { startKafka, startKafkaCluster } from '../../../infra/local/kafka.ts'
import { postBy } from '../../contract/sample-events.ts'
import { type FreshLog, type FreshLogOptions, freshLog } from './fresh-log.ts'
import { ownPlace } from './own-brokers.ts'

// Requests are given up soon, as if the faults here took as long as real ones.
const impatient = { connectMs: 500, requestMs: 1_000, retryMs: 20, retryMaxMs: 200, closeMs: 1_000 }
const faultTakesMs = 120_000

const place = await ownPlace()
const broker = await startKafka(place)
place.atEnd(() => broker.kill())

let log: FreshLog | undefined
const stop = new Set<AbortController>()

afterEach(async () => {
  for (const controller of stop) controller.abort()
  await log?.close()
})

/** A log with a follower that has begun, and everything that it told its log. */
async function followedLog(options: FreshLogOptions) {
  log = await freshLog({ ...options, partitionsPerTopic: 2 })
  const facts: string[] = []
  const note = (fact: string) => void facts.push(fact)
  const firehose = await log.open(impatient, { warn: note, debug: () => undefined })
  const controller = new AbortController()
  stop.add(controller)
  const texts: string[] = []
  const follow = async () => {
    const { signal } = controller
    for await (const { records } of firehose.follow([0, 0, 0, 0], { signal, recordsMax: 100 })) {
      for (const { event } of records) texts.push(String(event.id))
    }
  }
  const following = follow()
  const appended: string[] = []
  await append(firehose, appended, 'first')
  await vi.waitFor(() => expect(texts).toEqual(appended), faultTakesMs)
  return { firehose, facts, texts, appended, following, controller }
}

/** Remembers an event when it was acknowledged. */
async function append(firehose: Firehose, appended: string[], text: string): Promise<void> {
  const event = postBy('anna', text)
  await firehose.append([event])
  appended.push(String(event.id))
}

const lost = (facts: readonly string[]) => facts.filter((fact) => fact.includes('lost'))

describe('one broker', () => {
  test(
    'paused for longer than requests wait: appends and followers go on when it is back',
    async () => {
      const followed = await followedLog({ brokers: broker.brokers })
      const { firehose, facts, texts, appended } = followed
      broker.pause()
      const appending = append(firehose, appended, 'while paused')
      await vi.waitFor(() => expect(lost(facts).length).toBeGreaterThanOrEqual(2), faultTakesMs)
      broker.resume()
      await appending
      await append(firehose, appended, 'after')
      await vi.waitFor(() => expect(texts).toEqual(appended), faultTakesMs)
    },
    faultTakesMs,
  )

  test(
    'killed and started again: appends that waited are stored once, and nothing is read twice',
    async () => {
      const { firehose, facts, texts, appended } = await followedLog({ brokers: broker.brokers })
      await broker.kill()
      const appending = append(firehose, appended, 'while down')
      await vi.waitFor(() => expect(lost(facts).length).toBeGreaterThanOrEqual(2), faultTakesMs)
      await broker.start()
      await appending
      await append(firehose, appended, 'after')
      await vi.waitFor(() => expect(texts).toEqual(appended), faultTakesMs)
    },
    faultTakesMs,
  )

  test(
    'an append that Kafka does not confirm ends within its time, as unknown once it was sent',
    async () => {
      const { firehose, appended } = await followedLog({ brokers: broker.brokers })
      const hasty = await log?.open({ ...impatient, appendMs: 100 })
      await hasty?.append([postBy('anna', 'connected')])
      broker.pause()
      const outcome = Promise.allSettled([hasty?.append([postBy('anna', 'sent')])])
      expect(await outcome).toMatchObject([{ reason: { code: 'FIREHOSE_UNCONFIRMED' } }])
      broker.resume()
      await append(firehose, appended, 'after')
    },
    faultTakesMs,
  )
})

test(
  'of three brokers the one that leads is killed: its partitions move, appends and followers go on',
  async () => {
    const folder = join(place.folder, 'three')
    const cluster = await startKafkaCluster({ ...place, folder, brokerCount: 3 })
    place.atEnd(() => cluster.stop())
    const { brokers } = cluster
    const { firehose, facts, texts, appended } = await followedLog({ brokers, replication: 3 })
    const leader = cluster.servers[(await leaderOf('anna')) - 1]
    facts.length = 0
    await leader?.kill()
    for (let i = 0; i < 5; i++) await append(firehose, appended, `${i}`)
    await vi.waitFor(() => expect(texts).toEqual(appended), faultTakesMs)
    expect(lost(facts).length).toBeGreaterThan(0)
  },
  faultTakesMs,
)

/** The id of the broker to which a user's posts go; ids begin at 1. */
async function leaderOf(userId: string): Promise<number> {
  if (log === undefined) throw new Error('no log was made')
  const { admin, partitions } = log
  const at = partitions.at(partitions.place(postBy(userId).fact).number)
  const { topics } = await admin.fetchTopicMetadata({ topics: [at.topic] })
  const found = topics[0]?.partitions.find(({ partitionId }) => partitionId === at.partition)
  if (found === undefined) throw new Error('the partition has no leader')
  return found.leader
}
