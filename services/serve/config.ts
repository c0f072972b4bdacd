// Everything `cellfeed serve` can be told, by flag or by environment; a flag wins. All mistakes are reported at once.

import { z } from 'zod'
import { CELL_LIMITS, type CellLimits } from '../../cells/model/cell-limits.ts'
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
/** One line each: what is wrong and with which flag. */
export type ConfigErrors = { readonly errors: readonly string[] }

export type ServeFlag = {
  /** As commander wants it: `--port <port>`. */
  readonly flags: string
  /** The key of its value in what commander hands over. */
  readonly key: keyof typeof FIELDS
  readonly environment: string
  readonly description: string
}

const CELLS_MAX = 64
const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

const RETENTION_MIN_MS = UNITS_MS.h

/** Text to value; each says itself what it wants. */
const FIELDS = {
  data: z.string().min(1, 'wants a folder').default('./cellfeed-data'),
  cells: integer(1, CELLS_MAX).optional(),
  host: z.string().min(1, 'wants a host name or address').default('127.0.0.1'),
  port: integer(0, 65_535).default(7400),
  adminPort: integer(0, 65_535).default(7401),
  statusPort: integer(0, 65_535).optional(),
  fsync: z.enum(['always', 'never'], 'wants always or never').default('always'),
  retention: duration().default(7 * UNITS_MS.d),
  windowPosts: integer(1_000, 16_000_000).default(CELL_LIMITS.windowPostsKept),
  generationPosts: integer(100, 100_000_000).default(CELL_LIMITS.generationPosts),
  generationAge: duration().default(CELL_LIMITS.generationMs),
  checkpointInterval: duration().default(CELL_LIMITS.checkpointMs),
  logLevel: z.enum(LOG_LEVELS, `wants one of ${LOG_LEVELS.join(', ')}`).default('warn'),
}

export const SERVE_FLAGS: readonly ServeFlag[] = [
  flag('--data <folder>', 'data', 'where everything is kept (default: ./cellfeed-data)'),
  flag('--cells <count>', 'cells', 'cells of a new data folder (default: 2); fixed from then on'),
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
  flag(
    '--window-posts <count>',
    'windowPosts',
    'newest posts kept in memory, per cell (default: 1000000)',
  ),
  flag(
    '--generation-posts <count>',
    'generationPosts',
    'posts after which they are written into inboxes (default: 250000)',
  ),
  flag(
    '--generation-age <time>',
    'generationAge',
    'or time after which they are, if that is earlier (default: 1h)',
  ),
  flag(
    '--checkpoint-interval <time>',
    'checkpointInterval',
    'time between checkpoints of a cell (default: 10s)',
  ),
  flag('--log-level <level>', 'logLevel', `${LOG_LEVELS.join(', ')} (default: warn)`),
]

type Raw = Readonly<Record<string, unknown>>
type Environment = Readonly<Record<string, string | undefined>>

/** `raw` by the keys of SERVE_FLAGS, as texts or numbers. An empty variable of the environment counts as absent. */
export function parseServeConfig(
  raw: Raw,
  environment: Environment = process.env,
): ServeConfig | ConfigErrors {
  const texts = Object.fromEntries(
    SERVE_FLAGS.map(({ key, environment: name }) => [
      key,
      textOf(raw[key] ?? (environment[name] || undefined)),
    ]),
  )
  const parsed = z.object(FIELDS).safeParse(texts)
  if (!parsed.success) {
    return { errors: parsed.error.issues.map((issue) => describe(issue, raw)) }
  }
  const given = parsed.data
  const errors = conflictsIn(given)
  return errors.length > 0 ? { errors } : configOf(given)
}

export function isConfigErrors(parsed: ServeConfig | ConfigErrors): parsed is ConfigErrors {
  return 'errors' in parsed
}

type Given = z.infer<z.ZodObject<typeof FIELDS>>

function configOf(given: Given): ServeConfig {
  return Object.freeze({
    dataFolder: given.data,
    cells: given.cells,
    host: given.host,
    port: given.port,
    adminPort: given.adminPort,
    statusPort: statusPortOf(given),
    fsync: given.fsync,
    retentionMs: given.retention,
    logLevel: given.logLevel,
    cellLimits: Object.freeze({
      ...CELL_LIMITS,
      windowPostsKept: given.windowPosts,
      windowPostsMax: Math.max(CELL_LIMITS.windowPostsMax, given.windowPosts * 4),
      generationPosts: given.generationPosts,
      generationMs: given.generationAge,
      checkpointMs: given.checkpointInterval,
      unreadCap: 1_000,
    }),
  })
}

function conflictsIn(given: Given): string[] {
  const ports = [given.port, given.adminPort, statusPortOf(given)].filter((port) => port !== 0)
  const errors: string[] = []
  if (new Set(ports).size < ports.length) {
    errors.push('--port, --admin-port and --status-port have to be different')
  }
  if (statusPortOf(given) > 65_535) errors.push('--status-port: name one, 65536 is none')
  if (given.retention < RETENTION_MIN_MS) {
    errors.push('--retention: at least 1h, as a cell that restarts reads the newest events again')
  }
  if (given.generationPosts > given.windowPosts) {
    errors.push(
      '--generation-posts: at most --window-posts, as generations are parts of the window',
    )
  }
  return errors
}

function statusPortOf(given: Pick<Given, 'statusPort' | 'adminPort'>): number {
  return given.statusPort ?? (given.adminPort === 0 ? 0 : given.adminPort + 1)
}

function describe(issue: z.core.$ZodIssue, raw: Raw): string {
  const flagged = SERVE_FLAGS.find(({ key }) => key === issue.path[0])
  if (flagged === undefined) return issue.message
  const name = flagged.flags.split(' ')[0] ?? flagged.flags
  const from = raw[flagged.key] === undefined ? ` (from ${flagged.environment})` : ''
  return `${name}${from} ${issue.message}`
}

function flag(flags: string, key: keyof typeof FIELDS, description: string): ServeFlag {
  const environment = `CELLFEED_${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
  return { flags, key, environment, description }
}

function integer(min: number, max: number) {
  const message = `wants a whole number from ${min} to ${max}`
  return z
    .string()
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max, message)
    .transform(Number)
}

function duration() {
  return z
    .string()
    .regex(/^[1-9]\d{0,8}(ms|s|m|h|d)$/, 'wants a time such as 500ms, 10s, 15m, 12h or 7d')
    .transform((text) => {
      const unit = text.replace(/\d+/, '') as keyof typeof UNITS_MS
      return Number.parseInt(text, 10) * UNITS_MS[unit]
    })
}

function textOf(value: unknown): unknown {
  return typeof value === 'number' ? String(value) : value
}
