// Everything `cellfeed init` can be told, by flag or by environment; a flag wins. All mistakes are reported at once.

import {
  type ConfigErrors,
  duration,
  type Environment,
  type Flag,
  flag,
  integer,
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
} from '../runtime/process-flags.ts'

export type InitConfig = ClusterConfig & {
  readonly kafka: KafkaConfig
  /** Undefined: as the cluster was made, or the default. */
  readonly cells: number | undefined
  readonly partitions: number | undefined
  /** Copies of every record, and of every row. */
  readonly replication: { readonly kafka: number; readonly cassandra: number }
  readonly retentionMs: number
  /** Tell what an administrator would run, and change nothing. */
  readonly print: boolean
}

const CELLS_MAX = 64
const PARTITIONS_MAX = 256
const REPLICATION_MAX = 10
const WEEK_MS = 7 * 24 * 3_600_000

const FIELDS = {
  ...KAFKA_FIELDS,
  ...CLUSTER_FIELDS,
  cells: integer(1, CELLS_MAX).optional(),
  partitions: integer(1, PARTITIONS_MAX).optional(),
  replication: integer(1, REPLICATION_MAX).default(3),
  kafkaReplication: integer(1, REPLICATION_MAX).optional(),
  cassandraReplication: integer(1, REPLICATION_MAX).optional(),
  retention: duration().default(WEEK_MS),
  print: toggle(),
}

export const INIT_FLAGS: readonly Flag[] = [
  flag(
    '--cells <count>',
    'cells',
    'cells of a new cluster (default: 2); later: cellfeed cells add',
  ),
  flag(
    '--partitions <count>',
    'partitions',
    'partitions of a topic of a new cluster (default: 8); fixed for the life of the log',
  ),
  flag(
    '--replication <count>',
    'replication',
    'copies of every record and row (default: 3; 1 on a single server)',
  ),
  flag('--kafka-replication <count>', 'kafkaReplication', 'of records, if it is another'),
  flag('--cassandra-replication <count>', 'cassandraReplication', 'of rows, if it is another'),
  flag('--retention <time>', 'retention', 'how long the firehose keeps events (default: 7d)'),
  flag('--print', 'print', 'print what an administrator would run, and change nothing'),
  ...KAFKA_FLAGS,
  ...CLUSTER_FLAGS,
]

export function parseInitConfig(
  raw: Raw,
  environment: Environment = process.env,
): InitConfig | ConfigErrors {
  const given = readFlags({ fields: FIELDS, flags: INIT_FLAGS }, raw, environment)
  if (isConfigErrors(given)) return given
  const errors: string[] = []
  const engines = {
    kafka: kafkaConfigOf(given, errors),
    ...clusterConfigOf(given, errors),
  }
  if (errors.length > 0) return { errors }
  return Object.freeze({
    ...engines,
    cells: given.cells,
    partitions: given.partitions,
    replication: {
      kafka: given.kafkaReplication ?? given.replication,
      cassandra: given.cassandraReplication ?? given.replication,
    },
    retentionMs: given.retention,
    print: given.print,
  })
}
