// What a cell says of itself, to operators and to whoever drives moves.

import type { Costs } from '../model/costs.ts'
import type { Position } from '../model/position.ts'
import type {
  CellStatus,
  CostStatus,
  PolicyStatus,
  SlotLoad,
  SlotsReport,
} from '../ports/cell-client.ts'
import type { CellParts } from './cell-parts.ts'
import type { CellState } from './cell-state.ts'

/** Without parts: the cell is loading. */
export function cellStatus(
  state: CellState,
  parts: CellParts | undefined,
  now: {
    readonly ready: boolean
    readonly logEnd: Position
    readonly lagMs: number
    readonly inbox: { readonly chunks: number; readonly bytes: number }
    readonly nowMs: number
  },
): CellStatus {
  const { reads, failed, readP99Ms } = state.vitals.of(now.nowMs)
  return {
    cell: state.cell,
    ready: now.ready,
    position: [...state.position],
    logEnd: now.logEnd,
    lagMs: now.lagMs,
    readers: state.readers.size,
    readersAway: state.readersAway,
    names: parts?.names.table.size ?? 0,
    windowPosts: state.window.size,
    windowPostsMax: state.limits.windowPostsMax,
    windowBytes: state.window.bytes,
    windowStartsAtMs: state.windowStartsAtMs,
    readersBytes: state.readersBytes,
    generations: state.generations.length,
    chunks: now.inbox.chunks,
    chunkBytes: now.inbox.bytes,
    entriesDelivered: state.entriesDelivered,
    entriesFilled: state.entriesFilled,
    pendingPosts: parts?.book.pendingPosts ?? 0,
    bodiesCachedBytes: (parts?.bodies.bytes ?? 0) + (parts?.book.recentBytes ?? 0),
    checkpointAgeMs: parts?.checkpointer.ageMs,
    eventsSinceCheckpoint: state.eventsSeen - (parts?.checkpointer.eventsAtLast ?? 0),
    eventsApplied: state.eventsApplied,
    eventsRefused: state.eventsRefused,
    eventsRepeated: state.eventsRepeated,
    watchers: parts?.watchers.count ?? 0,
    reads,
    readsFailed: failed,
    readP99Ms,
    readersCopied: state.readersCopied,
    bytesCopied: state.bytesCopied,
    openGap: state.openGap,
    ...state.rates.readsCounted,
    ...(parts?.policy.status ?? NOT_DECIDED),
    ...costStatus(state.costs.all),
  }
}

const NOT_DECIDED: PolicyStatus = {
  authorsDelivered: 0,
  authorsPulled: 0,
  classChanges: 0,
  classesDecidedAgeMs: undefined,
  entriesPerS: 0,
  readsBelowWindowPerS: 0,
  costDeliverAllUs: 0,
  costPullAllUs: 0,
  costAsDecidedUs: 0,
  pairsLeftOut: 0,
  readersHeavy: 0,
}

function costStatus(costs: Costs): CostStatus {
  return {
    costChainUs: costs.chainUs,
    costWalkedUs: costs.walkedUs,
    costEdgeUs: costs.edgeUs,
    costEntryUs: costs.entryUs,
    costEntryBytes: costs.entryBytes,
    costPullUs: costs.pullUs,
    costChunkUs: costs.chunkUs,
    costInboxUs: costs.inboxUs,
  }
}

export function slotsReport(
  state: CellState,
  parts: CellParts | undefined,
  now: {
    readonly boot: number
    readonly ready: boolean
    readonly logEnd: Position | undefined
  },
  loadsAtMs: number | undefined,
): SlotsReport {
  const keeper = parts?.keeper.report ?? NOTHING
  return {
    cell: state.cell,
    ...now,
    position: [...state.position],
    epoch: state.placement.epoch,
    ...keeper,
    loads: loadsAtMs === undefined ? [] : slotLoads(state, loadsAtMs),
  }
}

const NOTHING = { prepared: [], arrived: [], copying: [], retained: [], failures: [] }

function slotLoads(state: CellState, nowMs: number): SlotLoad[] {
  const bytesPerReader = state.readersBytes / Math.max(1, state.readers.size)
  return [...state.slots.values()]
    .filter(({ isOwned, readers, away }) => isOwned && readers.size + away.size > 0)
    .map(({ slot, readers, readRate }) => {
      const bytes = Math.round(readers.size * bytesPerReader)
      return { slot, readers: readers.size, reads: readRate.perSecond(nowMs), bytes }
    })
}
