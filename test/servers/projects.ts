// Prints the flags with which vitest leaves out the tests that cannot run on this machine, and says so loudly. Under CI
// nothing may be left out, so there it fails instead.

import { chooseEngines } from './choose-engines.ts'
import { readServersConfig } from './config.ts'

const config = readServersConfig()
const choice = await chooseEngines(config)
if (choice.kind === 'none') {
  console.error(`
=====================================================================================================
 LEFT OUT: all tests on real servers (test/servers: Kafka, Cassandra, Redis).
 ${choice.reason}
=====================================================================================================
`)
  if (config.nothingLeftOut) process.exitCode = 1
  else console.log('--project=!servers')
}
