// Whoever drives moves, as activities/mover.ts and caretaker.ts. A look reads the placement, asks one cell after the other, each at a
// moment of its own, and says later what it makes of that, by compare-and-set. One that crashes is one that gives up.
//
// A look whose placement has been replaced can change nothing and is forgotten; so several who drive are no more than one.

import { advance, type MoveEvent, termOf } from '../../cells/model/move.ts'
import type { Move, Placement } from '../../cells/model/placement.ts'
import { hasReached, type Position } from '../../cells/model/position.ts'
import { adoption, towardsRules } from '../../cells/model/standbys.ts'
import {
  type Cluster,
  type Host,
  isReady,
  type Look,
  otherThan,
  ownerIn,
  type Rules,
  shownBy,
} from './cluster.ts'
import { LOG_END, NOWHERE } from './log.ts'
import type { Step } from './steps.ts'

export function driverSteps(cluster: Cluster, rules: Rules, to: Step[]): void {
  const { placement, look } = cluster
  const [move] = placement.moves
  const by = 'cluster'
  if (look === undefined) {
    if (move === undefined) caretakerSteps(cluster, to)
    else if (!move.isPaused) {
      for (const [did, next] of looksAt(cluster, move, rules)) {
        to.push({ did: `a driver ${did}`, by, next: { ...cluster, look: next } })
      }
    }
    return
  }
  if (look.kind === 'say') {
    const [asked] = look.base.moves
    if (asked === undefined) return
    const next = advance(look.base, asked.id, look.event, 0)
    if ('refused' in next) throw new Error(next.refused)
    const kind = look.event.kind
    to.push({ did: `the placement is replaced: ${kind}`, by, next: replaced(cluster, next, rules) })
    return
  }
  for (const event of seen(cluster, look, rules)) {
    const next: Look = { base: look.base, kind: 'say', event }
    to.push({ did: `a driver finds: ${event.kind}`, by, next: { ...cluster, look: next } })
  }
  to.push({ did: 'a driver gives up', by, next: { ...cluster, look: undefined } })
}

/** Standbys by the rules, and a dead owner's slot adopted. */
function caretakerSteps(cluster: Cluster, to: Step[]): void {
  const { placement } = cluster
  const owner = ownerIn(placement)
  const other = otherThan(owner)
  const isDead = cluster[owner].running === undefined && isReady(cluster[other])
  const plansLeft = cluster.plansLeft - 1
  if (plansLeft < 0) return
  const next = towardsRules(placement, 0) ?? (isDead && adoption(placement, owner, [other], 0))
  if (!next) return
  const begun = { ...replaced(cluster, next), plansLeft }
  to.push({ did: 'the caretaker begins a move', by: 'cluster', next: begun })
}

/** What a driver may have in mind after it read the placement and asked one cell. */
function looksAt(cluster: Cluster, move: Move, { bug }: Rules): [string, Look][] {
  const base = cluster.placement
  const says = (event: MoveEvent): [string, Look] => [
    `finds: ${event.kind}`,
    { base, kind: 'say', event },
  ]
  const { source, target } = hostsOf(cluster, move)
  switch (move.phase.kind) {
    case 'preparing':
      // A copy is right from any checkpoint: that the source takes one now only makes it short.
      return [says({ kind: 'prepared' })]
    case 'copying': {
      const term = termAt(target, move, bug)
      return term === undefined ? [] : [says({ kind: 'copied', term })]
    }
    case 'verifying': {
      if (!isReady(target)) return []
      if (!holds(target, move, bug)) return [says({ kind: 'lost' })]
      if (source.running !== undefined && !isReady(source)) return []
      // Whatever the cells show: what they show is looked at by the checks.
      return [says({ kind: 'verified' }), says({ kind: 'differed', detail: '' })]
    }
    case 'differs':
      return []
    case 'ready': {
      const isTakeover = move.isStandby
      if (isTakeover && source.running !== undefined && bug !== 'living-source-left') {
        const isLost = isReady(target) && !holds(target, move, bug) && bug !== 'lost-unseen'
        return isLost ? [says({ kind: 'lost' })] : []
      }
      const past = isTakeover ? LOG_END : shownAtMost(source, bug)
      return [['asks the source', { base, kind: 'cut over', past }]]
    }
    case 'retiring': {
      const isTold = target.running !== undefined && target.running.view.owns !== 0
      const past = shownAtMost(target, bug)
      const asks: [string, Look] = ['asks the target', { base, kind: 'roll back', past }]
      return isTold || bug === 'retired-too-early' ? [says({ kind: 'retired' }), asks] : [asks]
    }
  }
}

/** What comes of asking the other cell. */
function seen(cluster: Cluster, look: Look, { bug }: Rules): MoveEvent[] {
  const [move] = look.base.moves
  if (move === undefined || look.kind === 'say') return []
  const { source, target } = hostsOf(cluster, move)
  if (look.kind === 'cut over') {
    if (target.running === undefined || !isReady(target)) return []
    if (!holds(target, move, bug) && bug !== 'cut-to-nothing') return [{ kind: 'lost' }]
    const isUnread = bug === (move.isStandby ? 'log-end-unread' : 'cut-behind-source')
    const isPast = hasReached(target.running.position, look.past)
    return isPast || isUnread ? [{ kind: 'cut-over', isTakeover: move.isStandby }] : []
  }
  if (source.running === undefined || !isReady(source)) return []
  const isPast = hasReached(source.running.position, look.past) || bug === 'back-behind-target'
  const isKept = retains(source, move) || bug === 'back-to-nothing'
  return isPast && isKept ? [{ kind: 'rolled-back' }] : []
}

/** With a placement by somebody who has looked at the one before. */
export function replaced(cluster: Cluster, placement: Placement, rules?: Rules): Cluster {
  const [move] = placement.moves
  const kind = move?.phase.kind
  const source = move?.from === 'A' ? cluster.A : cluster.B
  const isWaiting = kind === 'ready' || kind === 'retiring'
  const isIgnored = rules?.bug === 'revision-ignored' && cluster.look?.kind !== 'say'
  return {
    ...cluster,
    placement,
    look: isIgnored ? cluster.look : undefined,
    toPass: isWaiting ? shownBy(cluster[ownerIn(placement)]) : NOWHERE,
    wasDown: kind === 'ready' && move?.isStandby === true && source.running === undefined,
  }
}

/** One that is down, or recovers, may have shown anything. */
function shownAtMost(host: Host, bug: Rules['bug']): Position {
  const isCounted = isReady(host) || bug === 'recovering-counts'
  return (isCounted ? host.running?.position : undefined) ?? LOG_END
}

type Hosts = { readonly source: Host; readonly target: Host }

function hostsOf({ A, B }: Cluster, { from }: Move): Hosts {
  return from === 'A' ? { source: A, target: B } : { source: B, target: A }
}

/** Under which term the target has the slot of the move, as it reports it by the placement that it knows. */
function termAt({ running }: Host, { id }: Move, bug: Rules['bug']): number | undefined {
  const copy = running?.copy
  if (copy?.stage !== 'complete' || copy.move !== id || running?.view.target !== id)
    return undefined
  return copy.isDurable || bug === 'cut-before-checkpoint' ? copy.term : undefined
}

function holds(target: Host, move: Move, bug: Rules['bug']): boolean {
  const term = termAt(target, move, bug)
  return term !== undefined && term === termOf(move)
}

function retains({ running }: Host, { id }: Move): boolean {
  const copy = running?.copy
  return running?.view.retains === id && copy?.isDurable === true && copy.term === running.view.left
}
