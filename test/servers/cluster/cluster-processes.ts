// A cluster as it is in production, on the servers that the tests share: `cellfeed init`, then a process for each cell, a gateway,
// a router and a controller. Everything is under a prefix of its own, and gone in the end.

import { freePorts } from '../../../infra/local/free-ports.ts'
import { KAFKA_LIMITS } from '../../../infra/kafka/kafka-limits.ts'
import { silentLog } from '../../../infra/kafka/kafka-log.ts'
import { topicNames } from '../../../infra/kafka/kafka-options.ts'
import { kafkajsAdmin } from '../../../infra/kafka/kafkajs-client.ts'
import { cellKeyspace, controlKeyspace } from '../../../infra/cassandra/cassandra-options.ts'
import { Session } from '../../../infra/cassandra/session.ts'
import { type Cellfeed, connect, type ConnectOptions } from '../../../services/client/connect.ts'
import { type Ran, runCli } from '../../e2e/run-cli.ts'
import type { Engines } from '../engines.ts'
import { argvOf, CellfeedProcess, type Flags, type ProcessCommand } from './cellfeed-process.ts'

export type ClusterPlan = {
  readonly engines: Engines
  readonly cells: number
  /** Further flags of each cell. */
  readonly cellFlags?: Flags
  readonly controllerFlags?: Flags
}

const CALL_MS = 60_000

export class ClusterProcesses {
  readonly prefix: string
  readonly cells: readonly CellfeedProcess[]
  readonly gateway: CellfeedProcess
  readonly controller: CellfeedProcess
  readonly router: CellfeedProcess
  readonly #plan: ClusterPlan
  readonly #others = new Set<CellfeedProcess>()
  readonly #feeds = new Set<Cellfeed>()

  static async start(plan: ClusterPlan): Promise<ClusterProcesses> {
    const cluster = await ClusterProcesses.startNone(plan)
    return cluster.#orEnded(async () => {
      await Promise.all(cluster.#all.map((started) => started.start()))
    })
  }

  /** Set up, with none of its processes started. */
  static async startNone(plan: ClusterPlan): Promise<ClusterProcesses> {
    const prefix = `p${process.pid}_${Date.now().toString(36)}`
    const ports = await freePorts(2 * (plan.cells + 3))
    const cluster = new ClusterProcesses(plan, prefix, ports)
    return cluster.#orEnded(async () => {
      const made = await cluster.init(['--cells', String(plan.cells)])
      if (made.code !== 0) throw new Error(`cellfeed init: ${made.out}${made.err}`)
    })
  }

  /** What could be started is ended when something can not. */
  async #orEnded(start: () => Promise<void>): Promise<ClusterProcesses> {
    try {
      await start()
      return this
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  private constructor(plan: ClusterPlan, prefix: string, ports: number[]) {
    this.prefix = prefix
    this.#plan = plan
    const take = () => ports.pop() ?? 0
    const process = (command: ProcessCommand, flags: Flags) =>
      new CellfeedProcess(command, { ...flags, port: take(), 'status-port': take() })
    this.cells = Array.from({ length: plan.cells }, (_, at) =>
      process('cell', this.cellFlags(`cell-${at + 1}`)),
    )
    this.gateway = process('gateway', this.engineFlags)
    this.controller = process('controller', { ...this.controlFlags, ...plan.controllerFlags })
    this.router = process('router', this.controlFlags)
  }

  get controlFlags(): Flags {
    const { contactPoints, localDataCenter } = this.#plan.engines.cassandra
    const { prefix } = this
    return { cassandra: contactPoints.join(','), datacenter: localDataCenter, prefix }
  }

  get engineFlags(): Flags {
    return { ...this.controlFlags, kafka: this.#plan.engines.kafka.brokers.join(',') }
  }

  cellFlags(name: string): Flags {
    const { host, port } = this.#plan.engines.redis
    const redis = `redis://${host}:${port}/0`
    return { ...this.engineFlags, redis, name, lease: '3s', ...this.#plan.cellFlags }
  }

  get #all(): readonly CellfeedProcess[] {
    return [...this.cells, this.gateway, this.controller, this.router]
  }

  /** `cell-2` and so on. */
  cell(name: string): CellfeedProcess {
    const found = this.cells.find(({ flags }) => flags['name'] === name)
    if (found === undefined) throw new Error(`there is no ${name}`)
    return found
  }

  /** Another process of a cell, on ports of its own; not started yet. It ends with the cluster. */
  async another(name: string): Promise<CellfeedProcess> {
    const [port = 0, statusPort = 0] = await freePorts(2)
    const flags = { ...this.cellFlags(name), port, 'status-port': statusPort }
    const second = new CellfeedProcess('cell', flags)
    this.#others.add(second)
    return second
  }

  init(more: readonly string[]): Promise<Ran> {
    const flags = { ...this.engineFlags, replication: 1 }
    return runCli(['init', ...argvOf(flags), ...more])
  }

  /** A client command, on this cluster. */
  run(...argv: string[]): Promise<Ran> {
    const { address } = this.gateway
    return runCli(argv, { address, adminAddress: this.controller.address })
  }

  /** Closed with the cluster. By default nothing is tried again: what is told as done was done at the first attempt. */
  connect(options: ConnectOptions = { retry: { attemptsMax: 1 } }): Cellfeed {
    const feed = connect(this.gateway.address, {
      adminAddress: this.controller.address,
      routerAddress: this.router.address,
      timeoutMs: CALL_MS,
      ...options,
    })
    this.#feeds.add(feed)
    return feed
  }

  /** Ends every process, and removes what was made on the servers. */
  async stop(): Promise<void> {
    for (const feed of this.#feeds) feed.close()
    await Promise.all([...this.#all, ...this.#others].map((started) => started.kill()))
    await Promise.allSettled([this.#dropTopics(), this.#dropKeyspaces()])
  }

  async #dropTopics(): Promise<void> {
    const { brokers } = this.#plan.engines.kafka
    const options = { brokers, clientId: this.prefix, prefix: this.prefix }
    const admin = kafkajsAdmin(
      { ...options, tls: undefined, sasl: undefined },
      KAFKA_LIMITS,
      silentLog,
    )
    await admin.connect()
    await admin.deleteTopics({ topics: Object.values(topicNames(this.prefix)) })
    await admin.disconnect()
  }

  async #dropKeyspaces(): Promise<void> {
    const { prefix } = this
    const session = await Session.openForSchema({
      ...this.#plan.engines.cassandra,
      prefix,
      credentials: undefined,
      tls: undefined,
    })
    const cells = [...this.cells, ...this.#others].map(({ flags }) => String(flags['name']))
    const names = cells.map((cell) => cellKeyspace(prefix, cell))
    for (const keyspace of new Set([controlKeyspace(prefix), ...names])) {
      await session.define(`DROP KEYSPACE IF EXISTS ${keyspace}`)
    }
    await session.close()
  }
}
