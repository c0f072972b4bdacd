// A cell has another one stand by for all of its slots; it is killed and stays away until its users are served there; then it is
// started again, and they go home.

import { setTimeout as wait } from 'node:timers/promises'
import { insist } from '../../chaos/load/insist.ts'
import { QUARTERS } from '../reads/homes.ts'
import { whileSomeRead } from '../readers/slow-readers.ts'
import type { Stage } from '../stage.ts'
import { cellsOf, homeOf, isServing, retireAll, until } from './cells.ts'
import type { StandbyPlan } from './round-plan.ts'
import type { Struck } from './struck.ts'

const ASK_MS = 20
const ANSWER_WITHIN_MS = 2_000

export async function standBy(stage: Stage, plan: StandbyPlan): Promise<Struck> {
  const patience = AbortSignal.timeout(stage.plan.load.recoveryMs)
  const { operator } = stage
  await retireAll(stage, patience)
  const from = await homeOf(stage, stage.watcherOf(plan.quarter), patience)
  const others = (await cellsOf(stage, patience)).filter((cell) => cell !== from)
  const to = others[plan.standbyAt % others.length]
  if (to === undefined) throw new Error('there is no other cell')
  const quarters = QUARTERS.filter((quarter) => stage.homes.ownerOf(quarter) === from)
  await until(() => isServing(stage, [from, to]), `${from} or ${to} does not serve`, patience)
  await insist(() => operator.setStandby(from, to), patience)
  const reading = { round: plan.round, quarters, patience }
  const struck = await whileSomeRead(stage, reading, async () => {
    const brought = await killAndBring(stage, plan, { from, to, patience })
    await insist(() => operator.setStandby(from, undefined), patience)
    return brought
  })
  return { added: undefined, from, to, quarters, ...struck }
}

async function killAndBring(
  stage: Stage,
  plan: StandbyPlan,
  between: { readonly from: string; readonly to: string; readonly patience: AbortSignal },
): Promise<Omit<Struck, 'added' | 'from' | 'to' | 'quarters' | 'walks'>> {
  const { from, patience } = between
  await until(() => isCovered(stage, between), `${from} has no standby`, patience)
  await wait(plan.afterMs)
  const users = QUARTERS.filter((quarter) => stage.homes.ownerOf(quarter) === from).flatMap(
    (quarter) => [stage.watcherOf(quarter), ...stage.usersIn(quarter)],
  )
  const process = stage.cluster.processOf('source', between)
  const killedMs = performance.now()
  await process.kill()
  await Promise.all(users.map((user) => served(stage, user, patience)))
  const answeredMs = performance.now()
  await wait(plan.awayMs)
  const startedMs = performance.now()
  await process.start()
  await until(() => isServing(stage, [from]), `${from} does not serve again`, patience)
  const backMs = performance.now() - startedMs
  await until(() => liveIn(stage, from, users), `not all users of ${from} go home`, patience)
  const homeAfterMs = performance.now() - startedMs
  const outage = { cells: [from], killedMs, answeredMs }
  const awayMs = startedMs - killedMs
  const killed = { role: 'owner', name: from, phase: 'READY', outage, awayMs, backMs } as const
  const servedAfterMs = answeredMs - killedMs
  return { killed, ended: 'went home', cutOverAfterMs: undefined, servedAfterMs, homeAfterMs }
}

/** All that the cell owns is ready at the other one. */
async function isCovered(
  { operator }: Stage,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<boolean> {
  const owned = (await operator.cells()).find(({ cell }) => cell === from)?.slots ?? 0
  const ready = (await operator.moves()).filter(
    (move) => move.isStandby && move.from === from && move.to === to && move.phase === 'READY',
  )
  const covered = ready
    .flatMap(({ slots }) => slots)
    .reduce((sum, { first, last }) => sum + last - first + 1, 0)
  return owned > 0 && covered === owned
}

async function served({ unnoted }: Stage, user: string, patience: AbortSignal): Promise<void> {
  const ask = () => unnoted.dashboard(user, { limit: 1, timeoutMs: ANSWER_WITHIN_MS })
  await insist(ask, patience, ASK_MS)
}

async function liveIn({ operator }: Stage, cell: string, users: string[]): Promise<boolean> {
  for (const user of users) {
    if ((await operator.placement(user)).user?.cell !== cell) return false
  }
  return true
}
