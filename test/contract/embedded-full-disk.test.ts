// A full disk refuses appends and loses nothing: the process lives, the log ends where it was acknowledged, and goes on when
// there is room again.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { EmbeddedFirehose } from '../../infra/embedded/firehose.ts'
import { manualClock } from './manual-clock.ts'
import { postBy } from './sample-events.ts'
import { testFolders } from './test-folders.ts'

const { folder, closeLater } = testFolders()
const KIBIBYTES_MAX = 2_000

test('appends to a full disk are refused whole, and the log goes on afterwards', async () => {
  const path = await folder()
  const script = join(import.meta.dirname, 'embedded-on-full-disk.ts')
  // Files may not grow beyond the limit; with the signal ignored, writing fails as on a full disk.
  const limited = `trap '' XFSZ; ulimit -f ${KIBIBYTES_MAX}; exec "$@"`
  const command = [process.execPath, '--import', 'tsx', script, path]
  const { stdout } = await promisify(execFile)('bash', ['-c', limited, 'bash', ...command])
  const told = JSON.parse(stdout) as { acknowledged: number; end: number; refusals: string[] }
  expect(told.refusals).toEqual(['COMMIT_FAILED', 'COMMIT_FAILED', 'COMMIT_FAILED'])
  expect(told.acknowledged).toBeGreaterThan(0)
  expect(told.end).toBe(told.acknowledged)

  const firehose = closeLater(await EmbeddedFirehose.open({ path, clock: manualClock() }))
  const [next] = await firehose.append([postBy('anna')])
  expect(next?.offset).toBe(told.end)
})
