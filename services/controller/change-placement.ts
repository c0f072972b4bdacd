// Changes that operators ask of the placement: compare-and-set, tried again when something else changed meanwhile, with a name for the
// audit trail.

import type { Refusal } from '../../cells/model/move.ts'
import type { Placement } from '../../cells/model/placement.ts'
import { changeText } from '../../cells/model/placement-change.ts'
import { ApiError } from '../gateway/errors.ts'
import { ControlPlacements } from '../router/control-placements.ts'
import type { AdminDesk } from './admin-desk.ts'

type Change = (placement: Placement) => Placement | Refusal
type Asked = { readonly operator: string; readonly dryRun?: boolean }

const TRIES_MAX = 20
const OPERATOR_LENGTH_MAX = 100
const NOT_NAMED = 'an operator'

export async function placementNow(desk: AdminDesk): Promise<Placement> {
  return (await placementsBy(desk, NOT_NAMED).read()).placement
}

/** The same; while the control store is away, the one that this process knows. */
export function placementAsKnown(desk: AdminDesk): Promise<Placement> {
  return placementNow(desk).catch(() => desk.router.placement)
}

/** The placement after the change, and what that changed, in a line; of a dry run, as it would be. Throws MOVE_REFUSED. */
export async function changed(
  desk: AdminDesk,
  asked: Asked,
  change: Change,
): Promise<{ readonly placement: Placement; readonly what: string }> {
  const placements = placementsBy(desk, asked.operator)
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const { placement: before, revision } = await placements.read()
    const placement = allowed(change(before))
    const isThere = asked.dryRun === true || placement === before
    if (isThere || (await placements.replace(revision, placement))) {
      return { placement, what: changeText(before, placement) }
    }
  }
  throw new ApiError('MOVE_REFUSED', 'the placement changes all the time: try again')
}

export function refused(why: string): ApiError {
  return new ApiError('MOVE_REFUSED', why)
}

function allowed(next: Placement | Refusal): Placement {
  if ('refused' in next) throw refused(next.refused)
  return next
}

function placementsBy({ control, clock }: AdminDesk, operator: string): ControlPlacements {
  const by = operator.slice(0, OPERATOR_LENGTH_MAX) || NOT_NAMED
  return new ControlPlacements(control, { by, nowMs: () => clock.nowMs() })
}
