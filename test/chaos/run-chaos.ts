// One run: users do what users do, a fault strikes in the middle, the servers get well again, and everything that was
// acknowledged is looked for. Progress decides when to go on, never a time alone:
//
//   found the graph | load ........................................ | some settle | judge
//                       so many acknowledged | fault strikes, is over | so many more

import { connect } from '../../services/client/connect.ts'
import { judge, type Verdict } from './judge.ts'
import { LogPicture } from './check/log-picture.ts'
import { Actor } from './load/actor.ts'
import { auditOnAndOn } from './load/auditor.ts'
import { Load, type LoadPlan } from './load/load.ts'
import { foundGraph } from './load/found-graph.ts'
import { settleSome } from './load/settle.ts'
import { follow } from './load/subscriber.ts'

export type Fault = {
  readonly name: string
  /** Does the damage, and has it repaired when it resolves: from then on the servers have to answer again. */
  strike(load: Load): Promise<void>
}

export type ChaosPlan = LoadPlan & {
  readonly address: string
  /** Acknowledged writes before each fault, and after the last one. */
  readonly writesBetween: number
  /** How long the servers may take to answer again. */
  readonly recoveryMs: number
}

export type ChaosReport = {
  readonly fault: string
  readonly seed: number
  /** What was written and read, and what was found. */
  readonly load: Load
  /** From the end of the fault until a write is acknowledged again. */
  readonly recoveredMs: number
  readonly tookMs: number
  readonly verdict: Verdict
}

const auditors = 2

export async function runChaos(plan: ChaosPlan, fault: Fault): Promise<ChaosReport> {
  const startedMs = performance.now()
  const { timeoutMs, prefix, recoveryMs } = plan
  const feed = connect(plan.address, { retry: { attemptsMax: 1 }, timeoutMs })
  const patient = connect(plan.address, { timeoutMs: 30_000 })
  const load = new Load(plan, feed)
  const picture = new LogPicture()
  const following = new AbortController()
  const acting = new AbortController()
  const work = [follow(patient, { prefix, picture }, following.signal)]
  try {
    await foundGraph(load, acting.signal)
    const acted = act(load, acting.signal)
    work.push(acted)
    const recoveredMs = await Promise.race([strike(plan, load, fault), acted.then(endedEarly)])
    acting.abort()
    await acted
    const inTime = AbortSignal.timeout(recoveryMs)
    await settleSome(load, inTime)
    const verdict = await judge({ load, patient, followed: picture, signal: inTime })
    const tookMs = performance.now() - startedMs
    return { fault: fault.name, seed: plan.seed, recoveredMs, tookMs, verdict, load }
  } finally {
    acting.abort()
    following.abort()
    feed.close()
    patient.close()
    await Promise.allSettled(work)
  }
}

/** All users at once, until the signal fires. */
async function act(load: Load, signal: AbortSignal): Promise<void> {
  const { sessionsPerUser } = load.plan
  const sessions = load.users.flatMap((user) =>
    Array.from(
      { length: sessionsPerUser },
      (_, index) => new Actor(load, user, `${user}.${index}`),
    ),
  )
  await Promise.all([
    ...sessions.map((actor) => actor.run(signal)),
    ...Array.from({ length: auditors }, (_, index) =>
      auditOnAndOn(load, `auditor ${index}`, signal),
    ),
  ])
}

async function strike(plan: ChaosPlan, load: Load, fault: Fault): Promise<number> {
  await load.acknowledges(plan.writesBetween, AbortSignal.timeout(plan.recoveryMs))
  await fault.strike(load)
  const overMs = performance.now()
  const inTime = AbortSignal.timeout(plan.recoveryMs)
  await load.acknowledges(1, inTime)
  const recoveredMs = performance.now() - overMs
  await load.acknowledges(plan.writesBetween, inTime)
  return recoveredMs
}

function endedEarly(): never {
  throw new Error('the load ended before the fault was over')
}
