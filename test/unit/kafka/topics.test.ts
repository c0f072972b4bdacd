// The plan of a log's topics, and the commands that an administrator runs for it.

import { expect, test } from 'vitest'
import { planTopics, printTopics } from '../../../infra/kafka/topics.ts'

const plan = planTopics({ prefix: 'cellfeed', partitionsPerTopic: 8, replication: 3 })

test('both topics have the same partitions, the log’s own time, and lose nothing to size', () => {
  const [one, other, dead] = plan
  expect(one).toEqual({ ...other, topic: 'cellfeed.public' })
  expect(one).toMatchObject({
    partitions: 8,
    replication: 3,
    settings: {
      'message.timestamp.type': 'LogAppendTime',
      'cleanup.policy': 'delete',
      'retention.ms': String(7 * 86_400_000),
      'retention.bytes': '-1',
      'min.insync.replicas': '2',
    },
  })
  expect(dead).toMatchObject({ topic: 'cellfeed.dead-letter', partitions: 1 })
})

test('one replica is enough where there is only one', () => {
  const [alone] = planTopics({ prefix: 'x', partitionsPerTopic: 1, replication: 1 })
  expect(alone?.settings['min.insync.replicas']).toBe('1')
})

test('an administrator is shown one command for each topic', () => {
  const [first, ...rest] = printTopics(plan, ['a:9092', 'b:9092'])
  expect(rest).toHaveLength(2)
  expect(first?.split('\\\n').map((line) => line.trim())).toEqual([
    'kafka-topics.sh --bootstrap-server a:9092,b:9092 --create --if-not-exists --topic cellfeed.public',
    '--partitions 8 --replication-factor 3',
    '--config message.timestamp.type=LogAppendTime',
    '--config cleanup.policy=delete',
    '--config retention.ms=604800000',
    '--config retention.bytes=-1',
    '--config min.insync.replicas=2',
    '--config unclean.leader.election.enable=false',
  ])
})
