// Makes the log's topics by the project's own plan, with as many copies as there are brokers. `cellfeed init --replication` would
// ask the same of Cassandra, of which there is one node only.

import { KAFKA_LIMITS } from '../../../infra/kafka/kafka-limits.ts'
import { silentLog } from '../../../infra/kafka/kafka-log.ts'
import { planTopics, TopicAdmin } from '../../../infra/kafka/topics.ts'
import { partitions, prefix } from './cluster-plan.ts'

export async function makeTopics(brokers: readonly string[]): Promise<void> {
  const topics = await TopicAdmin.open({
    brokers,
    prefix,
    clientId: 'chaos',
    tls: undefined,
    sasl: undefined,
    log: silentLog,
    timeouts: KAFKA_LIMITS,
  })
  try {
    const replication = brokers.length
    await topics.createMissing(planTopics({ prefix, partitionsPerTopic: partitions, replication }))
  } finally {
    await topics.close()
  }
}
