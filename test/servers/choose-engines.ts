// Which way to get servers: those that run already, containers where a container engine answers, else processes.

import { missingPrograms } from '../../infra/local/installed-engines.ts'
import { containerEngine } from './container-engines.ts'
import type { ServersConfig } from './config.ts'

export type Choice =
  | { readonly kind: 'running' | 'containers' | 'processes' }
  | { readonly kind: 'none'; readonly reason: string }

export async function chooseEngines(config: ServersConfig): Promise<Choice> {
  if (config.running !== undefined) return { kind: 'running' }
  if (config.engines !== 'processes' && (await containerEngine()) !== undefined) {
    return { kind: 'containers' }
  }
  const noContainers = 'no container engine answers'
  if (config.engines === 'containers') return { kind: 'none', reason: noContainers }
  const missing = await missingPrograms(config)
  if (missing.length === 0) return { kind: 'processes' }
  return { kind: 'none', reason: `${noContainers}, and to run as processes: ${missing.join('; ')}` }
}
