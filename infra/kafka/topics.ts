// The topics of a log: what they must be, what is missing or different on a cluster, and how an administrator makes them.

import type { Admin, ConfigResourceTypes } from 'kafkajs'
import { Backoff } from './backoff.ts'
import type { KafkaLog } from './kafka-log.ts'
import { type KafkaOptions, topicNames } from './kafka-options.ts'
import { type ClientTimeouts, kafkajsAdmin } from './kafkajs-client.ts'

export type TopicPlan = {
  readonly topic: string
  readonly partitions: number
  readonly replication: number
  /** Settings by Kafka's names; others keep the cluster's defaults. */
  readonly settings: Readonly<Record<string, string>>
}

export type TopicPlanOptions = {
  readonly prefix: string
  readonly partitionsPerTopic: number
  readonly replication: number
  /** How long events are kept: cells, copies and subscribers that are behind by more must start anew. */
  readonly retentionMs?: number
}

export type TopicDifference = {
  readonly topic: string
  readonly what: string
  readonly planned: string
  readonly found: string
}

export const RETENTION_MS_DEFAULT = 7 * 86_400_000
const DEAD_LETTER_RETENTION_MS = 30 * 86_400_000
/** New topics have their leaders within this. */
const SERVED_MS = 15_000
/** Node finds no value `ConfigResourceTypes` among the exports of kafkajs. */
const TOPIC_RESOURCE: ConfigResourceTypes.TOPIC = 2

export function planTopics(options: TopicPlanOptions): TopicPlan[] {
  const { prefix, partitionsPerTopic, replication, retentionMs = RETENTION_MS_DEFAULT } = options
  const names = topicNames(prefix)
  const minInSync = String(Math.max(1, replication - 1))
  const events = {
    // The append time is the log's own clock: repeats, imports and offsets by time rest on it.
    'message.timestamp.type': 'LogAppendTime',
    'cleanup.policy': 'delete',
    'retention.ms': String(retentionMs),
    // Size never removes what time would keep.
    'retention.bytes': '-1',
    'min.insync.replicas': minInSync,
    'unclean.leader.election.enable': 'false',
  }
  const deadLetters = {
    'cleanup.policy': 'compact,delete',
    'retention.ms': String(DEAD_LETTER_RETENTION_MS),
    'min.insync.replicas': minInSync,
    'message.timestamp.type': 'LogAppendTime',
  }
  return [
    { topic: names.public, partitions: partitionsPerTopic, replication, settings: events },
    { topic: names.private, partitions: partitionsPerTopic, replication, settings: events },
    { topic: names.deadLetter, partitions: 1, replication, settings: deadLetters },
  ]
}

/** What an administrator runs to make them; safe to repeat. */
export function printTopics(plan: readonly TopicPlan[], brokers: readonly string[]): string[] {
  const server = brokers.join(',')
  return plan.map(({ topic, partitions, replication, settings }) =>
    [
      `kafka-topics.sh --bootstrap-server ${server} --create --if-not-exists --topic ${topic}`,
      `--partitions ${partitions} --replication-factor ${replication}`,
      ...Object.entries(settings).map(([name, value]) => `--config ${name}=${value}`),
    ].join(' \\\n  '),
  )
}

export class TopicAdmin {
  readonly #admin: Admin

  static async open(
    options: KafkaOptions & { readonly log: KafkaLog; readonly timeouts: ClientTimeouts },
  ): Promise<TopicAdmin> {
    const { log, timeouts, ...kafka } = options
    const admin = kafkajsAdmin(kafka, timeouts, log)
    await admin.connect()
    return new TopicAdmin(admin)
  }

  private constructor(admin: Admin) {
    this.#admin = admin
  }

  async clusterId(): Promise<string> {
    return (await this.#admin.describeCluster()).clusterId
  }

  /** Makes the planned topics that are not there, and answers their names. Existing ones are not touched. */
  async createMissing(plan: readonly TopicPlan[]): Promise<string[]> {
    const existing = new Set(await this.#admin.listTopics())
    const missing = plan.filter(({ topic }) => !existing.has(topic))
    if (missing.length === 0) return []
    await this.#admin.createTopics({
      // kafkajs gives up at the first broker that has not heard of the topic yet.
      waitForLeaders: false,
      topics: missing.map(({ topic, partitions, replication, settings }) => ({
        topic,
        numPartitions: partitions,
        replicationFactor: replication,
        configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
      })),
    })
    const made = missing.map(({ topic }) => topic)
    await this.#untilServed(made)
    return made
  }

  /** How the cluster's topics differ from the plan; one that is not there differs in `topic` only. */
  async differences(plan: readonly TopicPlan[]): Promise<TopicDifference[]> {
    const existing = new Set(await this.#admin.listTopics())
    const differences: TopicDifference[] = []
    for (const planned of plan) {
      const { topic } = planned
      if (!existing.has(topic)) {
        differences.push({ topic, what: 'topic', planned: 'there', found: 'missing' })
        continue
      }
      const found = await this.#describe(topic)
      const compare = (what: string, wanted: string, is: string | undefined) => {
        if (is === wanted) return
        differences.push({ topic, what, planned: wanted, found: is ?? 'unknown' })
      }
      compare('partitions', String(planned.partitions), String(found.partitions))
      compare('replication', String(planned.replication), String(found.replication))
      for (const [name, value] of Object.entries(planned.settings)) {
        compare(name, value, found.settings.get(name))
      }
    }
    return differences
  }

  async close(): Promise<void> {
    await this.#admin.disconnect()
  }

  async #untilServed(topics: string[]): Promise<void> {
    const deadlineMs = performance.now() + SERVED_MS
    const backoff = new Backoff({ retryMs: 20, retryMaxMs: 500 })
    for (;;) {
      try {
        await this.#admin.fetchTopicMetadata({ topics })
        return
      } catch (error) {
        if (performance.now() >= deadlineMs) throw error
        await backoff.wait()
      }
    }
  }

  async #describe(topic: string) {
    const { topics } = await this.#admin.fetchTopicMetadata({ topics: [topic] })
    const partitions = topics[0]?.partitions ?? []
    const { resources } = await this.#admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: TOPIC_RESOURCE, name: topic }],
    })
    const entries = resources[0]?.configEntries ?? []
    return {
      partitions: partitions.length,
      replication: partitions[0]?.replicas.length ?? 0,
      settings: new Map(entries.map(({ configName, configValue }) => [configName, configValue])),
    }
  }
}
