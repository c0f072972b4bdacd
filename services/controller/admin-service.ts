// AdminService: cells, placement, health and lag, and why a post is, or is not, on a dashboard.

import { homeSlotOf, ownerOf, pinOf, type Placement } from '../../cells/model/placement.ts'
import { eventsBetween, type Position } from '../../cells/model/position.ts'
import { userKey, type UserKey } from '../../cells/model/user-key.ts'
import type { CellStatus } from '../../cells/ports/cell-client.ts'
import {
  type AdminServiceService,
  type Cell,
  CellState,
  type GetPlacementRequest,
  type GetPlacementResponse,
  type ListCellsResponse,
  type ListChangesRequest,
  type ListChangesResponse,
  type PartitionLag,
} from '../../gen/cellfeed/admin/v1/admin_service.ts'
import type { CellReport, CellState as ReportedState } from '../cell/cell-report.ts'
import type { Handlers } from '../gateway/service-book.ts'
import { changesOf } from '../router/placement-trail.ts'
import { checkUser } from '../gateway/validate.ts'
import { type AdminDesk, uint32 } from './admin-desk.ts'
import { balanceOf } from './balance.ts'
import { placementAsKnown } from './change-placement.ts'
import { explainPost } from './explain-post.ts'
import { addCellTo, changeMove, listMoves, moveSlots, removeCellFrom } from './moves.ts'
import { pinUser } from './pins.ts'
import { getPolicy } from './policy.ts'
import { failOver, setStandbyOf } from './standbys.ts'
import { closeGap, listRelations, wireGap } from './relations.ts'

const CHANGES_MAX = 1_000
const GAP_DETAIL = 'it was rebuilt and missed relations: cellfeed reconcile --help'

const STATES: Readonly<Record<ReportedState, CellState>> = {
  loading: CellState.LOADING,
  serving: CellState.SERVING,
  refusing: CellState.REFUSING,
  draining: CellState.DRAINING,
  stopped: CellState.UNREACHABLE,
  unreachable: CellState.UNREACHABLE,
}

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
    listChanges: front.unary('ListChanges', (request) => listChanges(desk, request)),
  }
}

async function listCells(desk: AdminDesk): Promise<ListCellsResponse> {
  const placement = await placementAsKnown(desk)
  const reports = [...desk.reports()].sort((a, b) => (a.cell < b.cell ? -1 : 1))
  return {
    cells: await Promise.all(reports.map((report) => cellOf(desk, report, placement))),
  }
}

async function cellOf(desk: AdminDesk, report: CellReport, placement: Placement): Promise<Cell> {
  const ranges = placement.ranges.filter((range) => range.cell === report.cell)
  const { status, state, detail } = await askedNow(report)
  return {
    cell: report.cell,
    state: STATES[state],
    stateDetail: detail,
    startedAt: report.startedAtMs === 0 ? undefined : new Date(report.startedAtMs),
    boot: BigInt(report.boot),
    version: report.version,
    slots: ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0),
    epoch: BigInt(placement.epoch),
    ...figuresOf(status, desk.partitionsPerTopic),
    processMemoryBytes: BigInt(report.memoryBytes ?? 0),
  }
}

/** A cell that is said to serve and does not answer is unreachable, with the reason; it fails nothing else. */
async function askedNow(
  report: CellReport,
): Promise<Pick<CellReport, 'state' | 'detail'> & { readonly status: CellStatus | undefined }> {
  const { state, detail, client } = report
  if (client === undefined) return { state, detail, status: undefined }
  try {
    const status = await client.status()
    if (status.openGap.length > 0) return { state: 'refusing', detail: GAP_DETAIL, status }
    return { state, detail, status }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return { state: 'unreachable', detail: why, status: undefined }
  }
}

/** What the cell tells of itself; of a cell that does not serve, nothing. */
function figuresOf(status: CellStatus | undefined, partitionsPerTopic: number) {
  return {
    lagEvents: BigInt(status === undefined ? 0 : eventsBetween(status.position, status.logEnd)),
    lagMs: uint32(status?.lagMs ?? 0),
    partitions: partitionLags(status?.position ?? [], status?.logEnd ?? [], partitionsPerTopic),
    readers: BigInt(status?.readers ?? 0),
    watchers: status?.watchers ?? 0,
    windowPosts: BigInt(status?.windowPosts ?? 0),
    windowPostsMax: BigInt(status?.windowPostsMax ?? 0),
    windowStartsAt:
      status?.windowStartsAtMs === undefined ? undefined : new Date(status.windowStartsAtMs),
    generations: BigInt(status?.generations ?? 0),
    checkpointAgeMs:
      status?.checkpointAgeMs === undefined ? undefined : uint32(status.checkpointAgeMs),
    replayEvents: BigInt(status?.eventsSinceCheckpoint ?? 0),
    windowBytes: BigInt(status?.windowBytes ?? 0),
    readersBytes: BigInt(status?.readersBytes ?? 0),
    bodiesBytes: BigInt(status?.bodiesCachedBytes ?? 0),
    readsPerSecond: status?.reads ?? 0,
    failedReadsPerSecond: status?.readsFailed ?? 0,
    readP99Ms: status?.readP99Ms ?? 0,
    openGap: (status?.openGap ?? []).map((part) => wireGap(part, partitionsPerTopic)),
  }
}

function partitionLags(
  applied: Position,
  latest: Position,
  partitionsPerTopic: number,
): PartitionLag[] {
  return latest.map((offset, partition) => ({
    partition: partition % partitionsPerTopic,
    private: partition >= partitionsPerTopic,
    appliedOffset: BigInt(applied[partition] ?? 0),
    latestOffset: BigInt(offset),
  }))
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
