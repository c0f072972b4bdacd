// What every part of the adapter needs to reach the log, and opening a connection to it: whatever is opened is the same log, as
// cluster and partitions are compared with its identity every time.

import { BrokerLink } from './broker-link.ts'
import type { KafkaLimits } from './kafka-limits.ts'
import type { KafkaLog } from './kafka-log.ts'
import { type KafkaOptions, topicNames } from './kafka-options.ts'
import { assertHolds, type KafkaLogIdentity } from './log-identity.ts'

export type LogAccess = {
  readonly kafka: KafkaOptions
  readonly identity: KafkaLogIdentity
  readonly limits: KafkaLimits
  readonly log: KafkaLog
}

export async function openLog(access: LogAccess): Promise<BrokerLink> {
  const { kafka, identity, limits, log } = access
  const names = topicNames(kafka.prefix)
  const topics = [names.public, names.private]
  const { link, description } = await BrokerLink.open({ kafka, topics, timeouts: limits, log })
  try {
    assertHolds(description, identity, kafka.prefix)
    return link
  } catch (error) {
    await link.close()
    throw error
  }
}

/** Dead letters are no part of the log: it goes on without their topic. */
export async function openDeadLetters({ kafka, limits, log }: LogAccess): Promise<BrokerLink> {
  const topics = [topicNames(kafka.prefix).deadLetter]
  const { link } = await BrokerLink.open({ kafka, topics, timeouts: limits, log })
  return link
}
