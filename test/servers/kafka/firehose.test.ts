// The firehose on Kafka keeps the contract of its port.

import { describeFirehoseContract } from '../../contract/firehose-contract.ts'
import { freshLog } from './fresh-log.ts'

/** A batch an answer: little is read ahead, so that a follower can be overtaken. */
const small = { waitMs: 100, bytesMax: 1, partitionBytesMax: 1 }

describeFirehoseContract('kafka', async () => {
  const log = await freshLog()
  const firehose = await log.open({ liveFetch: small, catchUpFetch: small })
  return { firehose, dropBefore: log.dropBefore, close: log.close }
})
