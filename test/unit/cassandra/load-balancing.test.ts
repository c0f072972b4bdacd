// A partition's token costs more than it tells where there is one node; where there are more, its replica is asked first.

import type cassandra from 'cassandra-driver'
import { expect, test } from 'vitest'
import { ReplicaFirst } from '../../../infra/cassandra/load-balancing.ts'

type Init = Parameters<ReplicaFirst['init']>
type Options = Parameters<ReplicaFirst['newQueryPlan']>[1]

/** What a policy sees of a client: nodes by name, and that every partition lies on the last one. */
async function asked(names: readonly string[]) {
  const nodes = names.map((address) => ({
    address,
    datacenter: 'east',
    isUp: () => true,
    canBeConsideredAsUp: () => true,
  }))
  const hosts = { length: nodes.length, values: () => nodes, on: () => undefined }
  const client = {
    options: { localDataCenter: 'east' },
    log: () => undefined,
    getReplicas: () => nodes.slice(-1),
    metadata: {},
    hosts,
  }
  let tokens = 0
  const options = {
    getRoutingKey: () => {
      tokens++
      return Buffer.from('partition')
    },
    getKeyspace: () => 'feed',
    getPreferredHost: () => null,
  }
  const policy = new ReplicaFirst('east')
  await new Promise<void>((resolve, reject) => {
    const ready = (error?: Error) => (error ? reject(error) : resolve())
    policy.init(client as unknown as Init[0], hosts as unknown as Init[1], ready)
  })
  const plan = await new Promise<Iterator<cassandra.Host>>((resolve, reject) => {
    policy.newQueryPlan('feed', options as unknown as Options, (error, found) =>
      error ? reject(error) : resolve(found),
    )
  })
  return { tokens, first: (plan.next().value as cassandra.Host | undefined)?.address }
}

test('one node is asked without a token', async () => {
  expect(await asked(['a'])).toEqual({ tokens: 0, first: 'a' })
})

test('of several the replica is asked first', async () => {
  expect(await asked(['a', 'b', 'c'])).toEqual({ tokens: 1, first: 'c' })
})
