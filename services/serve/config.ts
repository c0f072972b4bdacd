// Everything `cellfeed serve` can be told, by flag or by environment; a flag wins. All mistakes are reported at once.

import { z } from 'zod'
import type { CellLimits } from '../../cells/model/cell-limits.ts'
import {
  CELL_LIMIT_FIELDS,
  CELL_LIMIT_FLAGS,
  cellLimitConflicts,
  cellLimitsOf,
} from '../cell/cell-limit-flags.ts'
import {
  type ConfigErrors,
  duration,
  type Environment,
  type Flag,
  flag,
  integer,
  isConfigErrors,
  port,
  portAfter,
  portConflicts,
  type Raw,
  readFlags,
} from '../runtime/flags.ts'
import { LOG_LEVELS, type LogLevel } from '../runtime/log.ts'

export type Fsync = 'always' | 'never'
export type ServeConfig = {
  readonly dataFolder: string
  /** Undefined: as many as the data folder was made with, two in a new one. */
  readonly cells: number | undefined
  readonly host: string
  readonly port: number
  readonly adminPort: number
  readonly statusPort: number
  readonly fsync: Fsync
  readonly retentionMs: number
  readonly logLevel: LogLevel
  readonly cellLimits: CellLimits
}

const CELLS_MAX = 64
const HOUR_MS = 3_600_000
const RETENTION_DEFAULT_MS = 7 * 24 * HOUR_MS
const RETENTION_MIN_MS = HOUR_MS

/** Text to value; each says itself what it wants. */
const FIELDS = {
  data: z.string().min(1, 'wants a folder').default('./cellfeed-data'),
  cells: integer(1, CELLS_MAX).optional(),
  host: z.string().min(1, 'wants a host name or address').default('127.0.0.1'),
  port: port().default(7400),
  adminPort: port().default(7401),
  statusPort: port().optional(),
  fsync: z.enum(['always', 'never'], 'wants always or never').default('always'),
  retention: duration().default(RETENTION_DEFAULT_MS),
  ...CELL_LIMIT_FIELDS,
  logLevel: z.enum(LOG_LEVELS, `wants one of ${LOG_LEVELS.join(', ')}`).default('warn'),
}

export const SERVE_FLAGS: readonly Flag[] = [
  flag('--data <folder>', 'data', 'where everything is kept (default: ./cellfeed-data)'),
  flag(
    '--cells <count>',
    'cells',
    'cells of a new data folder (default: 2); later: cellfeed cells add',
  ),
  flag('--host <host>', 'host', 'address to listen on (default: 127.0.0.1)'),
  flag('--port <port>', 'port', 'public gRPC API (default: 7400; 0: any free port)'),
  flag('--admin-port <port>', 'adminPort', 'admin gRPC API (default: 7401; 0: any free port)'),
  flag(
    '--status-port <port>',
    'statusPort',
    'HTTP: /metrics and /healthz (default: admin port + 1)',
  ),
  flag(
    '--fsync <when>',
    'fsync',
    'always: before a write is acknowledged (default); never: when the system likes, so that\n' +
      'a power cut, but no crash of the process, can lose the whole data folder',
  ),
  flag('--retention <time>', 'retention', 'how long the firehose keeps events (default: 7d)'),
  ...CELL_LIMIT_FLAGS,
  flag('--log-level <level>', 'logLevel', `${LOG_LEVELS.join(', ')} (default: warn)`),
]

export function parseServeConfig(
  raw: Raw,
  environment: Environment = process.env,
): ServeConfig | ConfigErrors {
  const given = readFlags({ fields: FIELDS, flags: SERVE_FLAGS }, raw, environment)
  if (isConfigErrors(given)) return given
  const statusPort = portAfter(given.adminPort, given.statusPort)
  const ports = {
    '--port': given.port,
    '--admin-port': given.adminPort,
    '--status-port': statusPort,
  }
  const errors = [...portConflicts(ports), ...cellLimitConflicts(given)]
  if (given.retention < RETENTION_MIN_MS) {
    errors.push('--retention: at least 1h, as a cell that restarts reads the newest events again')
  }
  if (errors.length > 0) return { errors }
  return Object.freeze({
    dataFolder: given.data,
    cells: given.cells,
    host: given.host,
    port: given.port,
    adminPort: given.adminPort,
    statusPort,
    fsync: given.fsync,
    retentionMs: given.retention,
    logLevel: given.logLevel,
    cellLimits: cellLimitsOf(given),
  })
}
