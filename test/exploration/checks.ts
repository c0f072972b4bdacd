// What must hold in every cluster that can be reached, and of every step; the numbers are those of docs/invariants.md.

import { ownerOf, type Placement } from '../../cells/model/placement.ts'
import { hasReached } from '../../cells/model/position.ts'
import {
  type Cluster,
  type Host,
  isReady,
  NAMES,
  otherThan,
  ownerIn,
  type Rules,
  SLOT,
} from './cluster.ts'
import { LOG_END, postsBelow } from './log.ts'
import type { Step } from './steps.ts'
import { isSame, viewOf } from './view.ts'

/** Undefined when all of it holds. */
export function violationIn(cluster: Cluster, rules: Rules): string | undefined {
  return ownership(cluster.placement) ?? durability(cluster) ?? answers(cluster, rules)
}

/** 5: each slot has one owner, and is in one move at most. */
function ownership({ ranges, slots, moves }: Placement): string | undefined {
  let next = 0
  for (const { first, last } of ranges) {
    if (first !== next || last < first) return 'a slot has no owner, or two'
    next = last + 1
  }
  if (next !== slots) return 'a slot has no owner, or two'
  return moves.length > 1 ? 'a slot is in two moves' : undefined
}

/** 4: the owner's store holds the slot, so it may crash at any moment; and no term is of two stays. */
function durability({ placement, A, B }: Cluster): string | undefined {
  const { term } = ownerOf(placement, SLOT)
  const name = ownerIn(placement)
  const { disk, running } = name === 'A' ? A : B
  if (disk.kept?.term !== term) return `${name} owns what no checkpoint of it names`
  if (!disk.rows.includes(term)) return `${name} owns what its store does not hold`
  if (running !== undefined && running.copy?.term !== term)
    return `${name} owns what it does not keep`
  return A.disk.rows.some((each) => B.disk.rows.includes(each)) ? 'a term is used twice' : undefined
}

/** 1, 5, 6: only the owner answers who knows the newest placement; and whoever answers shows all that belongs. */
function answers(cluster: Cluster, { bug }: Rules): string | undefined {
  const { placement } = cluster
  for (const name of NAMES) {
    const host = cluster[name]
    if (!mayAnswer(host)) continue
    const { view, copy, position } = host.running
    const isNewest = isSame(view, viewOf(placement, name))
    const isAsked = isNewest || bug === 'epoch-ignored'
    if (isAsked && ownerIn(placement) !== name)
      return `${name} answers for what ${otherThan(name)} owns`
    const wanted = postsBelow(position)
    if (((copy?.posts ?? 0) & wanted) !== wanted) return `${name} leaves out what belongs`
  }
  return undefined
}

/** A caller with an older placement than the cell's is answered. */
function mayAnswer(host: Host): host is Host & { readonly running: object } {
  const { running } = host
  if (running === undefined || !isReady(host)) return false
  return running.view.owns !== 0 && running.copy?.term === running.view.owns
}

/** Of what changes only a step can tell. */
export function violationOf(before: Cluster, { next }: Step): string | undefined {
  if (next.placement === before.placement) return undefined
  if (next.placement.epoch <= before.placement.epoch) return 'an epoch does not grow'
  const [move] = before.placement.moves
  const phase = next.placement.moves[0]?.phase
  const owner = ownerIn(next.placement)
  const isGiven = owner !== ownerIn(before.placement)
  if (isGiven && !hasPassed(next[owner], before)) {
    return `${owner} takes over behind what ${otherThan(owner)} has shown`
  }
  if (isGiven && phase?.kind === 'retiring' && phase.isTakeover && !before.wasDown) {
    return `${owner} takes over from a cell that was never down`
  }
  if (isGiven || move?.phase.kind !== 'retiring' || phase !== undefined) return undefined
  const { running } = next[owner]
  return running?.view.owns === 0 ? `${owner} does not know that it owns` : undefined
}

/** One that is down or not ready answers only when it has reached the log's end of its start. */
function hasPassed({ running }: Host, { toPass }: Cluster): boolean {
  return running === undefined || hasReached(running.servesFrom ?? running.position, toPass)
}

/** Nothing is under way, and nobody has what is not theirs. A standby stands by for ever. */
export function isAtRest(cluster: Cluster): boolean {
  const { placement, look } = cluster
  const [move] = placement.moves
  const isStanding = move?.isStandby === true && move.phase.kind === 'ready' && !move.isPaused
  if ((move !== undefined && !isStanding) || look !== undefined) return false
  return NAMES.every((name) => {
    const { disk, running } = cluster[name]
    if (running === undefined || running.servesFrom !== undefined) return false
    const stays = name === ownerIn(placement) || isStanding ? 1 : 0
    return (
      hasReached(running.position, LOG_END) &&
      isSame(running.view, viewOf(placement, name)) &&
      disk.rows.length === stays &&
      (disk.kept === undefined ? 0 : 1) === stays &&
      (running.copy === undefined ? 0 : 1) === stays
    )
  })
}
