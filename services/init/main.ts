// `cellfeed init`: the topics, tables and first documents of a cluster. Safe to repeat: what is there is compared, never changed.
// Topics come first, as they refuse a replication that the brokers can not give; then tables; then the documents, by which
// processes know that there is a cluster. This file alone picks the adapters.

import { compareSchema, createSchema, planSchema } from '../../infra/cassandra/schema.ts'
import { CassandraControlStore } from '../../infra/cassandra/control-store.ts'
import { KAFKA_LIMITS } from '../../infra/kafka/kafka-limits.ts'
import { silentLog } from '../../infra/kafka/kafka-log.ts'
import { topicNames } from '../../infra/kafka/kafka-options.ts'
import { planTopics, printTopics, TopicAdmin, type TopicPlan } from '../../infra/kafka/topics.ts'
import { systemClock } from '../../infra/system/clock.ts'
import { Closing } from '../runtime/closing.ts'
import { EXIT_FAILED, EXIT_OK } from '../runtime/lifecycle.ts'
import { createLog } from '../runtime/log.ts'
import { cassandraAt, causeOf, type Engine, kafkaAt, openEngine } from '../runtime/open-engine.ts'
import { messageOf, type Output, type ProcessExit, StartFailure } from '../runtime/run-process.ts'
import type { InitConfig } from './config.ts'
import { CELLS_DEFAULT, type ClusterFound, findCluster, makeDocuments } from './documents.ts'
import { InitReport } from './report.ts'

const PARTITIONS_DEFAULT = 8

/** What a cluster can not run with if it is otherwise; other settings are the administrator's to choose. */
const TOPIC_MUSTS = new Set(['topic', 'partitions', 'message.timestamp.type', 'cleanup.policy'])

export async function runInit(config: InitConfig, { out, note }: Output): Promise<ProcessExit> {
  if (config.print) {
    print(config, out)
    return EXIT_OK
  }
  const closing = new Closing()
  try {
    const report = new InitReport(out)
    const cells = await setUp(config, report, closing)
    if (report.problems === undefined) {
      out(`ready: cluster ${config.prefix} with ${cells.join(', ')}`)
      return EXIT_OK
    }
    note(`cellfeed: ${report.problems}`)
    return EXIT_FAILED
  } catch (error) {
    note(`cellfeed: ${messageOf(error)}`)
    return error instanceof StartFailure ? error.exit : EXIT_FAILED
  } finally {
    await closing.close().catch(() => undefined)
  }
}

async function setUp(
  config: InitConfig,
  report: InitReport,
  closing: Closing,
): Promise<readonly string[]> {
  const { prefix, cassandra } = config
  const asked = <T>(engine: Engine, open: () => Promise<T>) => openEngine(engine, open, patience)
  const atCassandra = cassandraAt(cassandra.contactPoints)
  const patience = {
    clock: systemClock,
    log: createLog(config.logLevel),
    patienceMs: config.enginePatienceMs,
    signal: new AbortController().signal,
  }
  const admin = await asked(kafkaAt(config.kafka.brokers), () =>
    TopicAdmin.open({
      ...config.kafka,
      prefix,
      clientId: `${prefix}-init`,
      log: silentLog,
      timeouts: KAFKA_LIMITS,
    }),
  )
  closing.add(() => admin.close())
  const schema = (cells: readonly string[]) => ({
    ...cassandra,
    prefix,
    cells,
    replication: { [cassandra.localDataCenter]: config.replication.cassandra },
  })
  const openControl = () =>
    asked(atCassandra, () => CassandraControlStore.open({ ...cassandra, prefix }))
  const missing = await asked(atCassandra, () => compareSchema(schema([])))
  const isNew = missing.some(({ isFatal }) => isFatal)
  const before: ClusterFound = isNew
    ? { cells: undefined, log: undefined }
    : await whatThereIs(await openControl())

  const kafkaClusterId = await admin.clusterId()
  const partitionsPerTopic =
    before.log?.partitionsPerTopic ?? config.partitions ?? PARTITIONS_DEFAULT
  compareCluster(config, before, kafkaClusterId, report)
  const topics = { partitionsPerTopic, replication: config.replication.kafka }
  const plan = planTopics({ prefix, ...topics, retentionMs: config.retentionMs })
  await makeTopics(admin, plan, before, report)
  if (report.problems !== undefined) return before.cells ?? []

  const cells = before.cells ?? cellNames(config.cells ?? CELLS_DEFAULT)
  const wasMissing = await asked(atCassandra, () => compareSchema(schema(cells)))
  const left = await asked(atCassandra, () => createSchema(schema(cells)))
  const made = wasMissing.filter(({ isFatal }) => isFatal)
  for (const { text } of made) report.made(text.replace(' is missing', ''))
  if (made.length === 0) report.wasThere('keyspaces')
  for (const { text } of left) report.differs(text)

  const control = await openControl()
  closing.add(() => control.close())
  const wanted = { cells: config.cells, log: { partitionsPerTopic, kafkaClusterId } }
  return makeDocuments(control, wanted, report)
}

async function whatThereIs(control: CassandraControlStore): Promise<ClusterFound> {
  try {
    return await findCluster(control)
  } finally {
    await control.close()
  }
}

/** The cells and the log that the cluster has are those it keeps. */
function compareCluster(
  { cells, partitions, kafka }: InitConfig,
  { cells: known, log }: ClusterFound,
  kafkaClusterId: string,
  report: InitReport,
): void {
  if (known !== undefined && cells !== undefined && known.length !== cells) {
    report.problem(
      `the cluster was made with ${known.length} ${known.length === 1 ? 'cell' : 'cells'}, not ${cells}: leave --cells out`,
    )
  }
  if (log === undefined) return
  if (log.kafkaClusterId !== kafkaClusterId) {
    report.problem(
      `Kafka at ${kafka.brokers.join(',')} is ${kafkaClusterId}, the cluster's log is on ${log.kafkaClusterId}: check --kafka`,
    )
  }
  if (partitions !== undefined && partitions !== log.partitionsPerTopic) {
    report.problem(
      `the log was made with ${log.partitionsPerTopic} partitions a topic, not ${partitions}: leave --partitions out`,
    )
  }
}

async function makeTopics(
  admin: TopicAdmin,
  plan: readonly TopicPlan[],
  before: ClusterFound,
  report: InitReport,
): Promise<void> {
  const gone = (await admin.differences(plan)).filter(({ what }) => what === 'topic')
  const ofLog = plan.slice(0, 2).map(({ topic }) => topic)
  const lost = gone.map(({ topic }) => topic).filter((topic) => ofLog.includes(topic))
  if (before.log !== undefined && lost.length > 0) {
    report.problem(
      `topic ${lost.join(', ')} is gone, and with it the log ${before.log.logId}: a topic made anew would be another log`,
    )
    return
  }
  if (report.problems !== undefined) return
  const made = await admin.createMissing(plan).catch((error: unknown) => {
    throw topicsRefused(error, plan)
  })
  for (const { topic, partitions, replication } of plan) {
    const what = `topic ${topic}, ${partitions} partitions, replication ${replication}`
    if (made.includes(topic)) report.made(what)
    else report.wasThere(`topic ${topic}`)
  }
  for (const { topic, what, planned, found } of await admin.differences(plan)) {
    const line = `topic ${topic}: ${what} is ${found}, wanted: ${planned}`
    if (TOPIC_MUSTS.has(what)) report.problem(line)
    else report.differs(line)
  }
}

function topicsRefused(error: unknown, [plan]: readonly TopicPlan[]): Error {
  const message = causeOf(error)
  if (!/replication/i.test(message)) return new Error(message, { cause: error })
  const line = `Kafka can not keep ${plan?.replication ?? 0} copies: ${message}; on a single broker say --replication 1, or --kafka-replication 1 if rows have more copies`
  return new StartFailure(line, EXIT_FAILED, { cause: error })
}

/** From the flags alone: it may be printed where neither engine is there yet. */
function print(config: InitConfig, out: (line: string) => void): void {
  const { prefix, replication, retentionMs } = config
  const partitionsPerTopic = config.partitions ?? PARTITIONS_DEFAULT
  const plan = planTopics({
    prefix,
    partitionsPerTopic,
    replication: replication.kafka,
    retentionMs,
  })
  out('# Kafka')
  for (const command of printTopics(plan, config.kafka.brokers)) out(command)
  out('')
  out('-- Cassandra (cqlsh)')
  const cells = cellNames(config.cells ?? CELLS_DEFAULT)
  const replicas = { [config.cassandra.localDataCenter]: replication.cassandra }
  for (const statement of planSchema({ prefix, cells, replication: replicas })) out(`${statement};`)
  out('')
  out(
    `# Then "cellfeed init" makes the first documents: ${topicNames(prefix).public} is ready by then.`,
  )
}

function cellNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `cell-${index + 1}`)
}
