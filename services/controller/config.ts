// Everything `cellfeed controller` can be told, by flag or by environment; a flag wins. All mistakes are reported at once.

import type { ConfigErrors, Environment, Raw } from '../runtime/flags.ts'
import { type ListenerConfig, listenerConfig } from '../runtime/process-flags.ts'

export type ControllerConfig = ListenerConfig

const listener = listenerConfig('admin gRPC API', { port: 7401, statusPort: 7404 })
export const CONTROLLER_FLAGS = listener.flags

export function parseControllerConfig(
  raw: Raw,
  environment: Environment = process.env,
): ControllerConfig | ConfigErrors {
  return listener.parse(raw, environment)
}
