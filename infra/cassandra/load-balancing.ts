// Which node is asked: a replica of the statement's partition, as the driver's own policy picks it. With one node there is nothing
// to pick, and then the partition's token is not computed: on small writes that was a fifth of what the driver left to the collector.

import cassandra from 'cassandra-driver'

const { DCAwareRoundRobinPolicy, TokenAwarePolicy } = cassandra.policies.loadBalancing
type Policy = cassandra.policies.loadBalancing.LoadBalancingPolicy

export class ReplicaFirst extends TokenAwarePolicy {
  readonly #nearest: Policy
  #hosts: cassandra.HostMap | undefined

  constructor(localDataCenter: string) {
    const nearest = new DCAwareRoundRobinPolicy(localDataCenter)
    super(nearest)
    this.#nearest = nearest
  }

  override init(
    client: cassandra.Client,
    hosts: cassandra.HostMap,
    callback: cassandra.EmptyCallback,
  ): void {
    this.#hosts = hosts
    super.init(client, hosts, callback)
  }

  override newQueryPlan(
    keyspace: string,
    options: cassandra.ExecutionOptions,
    callback: (error: Error, plan: Iterator<cassandra.Host>) => void,
  ): void {
    const policy = this.#hosts?.length === 1 ? this.#nearest : undefined
    if (policy === undefined) super.newQueryPlan(keyspace, options, callback)
    else policy.newQueryPlan(keyspace, options, callback)
  }
}
