// Which log the cluster's firehose is: made once by `cellfeed init`, kept in the control store, read by every process. Kafka
// has no name for a topic that another topic of the same name does not have too.

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { ControlStore } from '../../cells/ports/control-store.ts'
import type { LogIdentity } from '../../cells/ports/firehose.ts'
import { noCluster } from '../runtime/no-cluster.ts'

const IDENTITY_KEY = 'firehose'

export type ClusterLog = LogIdentity & { readonly kafkaClusterId: string }

const identityOf = z.object({
  logId: z.string().min(1),
  partitionsPerTopic: z.int().positive(),
  kafkaClusterId: z.string().min(1),
})

export async function findLogIdentity(control: ControlStore): Promise<ClusterLog | undefined> {
  const found = await control.get(IDENTITY_KEY)
  if (found === undefined) return undefined
  return Object.freeze(identityOf.parse(JSON.parse(Buffer.from(found.value).toString())))
}

/** Throws StartFailure: the cluster was never set up. */
export async function readLogIdentity(control: ControlStore): Promise<ClusterLog> {
  const found = await findLogIdentity(control)
  if (found === undefined) throw noCluster()
  return found
}

/** The identity there is, or a new one of these topics. */
export async function logIdentityFor(
  control: ControlStore,
  topics: Omit<ClusterLog, 'logId'>,
): Promise<ClusterLog> {
  const found = await findLogIdentity(control)
  if (found !== undefined) return found
  const { partitionsPerTopic, kafkaClusterId } = topics
  const made = { logId: randomUUID(), partitionsPerTopic, kafkaClusterId }
  const value = Buffer.from(JSON.stringify(made))
  const revision = await control.compareAndSet(IDENTITY_KEY, 0, value)
  return revision === undefined ? logIdentityFor(control, topics) : made
}
