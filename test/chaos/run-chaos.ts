// Users do what users do, a fault strikes in the middle, the servers get well again, and everything that was acknowledged is
// looked for; then the next fault, with the same users and all that they remember. Progress decides when to go on, never a
// time alone:
//
//   found the graph | load ........................................ | settle some | judge | load ...
//                       so many acknowledged | fault strikes, is over | so many more

import { type Cellfeed, connect } from '../../services/client/connect.ts'
import { LogPicture } from './check/log-picture.ts'
import { judge, type Verdict } from './judge.ts'
import { Actor } from './load/actor.ts'
import { auditOnAndOn } from './load/auditor.ts'
import { foundGraph } from './load/found-graph.ts'
import { Load, type LoadPlan } from './load/load.ts'
import { settleSome } from './load/settle.ts'
import { follow } from './load/subscriber.ts'
import { Tally } from './load/tally.ts'

export type Fault = {
  readonly name: string
  /** Does the damage, and has it repaired when it resolves: from then on the servers have to answer again. */
  strike(load: Load): Promise<void>
}

export type ChaosPlan = LoadPlan & {
  readonly address: string
  /** Acknowledged writes before each fault, and after it. */
  readonly writesBetween: number
  /** How long the servers may take to answer again, and everything to be as it was. */
  readonly recoveryMs: number
  /** What all that users call goes through, if anything. */
  readonly through?: (feed: Cellfeed) => Cellfeed
}

/** For two cores that also run all the servers. */
export const longLoad: Omit<ChaosPlan, 'address' | 'seed'> = {
  prefix: '',
  users: 30,
  sessionsPerUser: 2,
  followsPerUser: 6,
  actionsPerSecond: 50,
  timeoutMs: 5_000,
  writesBetween: 100,
  recoveryMs: 240_000,
}

export const shortLoad = { ...longLoad, users: 16, followsPerUser: 4, writesBetween: 40 }

export type ChaosReport = {
  readonly fault: string
  readonly seed: number
  readonly tally: Tally
  /** From the end of the fault until a write is acknowledged again. */
  readonly recoveredMs: number
  readonly tookMs: number
  readonly verdict: Verdict
}

const auditors = 2
const patienceMs = 30_000

export class ChaosRun {
  readonly load: Load
  readonly #plan: ChaosPlan
  readonly #actors: readonly Actor[]
  /** Tries again by itself. */
  readonly #patient: Cellfeed
  /** What a subscriber is sent that follows the log through it all. */
  readonly #followed = new LogPicture()
  readonly #ending = new AbortController()
  readonly #following: Promise<void>

  /** Returns when the graph is there that the users begin with. */
  static async begin(plan: ChaosPlan): Promise<ChaosRun> {
    const run = new ChaosRun(plan)
    try {
      await foundGraph(run.load, run.#ending.signal)
      return run
    } catch (thrown) {
      await run.end()
      throw thrown
    }
  }

  private constructor(plan: ChaosPlan) {
    const { address, timeoutMs, prefix, sessionsPerUser, through = (feed) => feed } = plan
    this.#plan = plan
    this.#patient = connect(address, { timeoutMs: patienceMs })
    const load = new Load(plan, through(connect(address, { retry: { attemptsMax: 1 }, timeoutMs })))
    this.load = load
    this.#actors = load.users.flatMap((user) =>
      Array.from({ length: sessionsPerUser }, (_, at) => new Actor(load, user, `${user}.${at}`)),
    )
    const followed = { prefix, picture: this.#followed }
    this.#following = follow(this.#patient, followed, this.#ending.signal)
  }

  /** What broke is in the report; throws if the servers do not get well. */
  async under(fault: Fault): Promise<ChaosReport> {
    const startedMs = performance.now()
    const { load } = this
    const { seed, recoveryMs } = this.#plan
    load.tally = new Tally()
    const acting = new AbortController()
    const acted = this.#act(acting.signal)
    let recoveredMs: number
    try {
      recoveredMs = await Promise.race([this.#strike(fault), acted.then(endedEarly)])
    } finally {
      acting.abort()
      await Promise.allSettled([acted])
    }
    const inTime = AbortSignal.timeout(recoveryMs)
    await settleSome(load, inTime)
    const judging = { load, patient: this.#patient, followed: this.#followed, signal: inTime }
    const verdict = await judge(judging)
    const tookMs = performance.now() - startedMs
    return { fault: fault.name, seed, tally: load.tally, recoveredMs, tookMs, verdict }
  }

  async end(): Promise<void> {
    this.#ending.abort()
    this.load.feed.close()
    this.#patient.close()
    await this.#following
  }

  /** All users at once, until the signal fires. */
  async #act(signal: AbortSignal): Promise<void> {
    await Promise.all([
      ...this.#actors.map((actor) => actor.run(signal)),
      ...Array.from({ length: auditors }, (_, at) =>
        auditOnAndOn(this.load, `auditor ${at}`, signal),
      ),
    ])
  }

  async #strike(fault: Fault): Promise<number> {
    const { writesBetween, recoveryMs } = this.#plan
    await this.load.tally.acknowledges(writesBetween, recoveryMs)
    await fault.strike(this.load)
    const overMs = performance.now()
    await this.load.tally.acknowledges(1, recoveryMs)
    const recoveredMs = performance.now() - overMs
    await this.load.tally.acknowledges(writesBetween, recoveryMs)
    return recoveredMs
  }
}

function endedEarly(): never {
  throw new Error('the load ended before the fault was over')
}
