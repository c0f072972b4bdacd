// An operator states all relations of a cell's users, as of now, after the cell has lost records of them: what the cell holds
// otherwise is put right by imported events, until nothing differs; then the gap is closed.

import type { Fact, Unreadable } from '../../cells/model/event.ts'
import { largerOf, type Position, zeroPosition } from '../../cells/model/position.ts'
import type { UserRef } from '../../cells/model/user-key.ts'
import type { Related, RelationsPage } from '../../cells/ports/cell-client.ts'
import type { CellHost } from './cell-host.ts'
import { ask, type Heard } from './client.ts'
import type { Dice } from './random.ts'
import { relationKey } from './reference-model.ts'
import { known, Violation } from './violation.ts'
import type { World } from './world.ts'

type Produceable = Exclude<Fact, Unreadable>

const PASSES_MAX = 12
const BETWEEN_PASSES_US = 30_000_000
const DEADLINE_MS = 600_000

/** Answers the time before which no snapshot can be judged any more. */
export async function reconcile(world: World, host: CellHost, dice: Dice): Promise<number> {
  const users = world.users.filter((user) => world.homeOf(user.key) === host)
  const knownFromMs = await gapEndMs(world, host)
  while (world.wall.nowMs <= knownFromMs + 1_000) await world.sleepUs(60_000_000)
  let seen: Position = zeroPosition(world.log.partitions)
  for (let passes = 0; ; passes++) {
    if (passes > PASSES_MAX) throw new Violation('what a cell missed is never put right')
    const facts: Produceable[] = []
    for (const user of users) facts.push(...(await differences(world, host, user, seen)))
    if (facts.length === 0) break
    if (passes > 0) {
      setClocksRight(world)
      await world.sleepUs(BETWEEN_PASSES_US)
    }
    for (const fact of facts) {
      const { partition, offset } = await dice.pick(world.gateways).produce(fact)
      const token = zeroPosition(world.log.partitions)
      token[partition] = offset + 1
      seen = largerOf(seen, token)
    }
    world.tally.add('step: relation reconciled', facts.length)
  }
  await inTheEnd(() => {
    const question = { name: 'closeGap', seen, deadlineMs: DEADLINE_MS }
    return ask(world, host, question, (cell, call) => cell.closeGap(call))
  }, world)
  host.isGapOpen = false
  world.tally.add('step: gap closed')
  return knownFromMs + 1_000
}

/** Cells refuse what gateways whose clock is far from the log's append, however often: the operator sees that, and mends it. */
function setClocksRight({ brokers, gateways }: World): void {
  for (const clock of [...brokers.leaders, ...gateways.map((gateway) => gateway.clock)]) {
    clock.offMs = 0
  }
}

async function gapEndMs(world: World, host: CellHost): Promise<number> {
  for (let tries = 0; tries < 10_000; tries++) {
    const { serving } = host
    const status = await Promise.race([serving?.cell.status(), serving?.process.died])
    if (status !== undefined && host.serving === serving) {
      if (status.openGap.length === 0) throw new Violation('a rebuilt cell knows no gap')
      if (status.ready) throw new Violation('a cell serves while its gap is open')
      return Math.max(...status.openGap.map(({ toMs }) => toMs))
    }
    await world.sleepUs(1_000_000)
  }
  throw new Violation('a rebuilt cell does not start')
}

/** What the log says of the user at the position of the cell's answer, where the cell says otherwise. */
async function differences(
  world: World,
  host: CellHost,
  user: UserRef,
  seen: Position,
): Promise<Produceable[]> {
  const asOfMs = world.wall.nowMs
  const query = { after: undefined, limit: 1_000 }
  const heard = await inTheEnd(() => {
    const question = { name: 'relations', seen, deadlineMs: DEADLINE_MS }
    return ask(world, host, question, (cell, call) =>
      cell.relations({ ...call, viewer: user.key }, query),
    )
  }, world)
  if (heard === undefined) return []
  const { value, position } = heard
  const facts: Produceable[] = []
  const { belonging } = world
  const at = (partition: number) =>
    belonging.model.state(partition, known(position[partition], 'an offset'))
  if (at(belonging.publicOf(user.key)).deletedUsers.has(user.key)) return []
  for (const other of world.users) {
    if (other === user) continue
    const publicState = at(belonging.publicOf(other.key))
    if (publicState.deletedUsers.has(other.key)) continue
    const told = relatedOf(value, other)
    const edge = relationKey(user.key, other.key)
    const follow = publicState.follows.get(edge)
    const isFollow = follow?.on === true
    const hideReblogs = isFollow && follow.hideReblogs
    if (isFollow !== (told?.follows === true) || hideReblogs !== (told?.hideReblogs === true)) {
      const both = { user, author: other, asOfMs }
      facts.push(
        isFollow ? { kind: 'followed', ...both, hideReblogs } : { kind: 'unfollowed', ...both },
      )
    }
    const privateState = at(belonging.privateOf(other.key))
    const hide = { user, target: other, asOfMs }
    const isBlock = privateState.blocks.get(edge)?.on === true
    if (isBlock !== (told?.blocks === true)) {
      facts.push({ kind: isBlock ? 'blocked' : 'unblocked', ...hide })
    }
    const isMute = privateState.mutes.get(edge)?.on === true
    if (isMute !== (told?.mutes === true)) {
      facts.push({ kind: isMute ? 'muted' : 'unmuted', ...hide })
    }
    const back = at(belonging.privateOf(user.key)).blocks.get(relationKey(other.key, user.key))
    if ((back?.on === true) !== (told?.blockedBy === true)) {
      const kind = back?.on === true ? 'blocked' : 'unblocked'
      facts.push({ kind, user: other, target: user, asOfMs })
    }
  }
  const mark = at(belonging.privateOf(user.key)).readMarks.get(user.key)
  if (mark !== undefined && mark !== value.readMark) {
    facts.push({ kind: 'read-marked', user, postId: mark })
  }
  return facts
}

function relatedOf({ related }: RelationsPage, { key }: UserRef): Related | undefined {
  return related.find(({ user }) => user === key)
}

/** Asks until there is an answer; undefined when the user lives elsewhere by now. */
async function inTheEnd<T>(
  call: () => Promise<Heard<T>>,
  world: World,
): Promise<Extract<Heard<T>, { kind: 'ok' }> | undefined> {
  for (let tries = 0; tries < 10_000; tries++) {
    const heard = await call()
    if (heard.kind === 'ok') return heard
    if (heard.kind === 'moved') return undefined
    await world.sleepUs(3_000_000)
  }
  throw new Violation('a rebuilt cell never answers')
}
