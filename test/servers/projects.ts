// Prints the flags with which vitest leaves out the tests that cannot run on this machine, and says so loudly. Under CI
// nothing may be left out, so there it fails instead. With --shared-only: the flags that leave the shared servers' tests.

import { missingPrograms } from '../../infra/local/installed-engines.ts'
import { chooseEngines } from './choose-engines.ts'
import { readServersConfig } from './config.ts'

/** They stop, kill or secure servers, so they start their own as processes, also where the shared ones are containers. */
const NEEDS_PROCESSES = [
  'test/servers/chaos/**',
  'test/servers/kafka/faults.test.ts',
  'test/servers/kafka/secured.test.ts',
  'test/servers/processes/**',
  'test/servers/redis/credentials.test.ts',
  'test/servers/redis/faults.test.ts',
  'test/servers/redis/removed-stays-removed.test.ts',
]

/** Bounded in time while it kills cells: containers beside it are too slow on a small machine. It runs where servers are processes. */
const TOO_SLOW_IN_CONTAINERS = ['test/servers/cluster/drill.test.ts']

const sharedOnly = [...NEEDS_PROCESSES, ...TOO_SLOW_IN_CONTAINERS].map(
  (files) => `--exclude=${files}`,
)
const config = readServersConfig()

if (process.argv.includes('--shared-only')) console.log(sharedOnly.join(' '))
else await leaveOutWhatCanNotRun()

async function leaveOutWhatCanNotRun(): Promise<void> {
  const choice = await chooseEngines(config)
  if (choice.kind === 'none') {
    leaveOut(['--project=!servers'], `all tests on real servers: ${choice.reason}`)
    return
  }
  const missing = await missingPrograms(config)
  if (missing.length === 0) return
  leaveOut(
    sharedOnly,
    `the tests that kill and secure servers, which run as processes. Missing: ${missing.join('; ')}`,
  )
}

function leaveOut(flags: readonly string[], what: string): void {
  const rule = '='.repeat(100)
  console.error(`\n${rule}\n LEFT OUT: ${what}\n${rule}\n`)
  if (config.nothingLeftOut) process.exitCode = 1
  else console.log(flags.join(' '))
}
