// AdminService: cells, placement, health and lag, and why a post is, or is not, on a dashboard.

import { homeSlotOf, ownerOf, pinOf } from '../../cells/model/placement.ts'
import { userKey, type UserKey } from '../../cells/model/user-key.ts'
import {
  type AdminServiceService,
  type GetPlacementRequest,
  type GetPlacementResponse,
  type ListChangesRequest,
  type ListChangesResponse,
} from '../../gen/cellfeed/admin/v1/admin_service.ts'
import type { Handlers } from '../gateway/service-book.ts'
import { changesOf } from '../router/placement-trail.ts'
import { checkUser } from '../gateway/validate.ts'
import type { AdminDesk } from './admin-desk.ts'
import { balanceOf } from './balance.ts'
import { listCells } from './cells.ts'
import { placementAsKnown } from './change-placement.ts'
import { explainPost } from './explain-post.ts'
import { addCellTo, changeMove, listMoves, moveSlots, removeCellFrom } from './moves.ts'
import { pinUser } from './pins.ts'
import { getPolicy } from './policy.ts'
import { failOver, setStandbyOf } from './standbys.ts'
import { rebalance } from './rebalance.ts'
import { closeGap, listRelations } from './relations.ts'

const CHANGES_MAX = 1_000
const REBALANCES_MAX = 16
export function adminService(desk: AdminDesk): Handlers<AdminServiceService> {
  const { front } = desk
  return {
    listCells: front.unary('ListCells', () => listCells(desk)),
    getPlacement: front.unary('GetPlacement', (request) => getPlacement(desk, request)),
    explainPost: front.unary('ExplainPost', (request, context) =>
      explainPost(desk, request, context),
    ),
    getPolicy: front.unary('GetPolicy', () => getPolicy(desk)),
    listRelations: front.unary('ListRelations', (request, context) =>
      listRelations(desk, request, context),
    ),
    closeGap: front.unary('CloseGap', (request, context) => closeGap(desk, request, context)),
    addCell: front.write('AddCell', (request) => addCellTo(desk, request)),
    removeCell: front.write('RemoveCell', (request) => removeCellFrom(desk, request)),
    listMoves: front.unary('ListMoves', () => listMoves(desk)),
    moveSlots: front.write('MoveSlots', (request) => moveSlots(desk, request)),
    changeMove: front.write('ChangeMove', (request) => changeMove(desk, request)),
    pinUser: front.write('PinUser', (request) => pinUser(desk, request)),
    setStandby: front.write('SetStandby', (request) => setStandbyOf(desk, request)),
    failOver: front.write('FailOver', (request) => failOver(desk, request)),
    planBalance: front.unary('PlanBalance', (request) => balanceOf(desk, request)),
    rebalance: front.stream('Rebalance', REBALANCES_MAX, (request, { signal }) =>
      rebalance(desk, request, signal),
    ),
    listChanges: front.unary('ListChanges', (request) => listChanges(desk, request)),
  }
}

async function listChanges(
  { control }: AdminDesk,
  { limit }: ListChangesRequest,
): Promise<ListChangesResponse> {
  const changes = await changesOf(control, Math.min(Math.max(1, limit), CHANGES_MAX))
  return {
    changes: changes.map(({ epoch, atMs, by, what }) => {
      return { epoch: BigInt(epoch), at: new Date(atMs), by, what }
    }),
  }
}

async function getPlacement(
  desk: AdminDesk,
  request: GetPlacementRequest,
): Promise<GetPlacementResponse> {
  if (request.userId !== '') checkUser(request.userId, 'user_id')
  const placement = await placementAsKnown(desk)
  const user = userKey(request.userId)
  const slot = homeSlotOf(placement, user)
  return {
    clusterId: desk.clusterId.toString(16).padStart(16, '0'),
    epoch: BigInt(placement.epoch),
    slots: placement.slots,
    ranges: placement.ranges.map((range) => ({ ...range })),
    pins: placement.pins.map((pin) => ({ userHash: hexOf(pin.user), slot: pin.slot })),
    standbys: [...placement.standbys],
    user:
      request.userId === ''
        ? undefined
        : {
            slot,
            pinned: pinOf(placement.pins, user) !== undefined,
            cell: ownerOf(placement, slot).cell,
          },
  }
}

function hexOf(user: UserKey): string {
  return Buffer.from(user, 'latin1').toString('hex')
}
