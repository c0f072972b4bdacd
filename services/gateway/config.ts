// Everything `cellfeed gateway` can be told, by flag or by environment; a flag wins. All mistakes are reported at once.

import {
  type ConfigErrors,
  type Environment,
  type Flag,
  isConfigErrors,
  type Raw,
  readFlags,
} from '../runtime/flags.ts'
import {
  KAFKA_FIELDS,
  KAFKA_FLAGS,
  type KafkaConfig,
  kafkaConfigOf,
} from '../runtime/kafka-flags.ts'
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

export type GatewayConfig = ClusterConfig & ListenConfig & { readonly kafka: KafkaConfig }

const PORTS = { port: 7400, statusPort: 7402 }
const FIELDS = { ...KAFKA_FIELDS, ...CLUSTER_FIELDS, ...listenFields(PORTS) }

export const GATEWAY_FLAGS: readonly Flag[] = [
  ...listenFlags('public gRPC API', PORTS),
  ...KAFKA_FLAGS,
  ...CLUSTER_FLAGS,
]

export function parseGatewayConfig(
  raw: Raw,
  environment: Environment = process.env,
): GatewayConfig | ConfigErrors {
  const given = readFlags({ fields: FIELDS, flags: GATEWAY_FLAGS }, raw, environment)
  if (isConfigErrors(given)) return given
  const errors: string[] = []
  const config = {
    kafka: kafkaConfigOf(given, errors),
    ...clusterConfigOf(given, errors),
    ...listenConfigOf(given, errors),
  }
  return errors.length > 0 ? { errors } : Object.freeze(config)
}
