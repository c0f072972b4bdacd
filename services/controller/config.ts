// Everything `cellfeed controller` can be told, by flag or by environment; a flag wins. All mistakes are reported at once.

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

export type ControllerConfig = ClusterConfig & ListenConfig

const PORTS = { port: 7401, statusPort: 7404 }
const FIELDS = { ...CLUSTER_FIELDS, ...listenFields(PORTS) }

export const CONTROLLER_FLAGS: readonly Flag[] = [
  ...listenFlags('admin gRPC API', PORTS),
  ...CLUSTER_FLAGS,
]

export function parseControllerConfig(
  raw: Raw,
  environment: Environment = process.env,
): ControllerConfig | ConfigErrors {
  const given = readFlags({ fields: FIELDS, flags: CONTROLLER_FLAGS }, raw, environment)
  if (isConfigErrors(given)) return given
  const errors: string[] = []
  const config = { ...clusterConfigOf(given, errors), ...listenConfigOf(given, errors) }
  return errors.length > 0 ? { errors } : Object.freeze(config)
}
