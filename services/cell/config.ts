// Everything `cellfeed cell` can be told, by flag or by environment; a flag wins. All mistakes are reported at once.

import { z } from 'zod'
import type { CellLimits } from '../../cells/model/cell-limits.ts'
import {
  type ConfigErrors,
  duration,
  type Environment,
  type Flag,
  flag,
  hostPort,
  isConfigErrors,
  type Raw,
  readFlags,
  toggle,
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
import {
  REDIS_FIELDS,
  REDIS_FLAGS,
  type RedisConfig,
  redisConfigOf,
} from '../runtime/redis-flags.ts'
import {
  CELL_LIMIT_FIELDS,
  CELL_LIMIT_FLAGS,
  cellLimitConflicts,
  cellLimitsOf,
} from './cell-limit-flags.ts'

export type CellConfig = ClusterConfig &
  ListenConfig & {
    readonly kafka: KafkaConfig
    readonly name: string
    readonly redis: RedisConfig
    /** Where others reach this process; undefined: at the address it listens on. */
    readonly advertise: string | undefined
    readonly leaseMs: number
    readonly rebuild: RebuildConfig | undefined
    /** Serve although nobody saw some relations. */
    readonly acceptLoss: boolean
    readonly cellLimits: CellLimits
  }
/** Without a donor: any other cell. */
export type RebuildConfig = { readonly donor: string | undefined }

const PORTS = { port: 7410, statusPort: 7411 }
const LEASE_MIN_MS = 3_000
const LEASE_MAX_MS = 10_000
const LEASE_DEFAULT_MS = 6_000
const EVERY_ADDRESS = ['0.0.0.0', '::', '[::]']
const CELL_NAME = /^[a-z][a-z0-9-]{0,23}$/

const FIELDS = {
  ...KAFKA_FIELDS,
  ...CLUSTER_FIELDS,
  ...REDIS_FIELDS,
  ...listenFields(PORTS),
  ...CELL_LIMIT_FIELDS,
  name: z.string('has to be given: cell-1, cell-2, ...').regex(CELL_NAME, 'wants a cell: cell-1'),
  advertise: hostPort().optional(),
  lease: duration().default(LEASE_DEFAULT_MS),
  rebuild: toggle(),
  donor: z.string().regex(CELL_NAME, 'wants a cell: cell-1').optional(),
  acceptLoss: toggle(),
}

export const CELL_FLAGS: readonly Flag[] = [
  flag('--name <cell>', 'name', 'which cell this is: cell-1, cell-2, ...'),
  ...listenFlags('gRPC: gateways and direct reads', PORTS),
  flag(
    '--advertise <host:port>',
    'advertise',
    'where others reach it (default: --host and --port)',
  ),
  ...REDIS_FLAGS,
  ...CELL_LIMIT_FLAGS,
  flag(
    '--lease <time>',
    'lease',
    'a process that stood still for longer checks what it missed (default: 6s; 3s to 10s)',
  ),
  flag(
    '--rebuild',
    'rebuild',
    'the log no longer holds what it needs: copy posts from another cell',
  ),
  flag('--donor <cell>', 'donor', 'with --rebuild: which one (default: any)'),
  flag(
    '--accept-loss',
    'acceptLoss',
    'after a rebuild: serve without the relations that nobody saw',
  ),
  ...KAFKA_FLAGS,
  ...CLUSTER_FLAGS,
]

export function parseCellConfig(
  raw: Raw,
  environment: Environment = process.env,
): CellConfig | ConfigErrors {
  const given = readFlags({ fields: FIELDS, flags: CELL_FLAGS }, raw, environment)
  if (isConfigErrors(given)) return given
  const errors = cellLimitConflicts(given)
  const { host, advertise, lease } = given
  if (advertise === undefined && EVERY_ADDRESS.includes(host)) {
    errors.push(`--advertise: say where others reach this process, as ${host} is every address`)
  }
  if (lease < LEASE_MIN_MS || lease > LEASE_MAX_MS) errors.push('--lease wants 3s to 10s')
  if (!given.rebuild && given.donor !== undefined) errors.push('--donor goes with --rebuild')
  const config = {
    kafka: kafkaConfigOf(given, errors),
    ...clusterConfigOf(given, errors),
    ...listenConfigOf(given, errors),
    name: given.name,
    redis: redisConfigOf(given, errors),
    advertise,
    leaseMs: lease,
    rebuild: given.rebuild ? { donor: given.donor } : undefined,
    acceptLoss: given.acceptLoss,
    cellLimits: cellLimitsOf(given),
  }
  return errors.length > 0 ? { errors } : Object.freeze(config)
}
