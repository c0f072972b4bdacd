// PinUser: a slot of their own for a user.

import { planMove, type Refusal } from '../../cells/model/move.ts'
import {
  homeSlotOf,
  type Move,
  overlap,
  ownerOf,
  pinOf,
  type Placement,
} from '../../cells/model/placement.ts'
import { userKey, type UserKey } from '../../cells/model/user-key.ts'
import type { PinUserRequest, PinUserResponse } from '../../gen/cellfeed/admin/v1/admin_service.ts'
import { checkUser } from '../gateway/validate.ts'
import type { AdminDesk } from './admin-desk.ts'
import { changed, placementNow, refused } from './change-placement.ts'
import { whoLives } from './moves.ts'
import { wireMove } from './wire-move.ts'

/** Throws USER_ID_INVALID, MOVE_REFUSED. */
export async function pinUser(desk: AdminDesk, request: PinUserRequest): Promise<PinUserResponse> {
  const { userId, cell } = request
  checkUser(userId, 'user_id')
  const user = userKey(userId)
  const now = await placementNow(desk)
  if (!now.cells.includes(cell)) throw refused(`there is no cell ${cell}`)
  const { cell: owner } = ownerOf(now, homeSlotOf(now, user))
  const isPinned = pinOf(now.pins, user) !== undefined
  if (owner === cell && isPinned) return { move: undefined, readers: 0n, bytes: 0n }
  const onTheWay = now.moves.find((move) => bringsAlone(move, { user, to: cell }, now))
  if (onTheWay !== undefined) {
    return { move: wireMove(onTheWay), ...(await whoLives(desk, onTheWay)) }
  }
  if (owner === cell) {
    const others = now.cells.filter((other) => other !== cell).join(', ')
    throw refused(
      `${userId} lives in ${cell}, in a slot with others: pin the user to another cell first (${others}), then here`,
    )
  }
  const { placement } = await changed(desk, request, (before) =>
    pinned(before, { user, to: cell, nowMs: desk.clock.nowMs() }),
  )
  const move = placement.moves.at(-1)
  if (move === undefined) throw new Error('a planned move is not in the placement')
  return { move: wireMove(move), ...(await whoLives(desk, move)) }
}

/** Asked for before: the user gets a slot of their own there, or has one that moves there. */
function bringsAlone(
  move: Move,
  { user, to }: { readonly user: UserKey; readonly to: string },
  { pins }: Placement,
): boolean {
  if (move.to !== to || move.isStandby || move.phase.kind === 'retiring') return false
  const slot = pinOf(pins, user)?.slot
  return slot === undefined
    ? pinOf(move.pins, user) !== undefined
    : overlap(move.slots, [{ first: slot, last: slot }])
}

function pinned(
  placement: Placement,
  wanted: { readonly user: UserKey; readonly to: string; readonly nowMs: number },
): Placement | Refusal {
  const { user, to, nowMs } = wanted
  const slot = homeSlotOf(placement, user)
  const isPinned = pinOf(placement.pins, user) !== undefined
  const slots = [{ first: slot, last: slot }]
  return planMove(placement, { slots, to, pinned: isPinned ? [] : [user] }, nowMs)
}
