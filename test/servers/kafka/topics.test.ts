// The topics of a log: made as planned, safe to repeat, and what differs is said.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { topicNames } from '../../../infra/kafka/kafka-options.ts'
import { type FreshLog, freshLog } from './fresh-log.ts'

let log: FreshLog

beforeEach(async () => {
  log = await freshLog({ partitionsPerTopic: 3 })
})
afterEach(() => log.close())

test('topics made as planned do not differ from the plan, and are not made twice', async () => {
  expect(await log.topics.differences(log.plan)).toEqual([])
  expect(await log.topics.createMissing(log.plan)).toEqual([])
})

test('what differs is said, and what is missing is made', async () => {
  const names = topicNames(log.kafka.prefix)
  await log.admin.deleteTopics({ topics: [names.private] })
  const wider = log.plan.map((topic) => ({
    ...topic,
    partitions: topic.partitions + 1,
    settings: { ...topic.settings, 'retention.ms': '1000' },
  }))
  const missing = { topic: names.private, what: 'topic', planned: 'there', found: 'missing' }
  // A broker hears of a deletion some time after it was confirmed.
  const differences = await vi.waitFor(
    async () => {
      const found = await log.topics.differences(wider)
      expect(found).toContainEqual(missing)
      return found
    },
    { timeout: 30_000 },
  )
  const ofPublic = differences.filter(({ topic }) => topic === names.public)
  expect(ofPublic).toEqual([
    { topic: names.public, what: 'partitions', planned: '4', found: '3' },
    { topic: names.public, what: 'retention.ms', planned: '1000', found: '604800000' },
  ])
  expect(await log.topics.createMissing(log.plan)).toEqual([names.private])
  expect(await log.topics.differences(log.plan)).toEqual([])
})
