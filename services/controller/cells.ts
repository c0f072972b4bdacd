// ListCells: every cell, with its health and lag.

import type { Placement } from '../../cells/model/placement.ts'
import { eventsBetween, type Position } from '../../cells/model/position.ts'
import type { CellStatus, Loading } from '../../cells/ports/cell-client.ts'
import {
  type Cell,
  type CellLoading,
  CellState,
  type ListCellsResponse,
  LoadingStep,
  type PartitionLag,
} from '../../gen/cellfeed/admin/v1/admin_service.ts'
import type { CellReport, CellState as ReportedState } from '../cell/cell-report.ts'
import { inTime } from '../runtime/in-time.ts'
import { type AdminDesk, uint32 } from './admin-desk.ts'
import { placementAsKnown } from './change-placement.ts'
import { wireGap } from './relations.ts'

const STATUS_MS = 5_000
const GAP_DETAIL = 'it was rebuilt and missed relations: cellfeed reconcile --help'

const STATES: Readonly<Record<ReportedState, CellState>> = {
  loading: CellState.LOADING,
  serving: CellState.SERVING,
  refusing: CellState.REFUSING,
  draining: CellState.DRAINING,
  stopped: CellState.UNREACHABLE,
  unreachable: CellState.UNREACHABLE,
}

export async function listCells(desk: AdminDesk): Promise<ListCellsResponse> {
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
    loading: wireLoading(report.loading),
  }
}

const STEPS = { posts: LoadingStep.POSTS, events: LoadingStep.EVENTS } as const

function wireLoading(loading: Loading | undefined): CellLoading | undefined {
  return loading && { ...loading, step: STEPS[loading.step], done: BigInt(loading.done) }
}

/** A cell that is said to serve and does not answer is unreachable, with the reason; it fails nothing else. */
async function askedNow(
  report: CellReport,
): Promise<Pick<CellReport, 'state' | 'detail'> & { readonly status: CellStatus | undefined }> {
  const { state, detail, client } = report
  if (client === undefined) return { state, detail, status: undefined }
  try {
    const status = await inTime(client.status(), STATUS_MS)
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
