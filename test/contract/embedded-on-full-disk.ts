// A process that appends to a firehose until the disk is full, here: until its file may grow no more. Prints what it was
// told and where the log ended. Run by embedded-full-disk.test.ts.

import { EmbeddedFirehose } from '../../infra/embedded/firehose.ts'
import { systemClock } from '../../infra/system/clock.ts'
import { postBy } from './sample-events.ts'

const firehose = await EmbeddedFirehose.open({ path: process.argv[2] ?? '', clock: systemClock })
const refusals: unknown[] = []
let acknowledged = 0
while (refusals.length < 3) {
  try {
    await firehose.append(Array.from({ length: 20 }, () => postBy('anna', 'x'.repeat(1_000))))
    acknowledged += 20
  } catch (error) {
    refusals.push(error instanceof Error && 'code' in error ? error.code : String(error))
  }
}
const end = (await firehose.bounds()).end.reduce((sum, offset) => sum + offset, 0)
process.stdout.write(JSON.stringify({ acknowledged, end, refusals }))
await firehose.close()
