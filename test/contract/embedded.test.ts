// The embedded adapters keep the contracts of their ports.

import { EmbeddedCellStore } from '../../infra/embedded/cell-store.ts'
import { EmbeddedControlStore } from '../../infra/embedded/control-store.ts'
import { EmbeddedFirehose } from '../../infra/embedded/firehose.ts'
import { describeControlStoreContract } from './control-store-contract.ts'
import { describeFirehoseContract } from './firehose-contract.ts'
import { manualClock } from './manual-clock.ts'
import { describePostTableContract } from './post-table-contract.ts'
import { describeSlotTablesContract } from './slot-tables-contract.ts'
import { testFolders } from './test-folders.ts'
import { describeUserTablesContract } from './user-tables-contract.ts'

const { folder, closeLater } = testFolders()
const closedLater = async () => {}

const openCellStore = async () =>
  closeLater(await EmbeddedCellStore.open({ path: await folder(), fsync: 'never' }))

describeFirehoseContract('embedded', async () => {
  const options = { path: await folder(), clock: manualClock() }
  const firehose = closeLater(await EmbeddedFirehose.open(options))
  const dropBefore = (record: { appendedAtMs: number }) => firehose.dropBefore(record.appendedAtMs)
  return { firehose, dropBefore, close: closedLater }
})
describePostTableContract('embedded', async () => (await openCellStore()).posts)
describePostTableContract('embedded, merging all the time', async () => {
  const postIndex = { openRunEntriesMax: 3, fanIn: 2 }
  const options = { path: await folder(), fsync: 'never', postIndex } as const
  return closeLater(await EmbeddedCellStore.open(options)).posts
})
describeSlotTablesContract('embedded', openCellStore)
describeUserTablesContract('embedded', openCellStore)
describeControlStoreContract('embedded', async () => ({
  store: closeLater(await EmbeddedControlStore.open({ path: await folder() })),
  close: closedLater,
}))
