// What the firehose on Kafka refuses, beside the contract of its port: another log than the one asked for, when opened and while
// it is followed.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Firehose, FirehoseGap } from '../../../cells/ports/firehose.ts'
import { KafkaFirehose } from '../../../infra/kafka/firehose.ts'
import { postBy } from '../../contract/sample-events.ts'
import { type FreshLog, freshLog } from './fresh-log.ts'

let log: FreshLog
let stop: AbortController

beforeEach(async () => {
  log = await freshLog({ partitionsPerTopic: 2 })
  stop = new AbortController()
})
afterEach(async () => {
  stop.abort()
  await log.close()
})

const soon = { identityCheckMs: 0, vanishedMs: 1, retryMs: 20, retryMaxMs: 100 }

async function appendMany(firehose: Firehose, count: number): Promise<void> {
  const posts = Array.from({ length: count }, (_, i) => postBy(`user ${i}`, `${i}`))
  await firehose.append(posts)
}

/** Follows from the beginning and has read everything that is there. */
async function caughtUp(firehose: Firehose, count: number) {
  const options = { signal: stop.signal, recordsMax: 100 }
  const batches = firehose.follow([0, 0, 0, 0], options)[Symbol.asyncIterator]()
  for (let read = 0; read < count; ) {
    const { value, done } = await batches.next()
    if (done === true) throw new Error('the follower ended early')
    read += value.records.length
  }
  return batches
}

test('another cluster, another number of partitions and missing topics are refused at opening', async () => {
  const { kafka, identity } = log
  const elsewhere = { ...identity, kafkaClusterId: 'another' }
  await expect(KafkaFirehose.open({ ...kafka, identity: elsewhere })).rejects.toThrow(
    'check --kafka',
  )
  const wider = { ...identity, partitionsPerTopic: 3 }
  await expect(KafkaFirehose.open({ ...kafka, identity: wider })).rejects.toThrow('2 partitions')
  await log.deleteTopics()
  await expect(KafkaFirehose.open({ ...kafka, identity })).rejects.toThrow('cellfeed init')
})

test('a log that was deleted ends its followers', async () => {
  const firehose = await log.open(soon)
  await appendMany(firehose, 20)
  const batches = await caughtUp(firehose, 20)
  const next = Promise.allSettled([batches.next()])
  await log.deleteTopics()
  expect(await next).toMatchObject([{ reason: { code: 'FIREHOSE_GAP' } }])
})

test('a log made anew behind a follower ends it, also one that has grown beyond it', async () => {
  const firehose = await log.open({ ...soon, vanishedMs: 60_000 })
  await appendMany(firehose, 20)
  const batches = await caughtUp(firehose, 20)
  await log.deleteTopics()
  await vi.waitFor(() => log.topics.createMissing(log.plan))
  const other = await log.open()
  await appendMany(other, 200)
  await expect(batches.next()).rejects.toThrow(FirehoseGap)
})

test('a firehose that appended to topics since deleted appends to those made anew', async () => {
  const firehose = await log.open(soon)
  await appendMany(firehose, 20)
  await log.deleteTopics()
  await vi.waitFor(() => log.topics.createMissing(log.plan))
  await appendMany(firehose, 20)
  const { end } = await firehose.bounds()
  expect(end.reduce((sum, offset) => sum + offset, 0)).toBe(20)
})
