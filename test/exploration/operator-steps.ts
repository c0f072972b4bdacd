// What operators may do at any time: plan a move, abort it, pause it, have it go on, have it verified again. The way back is the
// drivers': who asks for it looks first, as they do.

import { advance, planMove } from '../../cells/model/move.ts'
import type { Move } from '../../cells/model/placement.ts'
import { type Cluster, otherThan, ownerIn, type Rules, SLOT } from './cluster.ts'
import { replaced } from './driver-steps.ts'
import type { Step } from './steps.ts'

export function operatorSteps(cluster: Cluster, rules: Rules, to: Step[]): void {
  const { placement } = cluster
  const [move] = placement.moves
  const by = 'operator'
  if (cluster.plansLeft > 0 && (move === undefined || move.isStandby)) {
    const slots = [{ first: SLOT, last: SLOT }]
    const next = planMove(placement, { slots, to: otherThan(ownerIn(placement)) }, 0)
    if ('refused' in next) return
    const plansLeft = cluster.plansLeft - 1
    const planned = { ...replaced(cluster, next, rules), plansLeft }
    to.push({ did: 'an operator plans a move', by, next: planned })
  }
  if (move === undefined) return
  for (const kind of eventsOf(move)) {
    const next = advance(placement, move.id, { kind }, 0)
    if ('refused' in next) continue
    to.push({ did: `an operator says: ${kind}`, by, next: replaced(cluster, next, rules) })
  }
}

/** A pause ends an arrival; elsewhere it is as a driver that does not look. */
function eventsOf({
  phase,
  isPaused,
}: Move): ('aborted' | 'verify-again' | 'paused' | 'resumed')[] {
  if (phase.kind !== 'copying') return ['aborted', 'verify-again']
  return ['aborted', isPaused ? 'resumed' : 'paused']
}
