// A new, empty log on the Kafka that the suite was given, under a prefix of its own; its topics are deleted with it.

import { randomUUID } from 'node:crypto'
import type { Admin } from 'kafkajs'
import { inject, vi } from 'vitest'
import type { Appended } from '../../../cells/ports/firehose.ts'
import { KafkaFirehose } from '../../../infra/kafka/firehose.ts'
import { KAFKA_LIMITS, type KafkaLimits } from '../../../infra/kafka/kafka-limits.ts'
import { type KafkaLog, silentLog } from '../../../infra/kafka/kafka-log.ts'
import type { TlsOptions } from '../../../infra/connection/tls-options.ts'
import {
  type KafkaOptions,
  type KafkaSasl,
  topicNames,
} from '../../../infra/kafka/kafka-options.ts'
import { kafkajsAdmin } from '../../../infra/kafka/kafkajs-client.ts'
import type { KafkaLogIdentity } from '../../../infra/kafka/log-identity.ts'
import { LogPartitions } from '../../../infra/kafka/log-partitions.ts'
import { planTopics, TopicAdmin, type TopicPlan } from '../../../infra/kafka/topics.ts'

export type FreshLog = {
  readonly kafka: KafkaOptions
  readonly identity: KafkaLogIdentity
  readonly plan: readonly TopicPlan[]
  readonly admin: Admin
  readonly topics: TopicAdmin
  readonly partitions: LogPartitions
  /** Another process's view of the same log. Closed with it. */
  readonly open: (limits?: Partial<KafkaLimits>, log?: KafkaLog) => Promise<KafkaFirehose>
  /** Removes what stands before the record in its partition. */
  readonly dropBefore: (record: Pick<Appended, 'partition' | 'offset'>) => Promise<void>
  readonly deleteTopics: () => Promise<void>
  readonly close: () => Promise<void>
}

export type FreshLogOptions = {
  readonly brokers?: readonly string[]
  readonly tls?: TlsOptions
  readonly sasl?: KafkaSasl
  readonly partitionsPerTopic?: number
  readonly replication?: number
}

export async function freshLog(options: FreshLogOptions = {}): Promise<FreshLog> {
  const { brokers = inject('engines').kafka.brokers, tls, sasl } = options
  const { partitionsPerTopic = 8, replication = 1 } = options
  const prefix = `test-${randomUUID()}`
  const kafka = { brokers, clientId: 'cellfeed-test', prefix, tls, sasl }
  const topics = await TopicAdmin.open({ ...kafka, log: silentLog, timeouts: KAFKA_LIMITS })
  const admin = kafkajsAdmin(kafka, KAFKA_LIMITS, silentLog)
  await admin.connect()
  const plan = planTopics({ prefix, partitionsPerTopic, replication })
  await topics.createMissing(plan)
  const kafkaClusterId = await topics.clusterId()
  const identity = { logId: randomUUID(), partitionsPerTopic, kafkaClusterId }
  const partitions = new LogPartitions(prefix, partitionsPerTopic)
  const opened: KafkaFirehose[] = []
  const names = topicNames(prefix)

  const deleteTopics = async () => {
    const existing = new Set(await admin.listTopics())
    const own = [names.public, names.private, names.deadLetter].filter((topic) =>
      existing.has(topic),
    )
    if (own.length > 0) await admin.deleteTopics({ topics: own })
  }
  return {
    kafka,
    identity,
    plan,
    admin,
    topics,
    partitions,
    async open(limits = {}, log = silentLog) {
      const firehose = await KafkaFirehose.open({ ...kafka, identity, limits, log })
      opened.push(firehose)
      return firehose
    },
    async dropBefore(record) {
      const { topic, partition } = partitions.at(record.partition)
      const at = { partition, offset: String(record.offset) }
      // The admin client deletes only from topics that it has looked at, and a new topic's leader may not know yet that it is one.
      await vi.waitFor(
        async () => {
          await admin.fetchTopicOffsets(topic)
          await admin.deleteTopicRecords({ topic, partitions: [at] })
        },
        { timeout: 30_000 },
      )
    },
    deleteTopics,
    async close() {
      await Promise.all(opened.map((firehose) => firehose.close()))
      await deleteTopics()
      await topics.close()
      await admin.disconnect()
    },
  }
}
