// The cell store on Cassandra keeps the contracts of its ports.

import { afterEach } from 'vitest'
import type { CassandraCellStore } from '../../../infra/cassandra/cell-store.ts'
import { describePostTableContract } from '../../contract/post-table-contract.ts'
import { describeSlotTablesContract } from '../../contract/slot-tables-contract.ts'
import { describeUserTablesContract } from '../../contract/user-tables-contract.ts'
import { openTestStore, testKeyspace } from './test-keyspace.ts'

const cassandra = testKeyspace('cell')
let store: CassandraCellStore | undefined
afterEach(async () => {
  await store?.close()
  store = undefined
})

/** A store that finds these tables empty: all that its contract touches. */
const openEmpty = async (...tables: readonly string[]) => {
  await cassandra.truncate(...tables)
  store = await openTestStore(cassandra)
  return store
}

describePostTableContract('Cassandra', async () => (await openEmpty('posts', 'months')).posts)
describeSlotTablesContract('Cassandra', () =>
  openEmpty('inbox', 'inbox_sizes', 'generations', 'readers', 'reader_pages', 'reach'),
)
describeUserTablesContract('Cassandra', () =>
  openEmpty(
    'followers',
    'authors',
    'greatest',
    'names',
    'blocks',
    'facts',
    'window',
    'checkpoints',
  ),
)
