// Everything `cellfeed router` can be told, by flag or by environment; a flag wins. All mistakes are reported at once.

import {
  type ConfigErrors,
  type Environment,
  type Flag,
  isConfigErrors,
  type Raw,
  readFlags,
} from '../runtime/flags.ts'
import {
  CLUSTER_FIELDS,
  CLUSTER_FLAGS,
  type ClusterConfig,
  clusterConfigOf,
  type ListenConfig,
  listenConfigOf,
  listenFields,
  listenFlags,
} from '../runtime/process-flags.ts'

export type RouterConfig = ClusterConfig & ListenConfig

const PORTS = { port: 7403, statusPort: 7405 }
const FIELDS = { ...CLUSTER_FIELDS, ...listenFields(PORTS) }

export const ROUTER_FLAGS: readonly Flag[] = [
  ...listenFlags('gRPC: which cell a user lives in', PORTS),
  ...CLUSTER_FLAGS,
]

export function parseRouterConfig(
  raw: Raw,
  environment: Environment = process.env,
): RouterConfig | ConfigErrors {
  const given = readFlags({ fields: FIELDS, flags: ROUTER_FLAGS }, raw, environment)
  if (isConfigErrors(given)) return given
  const errors: string[] = []
  const config = { ...clusterConfigOf(given, errors), ...listenConfigOf(given, errors) }
  return errors.length > 0 ? { errors } : Object.freeze(config)
}
