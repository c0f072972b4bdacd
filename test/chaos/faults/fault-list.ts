// Every fault that a cluster has to bear, in the order in which `make chaos` has them.

import type { ChaosCluster } from '../cluster/chaos-cluster.ts'
import { leaseMs } from '../cluster/cluster-plan.ts'
import type { Fault } from '../run-chaos.ts'
import { flushed } from './cache-faults.ts'
import { killedInCheckpoints, sleptOverItsLease, succeeded } from './cell-faults.ts'
import { killed, stoodStill, writesGoOn } from './process-faults.ts'

const withinMs = 120_000
const stillMs = 20_000
/** What a server must not keep from happening while it is away. */
const meanwhile = writesGoOn(50, withinMs)

/** Some of them, in about a minute. */
export function shortFaultsOf(cluster: ChaosCluster): Fault[] {
  const { cell, kafka } = partsOf(cluster)
  return [
    killedInCheckpoints(cell, 1, withinMs),
    killed(kafka, { awayMs: 500 }),
    flushed(cluster.redis, { times: 20, everyMs: 50 }),
    killed(cluster.cassandra, { awayMs: 500 }),
  ]
}

/** Of three brokers, every event is on all of them, and two are enough to acknowledge it. */
export function brokerKilled(cluster: ChaosCluster): Fault {
  const broker = cluster.brokers.at(-1)
  if (broker === undefined) throw new Error('a cluster has brokers')
  return killed(broker, { awayMs: 5_000, meanwhile })
}

export function faultsOf(cluster: ChaosCluster): Fault[] {
  const { cassandra, redis, gateway } = cluster
  const { cell, kafka } = partsOf(cluster)
  return [
    killedInCheckpoints(cell, 3, withinMs),
    killed(gateway, { awayMs: 1_000 }),
    killed(redis, { awayMs: 3_000, meanwhile }),
    stoodStill(redis, { awayMs: 5_000, meanwhile }),
    flushed(redis, { times: 100, everyMs: 50 }),
    killed(cassandra, { awayMs: 1_000 }),
    stoodStill(cassandra, { awayMs: stillMs }),
    killed(kafka, { awayMs: 1_000 }),
    stoodStill(kafka, { awayMs: stillMs }),
    sleptOverItsLease(cell, leaseMs),
    succeeded(cell, () => cluster.secondProcessOf(cell.name), withinMs),
  ]
}

function partsOf({ brokers, cells }: ChaosCluster) {
  const [kafka] = brokers
  const [cell] = cells
  if (kafka === undefined || cell === undefined) throw new Error('a cluster has brokers and cells')
  return { kafka, cell }
}
