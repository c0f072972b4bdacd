// Everything `cellfeed controller` can be told, by flag or by environment; a flag wins. All mistakes are reported at once.

import { z } from 'zod'
import {
  type ConfigErrors,
  duration,
  type Environment,
  type Flag,
  flag,
  isConfigErrors,
  type Raw,
  readFlags,
} from '../runtime/flags.ts'
import {
  CLUSTER_FIELDS,
  CLUSTER_FLAGS,
  clusterConfigOf,
  listenConfigOf,
  type ListenerConfig,
  listenFields,
  listenFlags,
} from '../runtime/process-flags.ts'

export type ControllerConfig = ListenerConfig & {
  /** How long a cell without standby is gone until others take its slots in; endless: never by themselves. */
  readonly adoptAfterMs: number
}

const PORTS = { port: 7401, statusPort: 7404 }
/** A process that is started again announces itself sooner, and a cell that loads is not gone. */
export const ADOPT_AFTER_MS = 10_000

const FIELDS = {
  ...CLUSTER_FIELDS,
  ...listenFields(PORTS),
  adoptAfter: z
    .union(
      [z.literal('never').transform(() => Number.POSITIVE_INFINITY), duration()],
      'wants a time such as 500ms, 10s or 15m, or never',
    )
    .default(ADOPT_AFTER_MS),
}

export const CONTROLLER_FLAGS: readonly Flag[] = [
  ...listenFlags('admin gRPC API', PORTS),
  flag(
    '--adopt-after <time>',
    'adoptAfter',
    'how long a cell is gone until others take in its slots that have no standby (default: 10s; never)',
  ),
  ...CLUSTER_FLAGS,
]

export function parseControllerConfig(
  raw: Raw,
  environment: Environment = process.env,
): ControllerConfig | ConfigErrors {
  const given = readFlags({ fields: FIELDS, flags: CONTROLLER_FLAGS }, raw, environment)
  if (isConfigErrors(given)) return given
  const errors: string[] = []
  const config = {
    ...clusterConfigOf(given, errors),
    ...listenConfigOf(given, errors),
    adoptAfterMs: given.adoptAfter,
  }
  return errors.length > 0 ? { errors } : Object.freeze(config)
}
