// What all rounds of a drill share: the cluster, its users and what they know, those who watch, and what was seen of where
// everybody lives.

import { setTimeout as wait } from 'node:timers/promises'
import { type Cellfeed, CellfeedError, connect } from '../../services/client/connect.ts'
import type { Load } from '../chaos/load/load.ts'
import { relate } from '../chaos/load/writes.ts'
import { type ChaosPlan, ChaosRun, longLoad } from '../chaos/run-chaos.ts'
import type { DrilledCluster } from './cluster/drilled-cluster.ts'
import { Homes, type Quarter, QUARTERS, quarterOf } from './reads/homes.ts'
import { timedReads, type TimedRead } from './reads/timed-reads.ts'
import { Watcher } from './readers/watcher.ts'

export type DrillPlan = {
  readonly seed: number
  /** The first round, and how many there are. */
  readonly from: number
  readonly rounds: number
  /** No round begins later than that after the first. */
  readonly withinMs: number
  /** A killed process is started again after less than this. */
  readonly awayMsMax: number
  /** Rounds whose number it divides are those of standbys. Infinity: none is. */
  readonly standbyEvery: number
  readonly load: Omit<ChaosPlan, 'address' | 'seed' | 'through'>
}

/** Reads wait for a machine that is busy: how long they took is told, and only that they fail is wrong. */
export const LONG_LOAD: DrillPlan['load'] = { ...longLoad, timeoutMs: 15_000, recoveryMs: 300_000 }
export const SHORT_LOAD: DrillPlan['load'] = {
  ...LONG_LOAD,
  users: 16,
  followsPerUser: 4,
  writesBetween: 40,
}

const AUTHORS_WATCHED = 8
const LOOK_MS = 100

export class Stage {
  readonly cluster: DrilledCluster
  readonly plan: DrillPlan
  readonly run: ChaosRun
  /** Of an operator, who sees each answer as it is. */
  readonly operator: Cellfeed
  /** The users' connection, past the notes of what they read. */
  readonly unnoted: Cellfeed
  readonly homes = new Homes()
  readonly watchers: readonly Watcher[]
  readonly #patient: Cellfeed
  readonly #ending = new AbortController()
  readonly #looking: Promise<void>
  readonly #reads: TimedRead[]

  static async begin(cluster: DrilledCluster, plan: DrillPlan): Promise<Stage> {
    const { address } = cluster
    const reads: TimedRead[] = []
    const unnoted: Cellfeed[] = []
    const through = (feed: Cellfeed) => {
      unnoted.push(feed)
      return timedReads(feed, (read) => reads.push(read))
    }
    const run = await ChaosRun.begin({ ...plan.load, address, seed: plan.seed, through })
    const viewers = QUARTERS.map((quarter) => watcherIn(quarter))
    for (const viewer of viewers) await followSome(run.load, viewer)
    return new Stage({ cluster, plan, run, reads, unnoted, viewers })
  }

  private constructor(parts: {
    readonly cluster: DrilledCluster
    readonly plan: DrillPlan
    readonly run: ChaosRun
    readonly reads: TimedRead[]
    readonly unnoted: readonly Cellfeed[]
    readonly viewers: readonly string[]
  }) {
    const { cluster, plan, run, reads, unnoted, viewers } = parts
    const { address, adminAddress } = cluster
    const [users] = unnoted
    if (users === undefined) throw new Error('users have a connection')
    this.cluster = cluster
    this.plan = plan
    this.run = run
    this.unnoted = users
    this.operator = connect(address, { adminAddress, retry: { attemptsMax: 1 } })
    this.#patient = connect(address)
    this.watchers = viewers.map((viewer) => new Watcher(this.#patient, viewer))
    this.#reads = reads
    this.#looking = this.#look()
  }

  get load(): Load {
    return this.run.load
  }

  /** Pages that users asked for since this was asked last. */
  takeReads(): TimedRead[] {
    return this.#reads.splice(0)
  }

  usersIn(quarter: Quarter): string[] {
    return this.load.users.filter((user) => quarterOf(user) === quarter)
  }

  /** Somebody who lives there, and nobody else writes for. */
  watcherOf(quarter: Quarter): string {
    return watcherIn(quarter)
  }

  /** One user of each quarter that the cell owns now. */
  usersOf(cell: string): string[] {
    return QUARTERS.filter((quarter) => this.homes.ownerOf(quarter) === cell).map(watcherIn)
  }

  async end(): Promise<void> {
    this.#ending.abort()
    await this.#looking
    await Promise.all(this.watchers.map((watcher) => watcher.end()))
    await this.run.end()
    this.#patient.close()
    this.operator.close()
  }

  /** Where everybody lives, again and again. */
  async #look(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      for (const quarter of QUARTERS) {
        const askedMs = performance.now()
        try {
          const { user } = await this.operator.placement(watcherIn(quarter))
          const toldMs = performance.now()
          if (user !== undefined) this.homes.told(quarter, user.cell, { askedMs, toldMs })
        } catch (error) {
          if (!(error instanceof CellfeedError)) throw error
        }
      }
      await wait(LOOK_MS)
    }
  }
}

/** They follow the same authors from first to last, so that what they are told is one change after another. */
async function followSome(load: Load, user: string): Promise<void> {
  const dice = load.dice(user)
  const { signal } = new AbortController()
  const author = { load, session: user, feed: load.feed.session(), dice, signal }
  for (const target of new Set(
    Array.from({ length: AUTHORS_WATCHED }, () => dice.pick(load.users)),
  )) {
    const isFollowed = await relate(author, { kind: 'follow', user, target, on: true })
    if (!isFollowed) throw new Error(`${user} cannot follow ${target}`)
  }
}

/** The first of many names that falls there. */
function watcherIn(quarter: Quarter): string {
  for (let at = 0; ; at += 1) {
    const user = `watcher-${at}`
    if (quarterOf(user) === quarter) return user
  }
}
