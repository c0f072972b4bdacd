// Everything `cellfeed router` can be told, by flag or by environment; a flag wins. All mistakes are reported at once.

import type { ConfigErrors, Environment, Raw } from '../runtime/flags.ts'
import { type ListenerConfig, listenerConfig } from '../runtime/process-flags.ts'

export type RouterConfig = ListenerConfig

const listener = listenerConfig('gRPC: which cell a user lives in', {
  port: 7403,
  statusPort: 7405,
})
export const ROUTER_FLAGS = listener.flags

export function parseRouterConfig(
  raw: Raw,
  environment: Environment = process.env,
): RouterConfig | ConfigErrors {
  return listener.parse(raw, environment)
}
