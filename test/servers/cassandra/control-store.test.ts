// The control store on Cassandra keeps its port's contract, also between processes.

import { expect, test } from 'vitest'
import { CassandraControlStore } from '../../../infra/cassandra/control-store.ts'
import { describeControlStoreContract } from '../../contract/control-store-contract.ts'
import { testKeyspace } from './test-keyspace.ts'

const cassandra = testKeyspace('control')
const open = () => CassandraControlStore.open({ ...cassandra.options, watchMs: 20 })
const bytes = (text: string) => new TextEncoder().encode(text)

describeControlStoreContract('Cassandra', async () => {
  await cassandra.truncate('documents')
  const store = await open()
  return { store, close: () => store.close() }
})

test('of writers in several processes exactly one wins each revision, and all see it', async () => {
  await cassandra.truncate('documents')
  const stores = await Promise.all([open(), open(), open()])
  const wins: number[] = []
  const contend = async (store: CassandraControlStore) => {
    for (let won = 0; won < 4; ) {
      const entry = await store.get('counter')
      const revision = await store.compareAndSet('counter', entry?.revision ?? 0, bytes('x'))
      if (revision === undefined) continue
      wins.push(revision)
      won++
    }
  }
  await Promise.all(stores.map(contend))
  expect(wins.sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1))
  for (const store of stores) expect((await store.get('counter'))?.revision).toBe(12)
  await Promise.all(stores.map((store) => store.close()))
})

test('a watcher is told of what another process changed', async () => {
  await cassandra.truncate('documents')
  const [here, there] = await Promise.all([open(), open()])
  const controller = new AbortController()
  const changes = here.watch('placement', controller.signal)[Symbol.asyncIterator]()
  // A read of the key comes after the watch knows where it began.
  expect(await here.get('placement')).toBeUndefined()
  const revision = await there.compareAndSet('placement', 0, bytes('new'))
  expect((await changes.next()).value?.revision).toBe(revision)
  controller.abort()
  await Promise.all([here.close(), there.close()])
})
