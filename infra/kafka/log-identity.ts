// What names a log on Kafka. `cellfeed init` makes it once and keeps it in the control store; every process reads it there. Kafka
// itself has a name for the cluster only, so a topic made anew within the cluster is noticed by its records (log-anchors.ts).

import type { LogIdentity } from '../../cells/ports/firehose.ts'
import type { ClusterDescription } from './broker-link.ts'
import { topicNames } from './kafka-options.ts'

export type KafkaLogIdentity = LogIdentity & { readonly kafkaClusterId: string }

/** The Kafka at this address does not hold the log that was asked for. */
export class FirehoseMismatch extends Error {
  readonly code = 'FIREHOSE_MISMATCH'
  override readonly name = 'FirehoseMismatch'
}

export function assertHolds(
  description: ClusterDescription,
  identity: KafkaLogIdentity,
  prefix: string,
): void {
  const { clusterId, partitionsOf } = description
  if (clusterId !== identity.kafkaClusterId) {
    throw new FirehoseMismatch(
      `this is Kafka cluster ${clusterId}, but the log ${identity.logId} was made on ${identity.kafkaClusterId}: ` +
        'check --kafka and --prefix',
    )
  }
  const names = topicNames(prefix)
  for (const topic of [names.public, names.private]) {
    const partitions = partitionsOf.get(topic) ?? 0
    if (partitions === identity.partitionsPerTopic) continue
    throw new FirehoseMismatch(
      `topic ${topic} has ${partitions} partitions, but the log ${identity.logId} was made with ` +
        `${identity.partitionsPerTopic}: their number can not be changed`,
    )
  }
}
