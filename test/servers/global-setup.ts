// Starts or finds the servers once for all tests of this folder, says which, and ends what it started.

import type { TestProject } from 'vitest/node'
import { chooseEngines } from './choose-engines.ts'
import { readServersConfig, type ServersConfig } from './config.ts'
import { startContainers } from './container-engines.ts'
import type { StartedEngines } from './engines.ts'
import { startProcesses } from './process-engines.ts'
import { useRunning } from './running-engines.ts'

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const startedMs = performance.now()
  const { engines, description, stop } = await startEngines(readServersConfig())
  const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1)
  console.log(`engines: ${description}; ready after ${seconds} s`)
  project.provide('engines', engines)
  return stop
}

async function startEngines(config: ServersConfig): Promise<StartedEngines> {
  if (config.running !== undefined) return useRunning(config.running)
  const choice = await chooseEngines(config)
  if (choice.kind === 'none') throw new Error(`test/servers needs real servers: ${choice.reason}`)
  return choice.kind === 'containers'
    ? await startContainers(config.images)
    : await startProcesses(config)
}
