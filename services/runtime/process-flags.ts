// What the processes of a cluster have in common in their configs: control store, prefix, addresses to listen on, TLS between
// processes, log.

import { z } from 'zod'
import {
  CASSANDRA_FIELDS,
  CASSANDRA_FLAGS,
  type CassandraConfig,
  cassandraConfigOf,
} from './cassandra-flags.ts'
import {
  type ConfigErrors,
  duration,
  type Environment,
  type Flag,
  flag,
  isConfigErrors,
  pemText,
  port,
  portConflicts,
  type Raw,
  readFlags,
} from './flags.ts'
import { LOG_LEVELS, type LogLevel } from './log.ts'
import { checkPem } from './tls-flags.ts'

/** TLS of what processes of the cluster and its clients say to each other. PEM texts. */
export type ProcessTls = {
  /** Servers ask their callers for a certificate of these authorities; callers trust servers that have one. */
  readonly ca: string | undefined
  readonly certificate: string
  readonly key: string
}
/** Of every process: the control store, on Cassandra, is what they all have in common. */
export type ClusterConfig = {
  readonly cassandra: CassandraConfig
  readonly prefix: string
  readonly enginePatienceMs: number
  readonly logLevel: LogLevel
}
export type ListenConfig = {
  readonly host: string
  readonly port: number
  readonly statusPort: number
  readonly tls: ProcessTls | undefined
}

export const CLUSTER_FIELDS = {
  ...CASSANDRA_FIELDS,
  prefix: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,31}$/, 'wants 1-32 small letters, digits or _, a letter first')
    .default('cellfeed'),
  enginePatience: duration().default(30_000),
  logLevel: z.enum(LOG_LEVELS, `wants one of ${LOG_LEVELS.join(', ')}`).default('info'),
}

export const CLUSTER_FLAGS: readonly Flag[] = [
  ...CASSANDRA_FLAGS,
  flag(
    '--prefix <name>',
    'prefix',
    'what topics, keyspaces and keys of this cluster begin with (default: cellfeed)',
  ),
  flag(
    '--engine-patience <time>',
    'enginePatience',
    'how long a start waits for engines that do not answer (default: 30s)',
  ),
  flag('--log-level <level>', 'logLevel', `${LOG_LEVELS.join(', ')} (default: info)`),
]

/** What does not fit together is pushed to `errors`. */
export function clusterConfigOf(
  given: z.output<z.ZodObject<typeof CLUSTER_FIELDS>>,
  errors: string[],
): ClusterConfig {
  return {
    cassandra: cassandraConfigOf(given, errors),
    prefix: given.prefix,
    enginePatienceMs: given.enginePatience,
    logLevel: given.logLevel,
  }
}

/** Fields of a process that listens; `statusPort` of a process on port 0 is any free one, too. */
export function listenFields(defaults: { readonly port: number; readonly statusPort: number }) {
  return {
    host: z.string().min(1, 'wants a host name or address').default('127.0.0.1'),
    port: port().default(defaults.port),
    statusPort: port().default(defaults.statusPort),
    tlsCa: pemText().optional(),
    tlsCert: pemText().optional(),
    tlsKey: pemText().optional(),
  }
}

export function listenFlags(
  what: string,
  defaults: { readonly port: number; readonly statusPort: number },
): Flag[] {
  return [
    flag('--host <host>', 'host', 'address to listen on (default: 127.0.0.1)'),
    flag('--port <port>', 'port', `${what} (default: ${defaults.port}; 0: any free port)`),
    flag(
      '--status-port <port>',
      'statusPort',
      `HTTP: /metrics and /healthz (default: ${defaults.statusPort}; 0: any free port)`,
    ),
    flag('--tls-cert <file>', 'tlsCert', 'TLS between processes: the certificate to show, in PEM'),
    flag('--tls-key <file>', 'tlsKey', 'its key, in PEM'),
    flag(
      '--tls-ca <file>',
      'tlsCa',
      'whom to trust, in PEM; callers then need a certificate of theirs',
    ),
  ]
}

/** What does not fit together is pushed to `errors`. */
export function listenConfigOf(
  given: z.output<z.ZodObject<ReturnType<typeof listenFields>>>,
  errors: string[],
): ListenConfig {
  const { host, port: main, statusPort } = given
  errors.push(...portConflicts({ '--port': main, '--status-port': statusPort }))
  return { host, port: main, statusPort, tls: processTlsOf(given, errors) }
}

export type ListenerConfig = ClusterConfig & ListenConfig

/** All that a process is told which knows the control store, and listens for what `api` says. */
export function listenerConfig(
  api: string,
  ports: { readonly port: number; readonly statusPort: number },
) {
  const fields = { ...CLUSTER_FIELDS, ...listenFields(ports) }
  const flags: readonly Flag[] = [...listenFlags(api, ports), ...CLUSTER_FLAGS]
  const parse = (raw: Raw, environment: Environment): ListenerConfig | ConfigErrors => {
    const given = readFlags({ fields, flags }, raw, environment)
    if (isConfigErrors(given)) return given
    const errors: string[] = []
    const config = { ...clusterConfigOf(given, errors), ...listenConfigOf(given, errors) }
    return errors.length > 0 ? { errors } : Object.freeze(config)
  }
  return { flags, parse }
}

/** Undefined: plain connections. */
function processTlsOf(
  given: {
    readonly tlsCa?: string | undefined
    readonly tlsCert?: string | undefined
    readonly tlsKey?: string | undefined
  },
  errors: string[],
): ProcessTls | undefined {
  const { tlsCa: ca, tlsCert: certificate, tlsKey: key } = given
  if (ca === undefined && certificate === undefined && key === undefined) return undefined
  if (certificate === undefined || key === undefined) {
    errors.push(
      '--tls-cert and --tls-key go together, and --tls-ca needs both: give them, or none of them',
    )
    return undefined
  }
  const tls = Object.freeze({ ca, certificate, key })
  checkPem(tls, '--tls', errors)
  return tls
}
